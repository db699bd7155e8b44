"""What becomes of a kept message? Classified by the rules of today, then filed, noted on what it reports, or quarantined."""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.inbound import reports as report
from imio.mailbridge.inbound import verify
from imio.mailbridge.inbound.ask import ask_to_attach
from imio.mailbridge.inbound.copy import copy_to_agent
from imio.mailbridge.inbound.examine import examine
from imio.mailbridge.inbound.flood import is_too_many
from imio.mailbridge.inbound.forwarding import check as forwarding
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.proof import TryLater
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.ports.filing import Filing
from imio.mailbridge.ports.filing import FilingError
from imio.mailbridge.ports.filing import IFiler
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue.system_user import system_user
from plone import api
from plone.uuid.interfaces import IUUID
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
from zope.i18n import translate
import logging
import transaction


#: How long a message waits for what cannot be verified now; then it goes to the quarantine.
PATIENCE = timedelta(hours=4)
LATER = "later: "
MAX_SHOWN = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a person decided: what is set replaces what the message says; ``as_`` is ``proposal`` or ``direct``."""

    as_: str = "proposal"
    sender: Address | None = None
    date: datetime | None = None
    service: str = ""


def process(record, choice=None, by_person=False):
    """Bring ``record`` into its next state, in the current transaction; a conflict is raised, all else is a state.

    ``by_person``: somebody asks for it, so that it is not put off and counts for no limit; always so with a ``choice``.
    """
    before = transaction.savepoint(optimistic=True)
    try:
        _process(record, choice, by_person or choice is not None)
    except TransientError:
        raise
    except TryLater as error:
        before.rollback()
        _put_off(record, error)
    except Exception as error:  # noqa: BLE001 - kept, and shown to a person
        before.rollback()
        _fail(record, error)


def _process(record, choice, by_person):
    values = settings()
    with record.raw.open("r") as stream:
        message = parse(stream)
    if check := forwarding.recognise(message):
        _note_check(record, message, values, *check)
        return
    author = message.author.addr_spec.lower() if message.author else ""
    too_many = not by_person and is_too_many(author, record.created, values.max_per_sender)
    final = by_person or now() >= record.created + PATIENCE
    examined = examine(record, message, values, too_many, final)
    _describe(record, message, examined)
    if record.source_mailbox and examined.proof:
        forwarding.seen(record.source_mailbox, record.created)
    state, reason = examined.decision
    if choice is not None:
        _file(record, examined, _chosen(examined, message, choice), choice)
    elif state == "recorded":
        record.about = report.record(examined.found.report, examined.arrived.about)
        _finish(record, "recorded")
    elif state == "quarantined":
        record.reason = reason
        _finish(record, "quarantined", reason)
        if not by_person:
            ask_to_attach(record, message, examined.proof)
    else:
        _file(record, examined, examined.candidates, Choice())
    if record.state == "filed":
        verify.request(record, (message, *(each.original.source for each in examined.candidates)))


def _note_check(record, message, values, id, form):
    """Note how a message of a forwarding check came back, and treat it as a citizen's mail would be, without filing it."""
    examined = examine(record, message, values, final=True, ours_is_foreign=True)
    _describe(record, message, examined)
    record.about = id
    forwarding.arrived(record, examined, id, form)
    _finish(record, "recorded")


def _chosen(examined, message, choice):
    """Return what a person wants to be filed: the messages that were found, or the message as it came."""
    if choice.as_ == "proposal" and examined.candidates:
        return examined.candidates
    return (examined.as_it_came(message),)


def _put_off(record, error):
    """Let the record wait for what could not be verified now; the sweep comes again."""
    waited = sum(1 for line in record.history if line["text"].startswith(LATER))
    record.not_before = now() + timedelta(minutes=min(2**waited, 30))
    record.note("received", text=f"{LATER}{error}"[:MAX_SHOWN])


def _describe(record, message, examined):
    """Write down what a list shows, and what the decision was made of."""
    found = examined.found
    shown = found.messages[0] if found.messages else message
    record.transfer = found.transfer.value
    record.reason = record.error = record.about = ""
    record.author = str(shown.author or "")[:MAX_SHOWN]
    record.subject = (shown.subject or "")[:MAX_SHOWN]
    record.transferred_by = found.transferred_by.addr_spec.lower() if found.transferred_by else ""
    inbox().forwarded(record)
    record.source_mailbox = found.source_mailbox or ""
    record.evidence = tuple((name, saw[:MAX_SHOWN], *rest) for name, saw, *rest in found.evidence)
    record.proof = examined.proof.value if examined.proof else ""
    record.verdicts = examined.verdicts
    record.not_before, record.route = None, ()


def _file(record, examined, candidates, choice):
    before = transaction.savepoint(optimistic=True)
    try:
        with system_user():
            items = tuple(_file_one(record, examined.found, candidate, choice) for candidate in candidates)
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
        record.items = tuple(dict.fromkeys(items))
        if examined.found.answered:
            answered, original = outbox().answered(examined.found.answered), candidates[0].original
            rule = examined.arrived.login
            copied = rule is not None and rule.copy_to_agent and copy_to_agent(answered, original.source)
            record.about = report.replied(answered, original.author, record.items, copied)
        _finish(record, "filed")


def _file_one(record, found, candidate, choice):
    """File one message, or note one more transfer of it; return the uid of its item."""
    filing = filing_of(candidate, found, record.created, choice)
    filer = IFiler(getSite())
    original_key = duplicates.key(candidate.original)
    uid = duplicates.known_item(original_key)
    if uid:
        filer.add_transfer(uid, filing)
    else:
        item, notes = filer.file(filing)
        uid = IUUID(item)
        duplicates.remember(original_key, uid)
        for note in notes:
            record.note("filed", text=note)
        if filing.route is not None and (filing.route.row or filing.route.state_row):
            record.route = (*record.route, (uid, filing.route.row, filing.route.state_row))
    inbox().brought(uid, record)
    return uid


def _fail(record, error):
    logger.error("message %s could not be treated", record.id, exc_info=error)
    record.reason = "filing-error"
    record.error = f"{type(error).__name__}: {error}"[:MAX_SHOWN]
    _finish(record, "failed", record.error)


def filing_of(candidate, found, received, choice):
    """Return what a filer gets of one candidate of the classification ``found``; ``received`` is aware."""
    original, facts = candidate.original, candidate.facts
    return Filing(
        copy_to=original.source.copy_to,
        author=choice.sender or original.author,
        subject=original.subject or "",
        date=choice.date or original.date,
        received=received,
        service=choice.service or facts.service,
        transferred_by=facts.transferred_by if facts.forward == "agent" else "",
        reply_to=outbox().answered(found.answered).document if found.answered else "",
        attachments=original.attachments,
        media_type=original.source.media_type,
        route=None if choice.service else candidate.route,
        facts=facts,
    )


def _finish(record, state, text=""):
    record.note(state, text=text)
    inbox().set_state(record, state)
