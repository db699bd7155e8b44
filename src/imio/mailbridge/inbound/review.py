"""Carries out a person's decision on a message that was not filed: replay, accept or discard. Commits by itself."""

from datetime import datetime
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.decide import Choice
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.process import Review
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.store.commit import committed
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
from transaction.interfaces import TransientError
import transaction


class NotPossible(Exception):
    """The decision cannot be carried out; ``status`` is the HTTP status, ``message`` a msgid."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def replay(record, data):
    """Process the message another time, by today's rules. Errors: ``NotPossible``."""
    review = Review(_me(), "replay")
    _carry_out(lambda: process(record, review))


def accept(record, data):
    """File the message as a person says: ``data`` may hold ``sender``, ``date``, ``service``, ``as``. Errors: ``NotPossible``."""
    if record.state not in OPEN:
        raise _dealt_with()
    choice = Choice(
        as_=_one_of(data, "as", ("proposal", "direct")),
        sender=_sender(data.get("sender")),
        date=_date(data.get("date")),
        service=service(data.get("service")),
    )
    review = Review(_me(), "accept", choice)
    _carry_out(lambda: process(record, review))


def discard(record, data):
    """Drop the message; the bytes stay. ``data`` holds the ``reason``. Errors: ``NotPossible``."""
    reason = data.get("reason") or ""
    if not isinstance(reason, str):
        raise NotPossible(400, _("The reason must be a text."))
    by = _me()

    def drop():
        if record.state not in OPEN:
            return False
        record.note("discarded", by=by, text=reason[:1000])
        inbox().set_state(record, "discarded")
        return True

    _carry_out(lambda: committed(drop))


def _carry_out(decision):
    """Call ``decision``, which tells whether it was in time. Errors: ``NotPossible``, also after too many conflicts."""
    try:
        in_time = decision()
    except TransientError:
        transaction.abort()
        raise NotPossible(
            409, _("Too much was written at the same time: nothing was changed. Try again in a moment.")
        ) from None
    if not in_time:
        raise _dealt_with()


def _dealt_with():
    return NotPossible(409, _("This message was dealt with already."))


def _me():
    return api.user.get_current().getId() or ""


def _one_of(data, key, values):
    value = data.get(key) or values[0]
    if value not in values:
        raise NotPossible(
            400, _("“${key}” must be one of: ${values}", mapping={"key": key, "values": ", ".join(values)})
        )
    return value


def _sender(text):
    if not text:
        return None
    entries = typed_addresses(text) if isinstance(text, str) and text.isprintable() else []
    if len(entries) != 1 or not isinstance(entries[0], Address):
        raise NotPossible(400, _("The sender is not an e-mail address."))
    return entries[0]


def _date(text):
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise NotPossible(400, _("The date must look like 2026-11-23T14:05:00+01:00.")) from None
    return value if value.tzinfo else value.astimezone()


def service(uid):
    """Return the uid of a service that a person chose, or an empty string. Errors: ``NotPossible``."""
    if not uid:
        return ""
    if not isinstance(uid, str) or uuidToCatalogBrain(uid) is None:
        raise NotPossible(400, _("There is no such service."))
    return uid
