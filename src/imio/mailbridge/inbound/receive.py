"""Takes a delivery: its bytes are stored and committed first, then processed, then answered.

::

    bytes ── blob, record ── commit ── process (commits by itself) ── answer
            ✝1                       ✝2                             ✝3
    ✝1 nothing is kept; the pipe got no answer and tries later
    ✝2 the record is ``received``: the next delivery of the same bytes, or the sweep, goes on with it
    ✝3 processed; the pipe tries later and gets the state as its answer

Conflicts are not reported to the pipe: storing and processing are repeated, and a message that cannot be processed is left to the
sweep. A record whose bytes cannot be read back after the commit is refused: the pipe tries later, and its bytes mend it.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import replace
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.decide import decide
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.destination import UnknownRecipient
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import InboundMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import receive_bytes
from imio.mailbridge.inbound.inbox import record_id
from imio.mailbridge.inbound.inbox import TooLarge
from imio.mailbridge.inbound.process import coming
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.process import sent_messages
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.store.blobs import is_readable
from imio.mailbridge.store.commit import committed
from imio.mailbridge.taskqueue import add
from imio.mailbridge.taskqueue.queue import FILING
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
import logging
import transaction


MEDIA_TYPE = "message/rfc822"

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The delivery is refused with this HTTP ``status``; ``message`` says why, ``facts`` what else the answer holds."""

    def __init__(self, status, message, **facts):
        super().__init__(message)
        self.status = status
        self.message = message
        self.facts = facts


@dataclass(frozen=True)
class Left:
    """A message that was not kept, since its login address has no use for it, with the key that it would have had."""

    id: str
    sha256: str


def receive(request, values):
    """Take a delivery; return (HTTP status, record or ``Left``). Commits by itself. Errors: ``Refused``."""
    if media_type(request) != MEDIA_TYPE:
        raise Refused(415, _("The message must be sent with Content-Type: message/rfc822."))
    recipient = _envelope_address(request, "X-Envelope-Recipient")
    if recipient and not (values.mailin_addresses or values.imap_mailboxes or inbox().retired):
        raise Refused(503, _("No mail-in address is set in the control panel yet."))
    if (stated_size(request) or 0) > values.max_size:
        raise _too_large(values.max_size)
    preferences = (request.getHeader("Prefer") or "").lower()
    envelope = Envelope(
        recipient,
        _envelope_address(request, "X-Envelope-Sender", strict=False),
        client_address(request),
        request.getHeader("X-Envelope-Sender", "?").strip() in ("", "<>"),
    )
    return take(
        request.get("BODYFILE") or request.stdin,
        envelope,
        values,
        may_leave="leave-unrelated" in preferences,
        asynchronous="respond-async" in preferences,
    )


def take(stream, envelope, values, may_leave=False, asynchronous=False):
    """Keep the message in ``stream`` (seekable) and process it; return (HTTP status, record or ``Left``). Commits by itself.

    ``may_leave``: the message stays where it comes from if its login address has no use for it. Errors: ``Refused``.
    """
    recipient = envelope.envelope_recipient
    try:
        recipient = recipient or destination("", values).address
        destination(recipient, values)
    except UnknownRecipient:
        raise Refused(
            422, _("“${address}” is not a mail-in address.", mapping={"address": masked(recipient)})
        ) from None
    return keep(stream, replace(envelope, envelope_recipient=recipient), values, may_leave, asynchronous)


def keep(stream, envelope, values, may_leave=False, asynchronous=False):
    """Do what ``take`` does for an envelope that needs no mail-in address, or has one."""
    with nullcontext() if asynchronous else coming():
        return _keep_and_process(stream, envelope, values, may_leave, asynchronous)


def _keep_and_process(stream, envelope, values, may_leave, asynchronous):
    is_new, record = committed(lambda: _keep(stream, envelope, values, may_leave, asynchronous))
    if not is_new:
        return 200, record
    if not is_readable(record.raw):
        raise Refused(503, _("The message could not be read again after it was stored. Try again later."))
    if asynchronous:
        return 202, record
    try:
        process(record)
    except TransientError:
        transaction.abort()
        logger.warning(
            "message %s met too many conflicts; it is kept, and the sweep goes on with it", record.id
        )
    return (201 if record.state in ("filed", "recorded") else 202), record


def _keep(stream, envelope, values, may_leave, asynchronous):
    """Return whether a record is to be processed, and the record or ``Left``."""
    stream.seek(0)
    blob, sha256, size = _copy(stream, values.max_size)
    id = record_id(sha256, envelope)
    box = inbox()
    record = box.get(id)
    if record is not None and record.raw is not None and not is_readable(record.raw):
        record.raw = blob
        record.note("received", text="the bytes were lost on disk and came again")
        box.set_state(record, "received" if record.state == "failed" else record.state)
    if record is not None and record.state != "received":
        return False, record
    if record is None:
        if may_leave and _is_unrelated(blob, envelope, values):
            return False, Left(id, sha256)
        record = InboundMessage(id, blob, sha256, size, envelope)
        box.add(record)
    if asynchronous:
        wake(record)
    return True, record


def _copy(stream, max_size):
    """Return (blob, sha256, size) of a stream. Errors: ``Refused`` for an empty or too large one."""
    try:
        blob, sha256, size = receive_bytes(stream, max_size)
    except TooLarge:
        raise _too_large(max_size) from None
    if not size:
        # the self-test of the pipe asks in this way what the site takes
        empty = _("The body is empty: the message must be sent as the body of the request.")
        raise Refused(400, empty, max_size=max_size)
    return blob, sha256, size


def _too_large(max_size):
    return Refused(413, _("The message is larger than ${limit} bytes.", mapping={"limit": max_size}))


def _is_unrelated(blob, envelope, values):
    """Tell whether a login address has no use for a message; one that cannot be looked at is kept."""
    try:
        with blob.open("r") as stream:
            return decide(parse(stream), envelope, values, sent_messages()).is_unrelated
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 - kept, it becomes a record that says what is wrong
        logger.exception(
            "a message for %s could not be looked at before it was kept", masked(envelope.envelope_recipient)
        )
        return False


def wake(record):
    """Queue the processing of a record for after the commit."""
    path = "/".join(getSite().getPhysicalPath())
    add(f"{path}/@@mailbridge-process", "POST", params={"id": record.id}, queue=FILING)


def media_type(request):
    """Return the media type of the request's body, without its parameters, in lower case."""
    return (request.getHeader("Content-Type") or "").partition(";")[0].strip().lower()


def stated_size(request):
    """Return the length of the request's body in bytes as its header says, or None where that says nothing."""
    stated = request.environ.get("CONTENT_LENGTH") or ""
    return int(stated) if stated.isdecimal() else None


def client_address(request):
    """Return the address of the client that brought the message to the mail host, as the pipe says, or an empty string."""
    return (request.getHeader("X-Client-Address") or "").strip()[:64]


def _envelope_address(request, header, strict=True):
    value = (request.getHeader(header) or "").strip().removeprefix("<").removesuffix(">").lower()
    if value and not is_addr_spec(value):
        if strict:
            raise Refused(400, _("${header} is not an e-mail address.", mapping={"header": header}))
        return ""
    return value
