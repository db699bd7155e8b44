"""Carries out a person's decision on a message that was not filed: replay, accept, discard or restore. Commits by itself.

Of two decisions the first counts; who took the second is told what the first was, and whose.
"""

from datetime import datetime
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.decide import Choice
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.process import Review
from imio.mailbridge.inbound.source import DELETED
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.store.commit import committed
from plone import api
from transaction.interfaces import TransientError
from zope.component import getUtility
from zope.schema.interfaces import IVocabularyFactory
import transaction


class NotPossible(Exception):
    """The decision cannot be carried out; ``status`` is the HTTP status, ``message`` a msgid."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


#: Why a message is discarded: code, as it is kept, → words.
WHY = {
    "advertising": _("Advertising"),
    "known": _("Already received"),
    "not-ours": _("Not for the town"),
    "automatic": _("Automatic message"),
    "other": _("Another reason"),
}
RESTORED = _("restored after it was discarded")

#: What a second decision is told of the first, by the state that the message is in.
_DEALT_WITH = {
    "filed": _("This message has already been dealt with: ${who} filed it (${when})."),
    "recorded": _("This message has already been dealt with: ${who} replayed it (${when})."),
    "discarded": _("This message has already been dealt with: ${who} discarded it (${when})."),
}


def replay(record, data):
    """Process the message another time, by today's rules. Errors: ``NotPossible``."""
    _must_have_bytes(record)
    review = Review(_me(), "replay")
    _carry_out(record, lambda: process(record, review))


def accept(record, data):
    """File the message as a person says: ``data`` may hold ``sender``, ``date``, ``service``, ``as``. Errors: ``NotPossible``."""
    _must_have_bytes(record)
    if record.state not in OPEN:
        raise _dealt_with(record)
    choice = Choice(
        as_=_one_of(data, "as", ("proposal", "direct")),
        sender=_sender(data.get("sender")),
        date=_date(data.get("date")),
        service=service(data.get("service")),
    )
    review = Review(_me(), "accept", choice)
    _carry_out(record, lambda: process(record, review))


def discard(record, data):
    """Drop the message; the bytes stay. ``data`` holds ``why``, a code of ``WHY``, and ``reason``, a text.

    Errors: ``NotPossible``.
    """
    reason, why = data.get("reason") or "", data.get("why") or ""
    if not isinstance(reason, str):
        raise NotPossible(400, _("The reason must be a text."))
    if why:
        _one_of(data, "why", tuple(WHY))
    by = _me()

    def drop():
        if record.state not in OPEN:
            return False
        record.note("discarded", by=by, text=reason[:1000], why=why, was=record.state)
        inbox().set_state(record, "discarded")
        return True

    _carry_out(record, lambda: committed(drop))


def restore(record, data):
    """Bring a discarded message back to what it was. Errors: ``NotPossible``."""
    by = _me()

    def bring_back():
        _must_have_bytes(record)
        if record.state != "discarded":
            return False
        line = next((line for line in reversed(record.history) if line["state"] == "discarded"), {})
        was = line.get("was") or ("failed" if record.error else "quarantined")
        record.note(was, by=by, text=RESTORED)
        inbox().set_state(record, was)
        return True

    if not _in_time(lambda: committed(bring_back)):
        raise NotPossible(409, _("This message is no longer among the discarded ones."))


def _must_have_bytes(record):
    if record.raw is None:
        raise NotPossible(409, DELETED)


def _carry_out(record, decision):
    """Call ``decision``, which tells whether it was in time. Errors: ``NotPossible``, also after too many conflicts."""
    if not _in_time(decision):
        raise _dealt_with(record)


def _in_time(decision):
    try:
        return decision()
    except TransientError:
        transaction.abort()
        raise NotPossible(
            409, _("Too much was being saved at the same time: nothing was changed. Try again in a moment.")
        ) from None


def _dealt_with(record):
    return NotPossible(409, first_decision(record) or _("This message has already been dealt with."))


def first_decision(record):
    """Return in a sentence who dealt with a message and when, or an empty string: it waits, or no person did."""
    line = decided_by(record)
    if not line or record.state not in _DEALT_WITH:
        return ""
    user = api.user.get(userid=line["by"])
    who = (user is not None and user.getProperty("fullname")) or line["by"]
    return _(_DEALT_WITH[record.state], mapping={"who": who, "when": readable_time(line["at"])})


def decided_by(record):
    """Return the line of the history with the person to whom a message owes its state, or None."""
    return next((line for line in reversed(record.history) if line["by"]), None)


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
    return value if value.tzinfo else value.replace(tzinfo=site_zone())


def service(uid):
    """Return the uid of a service that a person chose, or an empty string. Errors: ``NotPossible``."""
    if not uid:
        return ""
    services = getUtility(IVocabularyFactory, "imio.mailbridge.services")(api.portal.get())
    if not isinstance(uid, str) or uid not in services:
        raise NotPossible(400, _("There is no such service."))
    return uid
