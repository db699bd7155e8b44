"""Tells since when the oldest message waits."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox


def oldest_waiting():
    """Return when the oldest message came that is to be sent or to be treated, or None."""
    return min(filter(None, (outbox().oldest_waiting(), inbox().oldest("received"))), default=None)
