"""Remembers for some minutes which manager looks at which incoming message. A user has one entry, so that it never grows."""

from BTrees.OOBTree import OOBTree
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import site_store
import time


KEY = "imio.mailbridge.looking"
#: Pages say every minute that they are still open; who has not for this long, in seconds, has left.
LOOKS_FOR = 150


def look(userid, id):
    """Note that a user looks at a message now, and at no other any more."""
    site_store(KEY, OOBTree)[userid] = (id, time.time())


def others_looking(id, userid):
    """Return the ids of the other users who look at a message; writes nothing."""
    since = time.time() - LOOKS_FOR
    return [
        other
        for other, (seen, at) in existing_store(KEY).items()
        if seen == id and at > since and other != userid
    ]
