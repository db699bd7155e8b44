"""Keeps, for each source mailbox, the results of its forwarding checks and when mail came through it."""

from BTrees.OOBTree import OOBTree
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import site_store
from persistent import Persistent


KEY = "imio.mailbridge.forwarding"
#: Results that are kept of a mailbox.
KEPT = 20


class Forwarding(Persistent):
    """One declared mailbox.

    ``running`` is None or a dict: ``id`` of the outgoing message, ``code``, ``begun`` (aware), ``canary``. ``results`` are dicts,
    the newest first: ``at``, ``outcome``, ``fingerprint`` (or None), ``seconds`` on the way (or None), ``text`` (words of a
    server), ``record`` (id of the incoming message, or empty), ``differs``. ``expected`` is the fingerprint of the last good check:
    a dict of ``form``, ``marks``, ``proof``, ``arrived``. ``seen`` are times at which mail came through it, in seconds since
    the epoch, at most one an hour, the oldest first; ``silent_since`` is None, or the last of them when its silence was reported.
    """

    running = expected = silent_since = None
    results = seen = ()

    def add(self, result):
        """Keep a result."""
        self.results = (result, *self.results)[:KEPT]


def forwardings():
    """Return lower-case address → ``Forwarding``; writes nothing."""
    return existing_store(KEY)


def forwarding(address):
    """Return the ``Forwarding`` of a source mailbox, made on first use."""
    store = site_store(KEY, OOBTree)
    if address not in store:
        store[address] = Forwarding()
    return store[address]
