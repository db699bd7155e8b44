"""Does one author send more than a person would? The sign of a loop that no header shows."""

from imio.mailbridge.inbound.inbox import inbox


PERIOD = 3600


def forget_old(at):
    """Forget the authors whose last message came more than an hour before ``at`` (aware)."""
    recent, limit = inbox().recent, int(at.timestamp()) - PERIOD
    for author in [author for author, times in recent.items() if not times or times[-1] < limit]:
        del recent[author]


def is_too_many(author, at, limit):
    """Count a message of ``author`` (lower case) at ``at`` (aware); tell whether there are more than ``limit`` in an hour.

    0 is no limit. What is over the limit does not prolong the wait.
    """
    if not author or not limit:
        return False
    recent, moment = inbox().recent, int(at.timestamp())
    times = tuple(time for time in recent.get(author, ()) if time > moment - PERIOD)
    if len(times) >= limit:
        return True
    recent[author] = (*times, moment)
    return False
