"""Reads back what an agent wrote, so that a message that was cancelled or did not arrive can be edited and sent again."""

from datetime import datetime
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import is_own
from imio.mailbridge.store.store import now
from plone.uuid.interfaces import IUUID
from zExceptions import NotFound


#: States of a recipient who did not get the message and to whom the bridge no longer tries to send it.
NOT_REACHED = ("failed", "bounced", "cancelled")


def may_decide(record):
    """Tell whether the current user decides about a message: its sender and managers of mail do."""
    return is_own(record) or is_manager()


def can_be_edited(record):
    """Tell whether there is something to edit and to send again."""
    return record.written is not None and bool(record.in_state(*NOT_REACHED))


def record_to_edit(context, id):
    """Return the message ``id`` written from ``context``; errors: ``NotFound``, also where the user may not know of it."""
    record = outbox().get(id) if isinstance(id, str) else None
    if (
        record is None
        or record.document != IUUID(context)
        or not may_decide(record)
        or not can_be_edited(record)
    ):
        raise NotFound(str(id))
    return record


def form_values(record):
    """Return what was entered, as ``ISendingContext.defaults`` does, with the recipients that it did not reach.

    Only the sender gets the blind copies back.
    """
    data = dict(record.written.data)
    wanted = set(record.in_state(*NOT_REACHED))
    for field in ("to", "cc", "bcc"):
        entries = (entry for text in data.get(field) or () for entry in typed_addresses(text))
        data[field] = [
            str(each) for each in entries if isinstance(each, Address) and each.addr_spec in wanted
        ]
    if not is_own(record):
        del data["bcc"]
    later = data.get("send_at") and datetime.fromisoformat(data["send_at"])
    data["send_at"] = later if later and later > now() else None
    return data
