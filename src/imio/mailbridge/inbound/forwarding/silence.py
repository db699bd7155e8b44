"""Recognises a source mailbox that usually brings mail and has fallen silent: its forwarding may have been switched off."""

DAY = 86_400
HOUR = 3_600
#: What must be known of a mailbox before its silence means anything: days, and hours with mail.
LEAST_DAYS, LEAST_SEEN = 14, 10
#: Days that are looked back to, and times that are kept.
LOOK_BACK, KEPT = 60, 500
#: A mailbox is silent after this many times the longest silence before, and at least a day.
TIMES = 2


def noted(seen, at):
    """Return the times ``seen`` with ``at`` (seconds since the epoch), or the same object when less than an hour has passed."""
    if seen and at < seen[-1] + HOUR:
        return seen
    return (*seen, at)[-KEPT:]


def longest_silence(seen, at):
    """Return the longest time without mail that is usual, in seconds, or None while too little is known."""
    recent = [time for time in seen if time > at - LOOK_BACK * DAY]
    if len(recent) < LEAST_SEEN or recent[-1] - recent[0] < LEAST_DAYS * DAY:
        return None
    return max(after - before for before, after in zip(recent, recent[1:], strict=False))


def is_silent(seen, at):
    """Tell whether a mailbox is silent for longer than is usual for it."""
    usual = longest_silence(seen, seen[-1]) if seen else None
    return usual is not None and at - seen[-1] > max(TIMES * usual, DAY)
