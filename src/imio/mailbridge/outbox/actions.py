"""What a person can do with a message: send it again, send it now, cancel it. All in the current transaction."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.composition.compose import redated
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.store.store import now
from plone import api
from ZODB.blob import Blob


def retry(record: OutgoingMessage) -> bool:
    """Queue the message again for the recipients for whom it failed or waits; return whether there were any."""
    addresses = record.in_state("failed", "deferred", "held") if record.body is not None else []
    if addresses:
        record.note(None, "queued", explanation=_("Sent again on request."), by=_userid())
        record.told = tuple(kind for kind in record.told if kind != "failed")  # a new failure is news
        record.start_trying()
        outbox().update(record, dict.fromkeys(addresses, "queued"))
    return bool(addresses)


def send_now(record: OutgoingMessage) -> bool:
    """Send a scheduled message at once; return whether it was scheduled."""
    addresses = record.in_state("scheduled")
    if addresses:
        with record.body.open("r") as body:  # it is dated to when it was to leave
            record.body = Blob(redated(body.read(), now()))
        record.note(None, "queued", explanation=_("Sent at once on request."), by=_userid())
        record.start_trying()
        outbox().update(record, dict.fromkeys(addresses, "queued"))
    return bool(addresses)


def cancel(record: OutgoingMessage) -> bool:
    """Cancel the message for the recipients for whom no server has been asked, or took it, yet; return whether there were any."""
    addresses = record.in_state("scheduled", "queued", "deferred", "held")
    if addresses:
        for address in addresses:
            record.note(address, "cancelled", by=_userid())
        outbox().update(record, dict.fromkeys(addresses, "cancelled"))
    return bool(addresses)


def _userid() -> str:
    return api.user.get_current().getId() or ""
