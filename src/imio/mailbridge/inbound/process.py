"""What becomes of a kept message? Classified by the rules of today, then filed, noted on what it reports, or quarantined."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from imio.mailbridge.inbound import report
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.interfaces import Filing
from imio.mailbridge.inbound.interfaces import FilingError
from imio.mailbridge.inbound.interfaces import IFiler
from imio.mailbridge.inbound.recipient import Destination
from imio.mailbridge.inbound.recipient import destination
from imio.mailbridge.inbound.recipient import from_trusted_gateway
from imio.mailbridge.inbound.recipient import UnknownRecipient
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classify import classify
from imio.mailbridge.message.classify import compile_agent_patterns
from imio.mailbridge.message.classify import Context
from imio.mailbridge.message.classify import Proof
from imio.mailbridge.message.parse import parse
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.taskqueue.system_user import system_user
from io import BytesIO
from plone import api
from plone.uuid.interfaces import IUUID
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
from zope.i18n import translate
import logging
import transaction


MAX_SHOWN = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a person decided: what is set replaces what the message says; ``as_`` is ``proposal`` or ``direct``."""

    as_: str = "proposal"
    sender: Address | None = None
    date: datetime | None = None
    service: str = ""


def process(record, choice=None):
    """Bring ``record`` into its next state, in the current transaction; a conflict is raised, all else is a state."""
    before = transaction.savepoint(optimistic=True)
    try:
        _process(record, choice)
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 - kept, and shown to a person
        before.rollback()
        _fail(record, error)


def _process(record, choice):
    values = settings()
    try:
        arrived = destination(record.envelope_recipient, values)
    except UnknownRecipient:
        arrived = Destination()
    with record.raw.open("r") as stream:
        message = parse(stream)
    found = classify(message, _context(record, arrived, values))
    _describe(record, message, found)
    if choice is not None:
        originals = found.messages if choice.as_ == "proposal" and found.messages else (message,)
        _file(record, found, originals, choice, arrived, values)
    elif found.report is not None and found.reason is None:
        record.about = report.record(found.report, arrived.about)
        _finish(record, "recorded")
    elif not arrived.address or found.reason is not None:
        record.reason = found.reason or "no-recipient"
        _finish(record, "quarantined", record.reason)
    else:
        _file(record, found, found.messages, Choice(), arrived, values)


def _context(record, arrived, values):
    proof = None
    if from_trusted_gateway(record.client_address, values):
        proof = Proof.GATEWAY
    elif arrived.tag_mailbox is not None:
        proof = Proof.TAG
    return Context(
        agent_patterns=compile_agent_patterns(values.agent_patterns or ()),
        mailboxes=frozenset(row["address"].lower() for row in values.mailboxes or ()),
        tag_mailbox=arrived.tag_mailbox or None,
        proof=proof,
        sent_by_us=outbox().sent_by_us,
        sent_with_id=outbox().__contains__,
        about=arrived.about,
        null_sender=record.null_sender,
        inline_forward=values.inline_forward,
    )


def _describe(record, message, found):
    """Write down what a list shows, and what the decision was made of."""
    shown = found.messages[0] if found.messages else message
    record.transfer = found.transfer.value
    record.reason = record.error = record.about = ""
    record.author = str(shown.author or "")[:MAX_SHOWN]
    record.subject = (shown.subject or "")[:MAX_SHOWN]
    record.transferred_by = found.transferred_by.addr_spec.lower() if found.transferred_by else ""
    record.source_mailbox = found.source_mailbox or ""
    record.evidence = tuple((name, saw[:MAX_SHOWN]) for name, saw in found.evidence)


def _file(record, found, originals, choice, arrived, values):
    before = transaction.savepoint(optimistic=True)
    try:
        with system_user():
            filer = IFiler(getSite())
            filings = [_filing(record, found, original, choice, arrived, values) for original in originals]
            items = tuple(IUUID(filer.file(filing)) for filing in filings)
    except TransientError:
        raise
    except FilingError as error:
        before.rollback()
        record.reason = "filing-error"
        record.error = translate(error.args[0], target_language=api.portal.get_default_language())
        _finish(record, "quarantined", record.error)
    except Exception as error:  # noqa: BLE001 - kept, and shown to a person
        before.rollback()
        _fail(record, error)
    else:
        record.items = items
        if found.answered:
            record.about = report.replied(found.answered, originals[0].author, items)
        _finish(record, "filed")


def _fail(record, error):
    logger.error("message %s could not be treated", record.id, exc_info=error)
    record.reason = "filing-error"
    record.error = f"{type(error).__name__}: {error}"[:MAX_SHOWN]
    _finish(record, "failed", record.error)


def _filing(record, found, original, choice, arrived, values):
    services = {row["address"].lower(): row.get("service") for row in values.mailboxes or ()}
    by_agent = found.transferred_by is not None and record.transferred_by not in services
    answered = outbox().by_message_id.get(found.answered) if found.answered else None
    return Filing(
        raw=partial(BytesIO, original.raw),
        author=choice.sender or original.author,
        subject=original.subject or "",
        date=choice.date or original.date,
        received=record.created,
        service=choice.service or services.get(found.source_mailbox) or arrived.service,
        transferred_by=record.transferred_by if by_agent else "",
        reply_to=outbox().get(answered).document if answered else "",
        attachments=original.attachments,
    )


def _finish(record, state, text=""):
    record.note(state, text=text)
    inbox().set_state(record, state)
