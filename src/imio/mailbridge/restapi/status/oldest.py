"""Tells since when the oldest message waits."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import WAITING


def oldest_waiting():
    """Return when the oldest message came that is to be sent or to be treated (ISO 8601), or None."""
    oldest = next(outbox().waiting_in(*WAITING), None)
    times = [created for created, _id in inbox().keys("received")[:1]]
    times += [oldest.created.isoformat()] if oldest is not None else []
    return min(times) if times else None
