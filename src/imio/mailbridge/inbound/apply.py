"""Carries out a decision in the current transaction: files the message, notes its report, or quarantines it; nothing else does."""

from functools import partial
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.inbound import reports
from imio.mailbridge.inbound import verify
from imio.mailbridge.inbound.ask import ask_to_attach
from imio.mailbridge.inbound.ask import tell_of_mailbox
from imio.mailbridge.inbound.copy import copy_to_agent
from imio.mailbridge.inbound.decide import UNPROVEN_AUTHOR
from imio.mailbridge.inbound.forwarding import check as forwarding
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.source import LOST
from imio.mailbridge.message.rendition.written import plain_text
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.ports.filing import Filing
from imio.mailbridge.ports.filing import FilingError
from imio.mailbridge.ports.filing import IFiler
from imio.mailbridge.taskqueue.system_user import system_user
from plone import api
from plone.uuid.interfaces import IUUID
from transaction.interfaces import TransientError
from types import SimpleNamespace
from ZODB.POSException import POSKeyError
from zope.component.hooks import getSite
from zope.i18n import translate
import hashlib
import logging


#: Evidence that an answer came to the reply address of our message from somebody who is not among its recipients.
NOT_A_RECIPIENT = "not-a-recipient"
#: Evidence that another item has the Message-ID, author and date of a message, and another content.
SAME_MESSAGE_ID = "same-message-id"
#: Characters of a text from outside that a record keeps.
MAX_TEXT = 500

logger = logging.getLogger(__name__)


class NotFiled(Exception):
    """Filing raised the cause. What it wrote is to be undone, and the decision applied again with this as its outcome."""


def apply(record, message, decision, values, by_person=False, not_filed=None):
    """Bring a record into the state of a ``Decision`` that was made under the settings ``values``, with all consequences.

    Errors: ``NotFiled``, which is given back as ``not_filed``.
    """
    describe(record, message, decision)
    if record.source_mailbox and decision.proof:
        forwarding.note_arrival(record.source_mailbox, record.created)
    if decision.state == "recorded":
        _note_reports(record, decision)
        _finish(record, "recorded")
    elif decision.state == "quarantined":
        record.reason = decision.reason
        _finish(record, "quarantined", decision.reason)
        if record.reason == "inline-forward" and not by_person:
            _tell_forwarder(record, message, decision, values)
    elif not_filed is not None:
        _leave(record, not_filed.__cause__)
    else:
        _file(record, message, decision, values)


def apply_check(record, message, decision, id, form):
    """Note how the message ``id`` of a forwarding check came back; it is not filed."""
    describe(record, message, decision)
    record.about = id
    forwarding.arrived(record, decision, id, form)
    _finish(record, "recorded")


def fail(record, error):
    """Keep the exception that ended the processing of a record."""
    logger.error("message %s could not be processed", record.id, exc_info=error)
    record.reason = "filing-error"
    lost = isinstance(error, POSKeyError)
    record.error = _translated(LOST) if lost else f"{type(error).__name__}: {error}"[:MAX_TEXT]
    _finish(record, "failed", record.error)


def _translated(text):
    """Return a text in the language of the site, for the record that keeps it."""
    return translate(text, target_language=api.portal.get_default_language())


def describe(record, message, decision):
    """Write down what lists show and what the decision was based on."""
    found = decision.found
    first = found.messages[0] if found.messages else message
    record.transfer = found.transfer.value
    record.reason = record.error = record.about = ""
    record.author = str(first.author or "")[:MAX_TEXT]
    record.subject = masked(first.subject or "")[:MAX_TEXT]
    record.transferred_by = found.transferred_by.addr_spec.lower() if found.transferred_by else ""
    inbox().index_transferrer(record)
    record.source_mailbox = found.source_mailbox or ""
    record.evidence = tuple((each.detector, each.saw[:MAX_TEXT], each.strength) for each in found.evidence)
    is_whole = any(each.original.source is message for each in decision.to_file)
    record.words = "" if is_whole else masked(found.words)
    record.proof = decision.proof.value if decision.proof else ""
    record.verdicts = decision.verdicts
    record.not_before, record.route = None, ()


def filing_of(candidate, decision, received, handed_in_by=""):
    """Return the ``Filing`` of one candidate of a decision; ``received`` is aware, ``handed_in_by`` a userid or empty."""
    original, facts, choice = candidate.original, candidate.facts, decision.choice
    answered = original.answered and outbox().answered(original.answered)
    is_answer = answered and (
        original.at_reply_address or reports.who_answered(answered, original) is not None
    )
    return Filing(
        copy_to=original.source.copy_to,
        author=choice.sender or original.author,
        subject=original.subject or "",
        date=choice.date or original.date,
        received=received,
        service=choice.service or facts.service,
        transferred_by=facts.transferred_by if facts.forward == "agent" else "",
        reply_to=answered.document if is_answer else "",
        attachments=original.attachments,
        added=candidate.added,
        handed_in_by=handed_in_by,
        media_type=original.source.media_type,
        route=None if choice.service else candidate.route,
        facts=facts,
        author_is_proven=(decision.author_is_proven and not original.is_proposed)
        or choice.sender is not None,
        text=partial(plain_text, original.source),
    )


def _file(record, message, decision, values):
    try:
        with system_user():
            items = tuple(_file_one(record, decision, candidate) for candidate in decision.to_file)
    except TransientError:
        raise
    except Exception as error:
        raise NotFiled from error
    record.items = tuple(dict.fromkeys(items))
    for candidate, item in zip(decision.to_file, items, strict=True):
        if candidate.original.answered:
            _note_reply(record, decision, candidate.original, item, values)
    _note_reports(record, decision)
    _finish(record, "filed")
    verify.request(record, (message, *(each.original.source for each in decision.candidates)))


def _leave(record, error):
    """Keep what filing raised, for a person."""
    if isinstance(error, FilingError):
        record.reason = "filing-error"
        record.error = _translated(error.args[0])
        _finish(record, "quarantined", record.error)
    else:
        fail(record, error)


def _tell_forwarder(record, message, decision, values):
    if record.transferred_by in values.source_mailboxes:
        tell_of_mailbox(record.transferred_by)
    elif decision.tell_forwarder:
        ask_to_attach(record, message, decision.proof, values)


def _sha256(filing):
    digest = hashlib.sha256()
    filing.copy_to(SimpleNamespace(write=digest.update))
    return digest.hexdigest()


def _file_one(record, decision, candidate):
    """File one message, or note another transfer of it; return the uid of its item."""
    filing = filing_of(candidate, decision, record.created, record.handed_in_by)
    filer = IFiler(getSite())
    identity = duplicates.identity(candidate.original)
    known = duplicates.known(identity)
    if uid := known.item:
        filer.add_transfer(uid, filing)
    else:
        item, notes = filer.file(filing)
        uid = IUUID(item)
        duplicates.remember(identity, uid)
        if known.others:
            evidence = (SAME_MESSAGE_ID, (candidate.original.message_id or "")[:MAX_TEXT], "note")
            record.evidence = (*record.evidence, evidence)
        inbox().filed[uid] = _sha256(filing)
        for note in notes:
            record.note("filed", text=str(note))
        if filing.route is not None and (filing.route.row or filing.route.state_row):
            record.route = (*record.route, (uid, filing.route.row, filing.route.state_row))
    inbox().index_transfer(uid, record)
    return uid


def _note_reply(record, decision, original, item, values):
    answered = outbox().answered(original.answered)
    is_proven = all(each.detector != UNPROVEN_AUTHOR for each in decision.found.evidence)
    is_by_other = original.at_reply_address and reports.who_answered(answered, original) is None
    if is_by_other:
        evidence = (NOT_A_RECIPIENT, str(original.author or "")[:MAX_TEXT], "note")
        record.evidence = (*record.evidence, evidence)
    copied = reports.was_copied(answered, item) or (
        decision.copy_answer
        and is_proven
        and not is_by_other
        and copy_to_agent(answered, original.source, values)
    )
    record.about = reports.note_reply(answered, original, (item,), copied, is_proven)


def _note_reports(record, decision):
    unmatched = decision.found.reason == "unmatched-report"  # a person filed it as a letter
    envelope_sender = "" if decision.found.transferred_by else record.envelope_sender
    for report in () if unmatched else decision.found.reports:
        senders = (*report.authors, envelope_sender)
        record.about = reports.note_report(report, decision.arrived.about, senders)


def _finish(record, state, text=""):
    record.note(state, text=text)
    inbox().set_state(record, state)
