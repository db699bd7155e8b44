"""Limits how many messages of one author, and how many replies to one message, are filed in an hour.

More of one author than a person writes is the sign of a loop. Replies need no proof of their author, so that their number is
limited whatever names they bear.
"""

from imio.mailbridge.inbound.inbox import inbox


PERIOD = 3600
#: Replies to one message in an hour, beside one of each of its recipients.
MAX_REPLIES = 10


def is_too_many(author, at, limit):
    """Tell whether ``author`` has ``limit`` messages already in the hour before ``at`` (aware); 0 is no limit.

    ``author`` is an address in lower case, or ``reply:`` and the id of an answered message.
    """
    return bool(author and limit) and len(_within_an_hour(author, at)) >= limit


def count(author, at):
    """Count a message; what is over the limit is not counted, so that it does not prolong the wait."""
    if author:
        inbox().recent[author] = (*_within_an_hour(author, at), int(at.timestamp()))


def forget_old(at):
    """Forget the authors whose last message came more than an hour before ``at`` (aware)."""
    recent, limit = inbox().recent, int(at.timestamp()) - PERIOD
    for author in [author for author, times in recent.items() if not times or times[-1] < limit]:
        del recent[author]


def _within_an_hour(author, at):
    since = int(at.timestamp()) - PERIOD
    return tuple(time for time in inbox().recent.get(author, ()) if time > since)
