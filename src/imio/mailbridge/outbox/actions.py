"""What may a person do with a message? Send it again, or give it up. The current transaction decides."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.composition.compose import redated
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.submit import wake
from imio.mailbridge.store.store import now
from plone import api
from ZODB.blob import Blob


def retry(record):
    """Queue again what failed, or waits, for some recipients; return whether there were any."""
    addresses = record.in_state("failed", "deferred", "held") if record.body is not None else []
    if addresses:
        record.note(None, "queued", explanation=_("Sent again on request."), by=_by())
        record.told = tuple(kind for kind in record.told if kind != "failed")  # a new failure is news
        record.start_trying()
        outbox().update(record, dict.fromkeys(addresses, "queued"))
        wake(record)
    return bool(addresses)


def send_now(record):
    """Let a scheduled message leave at once; return whether it was scheduled."""
    addresses = record.in_state("scheduled")
    if addresses:
        with record.body.open("r") as body:  # its date is the one that it was to leave at
            record.body = Blob(redated(body.read(), now()))
        record.note(None, "queued", explanation=_("Sent at once on request."), by=_by())
        record.start_trying()
        outbox().update(record, dict.fromkeys(addresses, "queued"))
        wake(record)
    return bool(addresses)


def cancel(record):
    """Give up the recipients that no server took yet and none is being asked for; return whether there were any."""
    addresses = record.in_state("scheduled", "queued", "deferred", "held")
    if addresses:
        for address in addresses:
            record.note(address, "cancelled", by=_by())
        outbox().update(record, dict.fromkeys(addresses, "cancelled"))
    return bool(addresses)


def _by():
    return api.user.get_current().getId() or ""
