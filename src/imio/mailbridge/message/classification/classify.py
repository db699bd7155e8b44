"""Decides how a message came in, whether it may be filed, and what would be filed.

The first of ``_CASES`` that matches wins. ``transfer`` names the form, proven or not; ``reason``
is why nothing may be filed without a person's decision (a code of ``reason.REASONS``), None when it may.
"""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from enum import StrEnum
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.classification.answerable import bulk_marks
from imio.mailbridge.message.classification.auto_reply import auto_reply
from imio.mailbridge.message.classification.auto_reply import has_null_path
from imio.mailbridge.message.classification.auto_reply import read_auto_reply
from imio.mailbridge.message.classification.bounce import name_recipients
from imio.mailbridge.message.classification.bounce import read_bounce
from imio.mailbridge.message.classification.bounce import read_bounce_of
from imio.mailbridge.message.classification.bounce import read_returned
from imio.mailbridge.message.classification.certified_mail import read_certified_receipt
from imio.mailbridge.message.classification.client import client_of
from imio.mailbridge.message.classification.gmail_confirmation import read_confirmation
from imio.mailbridge.message.classification.inline_forward import Proposal
from imio.mailbridge.message.classification.inline_forward import read_inline_forward
from imio.mailbridge.message.classification.passed_on import own_files
from imio.mailbridge.message.classification.passed_on import own_words
from imio.mailbridge.message.classification.proposed_author import is_replaced
from imio.mailbridge.message.classification.proposed_author import proposed_author
from imio.mailbridge.message.classification.reaction import read_reaction
from imio.mailbridge.message.classification.reason import RESENT_BY_AGENT
from imio.mailbridge.message.classification.redirect import Mark
from imio.mailbridge.message.classification.redirect import redirect_marks
from imio.mailbridge.message.classification.redirect import redirect_traces
from imio.mailbridge.message.classification.redirect import rewritten_author
from imio.mailbridge.message.classification.report import read_complaint_of
from imio.mailbridge.message.classification.report import read_standard_report
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.classification.stand_in import read_stand_in
from imio.mailbridge.message.classification.subject_prefix import is_answer
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.attachment import Attachment
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.doubt import Doubt
from mmap import mmap
from typing import NamedTuple
import re


#: More hops than any real mail makes (Postfix's hopcount_limit).
MAX_HOPS = 50


class Transfer(StrEnum):
    """How a message came in."""

    REDIRECT = "redirect"
    FORWARD = "forward"
    INLINE_FORWARD = "inline-forward"
    DIRECT = "direct"
    REPLY = "reply"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    RECEIPT = "receipt"


#: A complaint (RFC 5965) is to us what a receipt is: what the recipient made of our mail.
_TRANSFER_OF = {
    ReportKind.BOUNCE: Transfer.BOUNCE,
    ReportKind.RECEIPT: Transfer.RECEIPT,
    ReportKind.COMPLAINT: Transfer.RECEIPT,
    ReportKind.AUTO_REPLY: Transfer.AUTO_REPLY,
    ReportKind.REACTION: Transfer.REPLY,
}


class Proof(StrEnum):
    """What proves where a message comes from; determined by the caller, which knows the connection.

    ``GATEWAY``: the client's address is trusted; ``TAG``: the envelope recipient has a secret tag; ``ARC``: a listed sealer;
    ``DKIM``: a signature aligned with the domain of the author; ``RESULTS``: our own mail server verified it. These two prove
    who wrote the message, never who redirected it. ``LOGIN``: who handed the message in was logged in.
    """

    GATEWAY = "gateway"
    TAG = "tag"
    ARC = "arc"
    DKIM = "dkim"
    RESULTS = "results"
    LOGIN = "login"


class Evidence(NamedTuple):
    """What a detector saw; ``strength`` is ``proof``, ``strong`` (a mark that only one program writes), ``weak`` or ``note``."""

    detector: str
    saw: str
    strength: str


@dataclass(frozen=True)
class Context:
    """What is known about a message beside its content.

    ``source_mailboxes`` and ``own_addresses`` (the mail-in addresses) are in lower case; ``tag_mailbox`` is the only source
    mailbox that knows the tag of the envelope recipient; ``sent_by_us`` is True only for a Message-ID of ours with its
    unguessable part, ``sent_with_id`` for an ENVID of ours; ``about`` is the id of the message of ours whose signed bounce
    address is the envelope recipient, or empty; ``answers`` is the Message-ID of the one to whose signed reply address it came, or
    empty; ``null_sender``: the envelope had no sender; ``too_many`` is the reason
    of what is over a limit, or empty. ``inline_forward`` is ``quarantine`` or ``file-proposal``. ``zone`` is the time zone of the
    town, for a date that names none; that of Brussels if None. ``author_is_proven``: a verified signature says that the author
    wrote it. ``handed_in_by`` is the userid of who handed it in on a page, or empty; ``depositor`` is their address, or None.
    """

    agent_patterns: tuple[re.Pattern[str], ...] = ()
    source_mailboxes: frozenset[str] = frozenset()
    tag_mailbox: str | None = None
    proof: Proof | None = None
    sent_by_us: Callable[[str], bool] = field(default=lambda message_id: False)
    sent_with_id: Callable[[str], bool] = field(default=lambda envelope_id: False)
    about: str = ""
    answers: str = ""
    null_sender: bool = False
    own_addresses: frozenset[str] = frozenset()
    too_many: str = ""
    accept_direct: bool = False
    inline_forward: str = "quarantine"
    zone: tzinfo | None = None
    author_is_proven: bool = False
    handed_in_by: str = ""
    depositor: Address | None = None

    def is_agent(self, addr_spec: str) -> bool:
        """Tell whether one of the patterns matches the whole address, in any case."""
        return any(pattern.fullmatch(addr_spec) for pattern in self.agent_patterns)

    def is_source_mailbox(self, addr_spec: str) -> bool:
        """Tell whether the address is a declared source mailbox."""
        return addr_spec.lower() in self.source_mailboxes


@dataclass(frozen=True)
class OriginalMessage:
    """A message to file, of which a document is made.

    ``source`` is the message whose bytes ``raw`` returns: the original, or for an inline forward, which has none, the whole
    message. ``html`` is not safe to show. ``doubts`` are what was guessed and what is wrong with it. ``answered`` is the
    Message-ID of ours that it answers, or None; ``is_answer`` tells whether a citizen may have answered from another address:
    its subject says so, and nobody of ours wrote it; ``at_reply_address``: it came to the reply address of that message, which
    anybody may have got from a recipient. ``from_text``: all but ``source`` was read from the text of a forward.
    """

    author: Address | None
    subject: str | None
    date: datetime | None
    message_id: str | None
    attachments: tuple[Attachment, ...]
    source: ParsedMessage
    text: str | None
    html: str | None
    doubts: tuple[Doubt, ...] = ()
    answered: str | None = None
    is_answer: bool = False
    at_reply_address: bool = False
    from_text: bool = False

    @property
    def is_proposed(self) -> bool:
        """Tell whether ``author`` is the person behind the author of ``source``."""
        return not self.from_text and self.author != self.source.author

    @property
    def raw(self) -> bytes | mmap:
        """Return the bytes exactly as they came."""
        return self.source.raw


@dataclass(frozen=True)
class Classification:
    """The result (see the module): messages to file, and reports on messages of ours to note.

    ``words`` and ``files`` are what the person who passed the messages on wrote and attached beside them.
    ``is_to_colleagues``: it would be a forward by the agent who is its author, if only that were proven.
    """

    transfer: Transfer
    reason: str | None = None
    transferred_by: Address | None = None
    source_mailbox: str | None = None
    messages: tuple[OriginalMessage, ...] = ()
    reports: tuple[Report, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    is_to_colleagues: bool = False
    words: str = ""
    files: tuple[Attachment, ...] = ()

    @property
    def report(self) -> Report | None:
        """Return the first report."""
        return next(iter(self.reports), None)

    @property
    def answered(self) -> str | None:
        """Return the first Message-ID of ours that a message to file answers."""
        return next((each.answered for each in self.messages if each.answered), None)


def classify(message: ParsedMessage, context: Context) -> Classification:
    """Return how ``message`` came in and what would be filed. Never fails."""
    if message.defect is not None:
        return Classification(
            Transfer.DIRECT,
            message.defect,
            messages=(original_message(message, context.zone, context.source_mailboxes),),
        )
    for case in _CASES:
        if (found := case(message, context)) is not None:
            break
    else:
        found = _direct(message, context)
    proposed = _proposed_authors(found, context)
    return replace(
        found, evidence=(*found.evidence, *proposed, *notes(message, context), *_doubts(message, found))
    )


def notes(message: ParsedMessage, context: Context) -> tuple[Evidence, ...]:
    """Return evidence that decides nothing: signs of bulk or automatic mail, the program that wrote it."""
    found = [Evidence("bulk", f"{name}: {value}"[:200], "note") for name, value in bulk_marks(message)]
    if (value := message.header("auto-submitted")) and value.lower() != "no":
        found.append(Evidence("auto-submitted", value[:200], "note"))
    if context.too_many:
        found.append(Evidence(context.too_many, message.author.addr_spec if message.author else "", "strong"))
    if client := client_of(message):
        found.append(Evidence("client", client, "note"))
    return tuple(found)


def _proposed_authors(found: Classification, context: Context) -> tuple[Evidence, ...]:
    """Return who is proposed as sender in place of an author, and the field that says so."""
    return tuple(
        Evidence(
            f"sender-{proposed.field}", f"{original.source.author or ''} → {proposed.author}"[:200], "weak"
        )
        for original in found.messages
        if original.is_proposed
        and (proposed := proposed_author(original.source, context.source_mailboxes)) is not None
    )


def _doubts(message: ParsedMessage, found: Classification) -> tuple[Evidence, ...]:
    """Return what is doubtful about the messages that would be filed; where the end of ``message`` is missing, theirs may be."""
    doubts = [doubt for original in found.messages for doubt in original.doubts]
    if found.messages and message.is_truncated:
        doubts.append(Doubt("truncated"))
    return tuple(Evidence(doubt.code, doubt.saw, "note") for doubt in dict.fromkeys(doubts))


def compile_agent_patterns(patterns: tuple[str, ...] | list[str]) -> tuple[re.Pattern[str], ...]:
    """Return the compiled patterns for ``Context``. Errors: ``re.error``."""
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _hand_in(message: ParsedMessage, context: Context) -> Classification | None:
    # A person decided that this message is filed, whatever forward, redirect or loop it may look like.
    if not context.handed_in_by:
        return None
    found = _handed_in(message, context)
    return replace(
        found,
        reason=_encrypted(found.messages),
        transferred_by=context.depositor,
        source_mailbox=None,
        evidence=(Evidence("handed-in", context.handed_in_by, "proof"), *found.evidence),
    )


def _report(message: ParsedMessage, context: Context) -> Classification | None:
    report = (
        read_standard_report(message)
        or read_certified_receipt(message)
        or read_bounce(message, context.null_sender, context.sent_by_us)
        or read_auto_reply(message, context.null_sender)
        or read_bounce_of(message, context.sent_by_us)
        or read_complaint_of(message, context.sent_by_us)
        or _without_sender(message, context)
    )
    if report is None or _is_hidden_forward(report, message, context):
        return None
    report = name_recipients(report, message)
    if report.kind is ReportKind.AUTO_REPLY and (answered := _answered(message, context)):
        report = replace(report, message_id=answered)
    # no bounce: a reply address is in the hands of people, who could report on each other
    if context.answers and report.kind is not ReportKind.BOUNCE and not _is_about_ours(report, context):
        report = replace(report, message_id=context.answers)
    return Classification(
        _TRANSFER_OF[report.kind],
        None if _is_about_ours(report, context) else "unmatched-report",
        source_mailbox=_redirecting_source_mailbox(message, context),
        reports=(replace(report, authors=tuple(author.addr_spec for author in message.authors)),),
        evidence=_seen(report),
    )


def _is_hidden_forward(report: Report, message: ParsedMessage, context: Context) -> bool:
    """Tell whether an agent passes on what the report was read from: what he forwards says the same words."""
    seen = report.evidence[0][0]
    if seen not in ("subject", "return-path", "returned-message") or not _is_transferrer(message, context):
        return False
    return seen == "returned-message" or bool(attached_messages(message))


def _without_sender(message: ParsedMessage, context: Context) -> Report | None:
    """Return the report in a message with a null envelope sender that is about a message of ours: no person writes such."""
    returned = read_returned(message) if context.about and context.null_sender else None
    answered = _answered(message, context)
    failed = returned is not None and any(each.action for each in returned.recipients)
    if answered and not failed and (context.null_sender or has_null_path(message)):
        return auto_reply(message, (("return-path", "<>"), ("in-reply-to", answered)))
    return returned


def _seen(report: Report) -> tuple[Evidence, ...]:
    return tuple(Evidence(name, saw, "strong") for name, saw in report.evidence)


def _answered(message: ParsedMessage, context: Context) -> str | None:
    """Return the Message-ID of ours that a message answers, or None: one that it names, else that of the reply address."""
    return _named(message, context) or _at_reply_address(message, context)


def _named(message: ParsedMessage, context: Context) -> str | None:
    named = (*message.in_reply_to, *reversed(message.references))
    return next((found for found in named if context.sent_by_us(found)), None)


def _at_reply_address(message: ParsedMessage, context: Context) -> str | None:
    """Return the Message-ID of the message to whose reply address this one came, or None.

    Mail of our own agents and mailboxes is judged as anywhere: it may be a copy for the others, or pass a message on.
    """
    author = message.author.addr_spec if message.author else ""
    is_ours = context.is_agent(author) or context.is_source_mailbox(author)
    return None if is_ours else context.answers or None


def _is_about_ours(report: Report, context: Context) -> bool:
    return bool(
        (report.message_id and context.sent_by_us(report.message_id))
        or (report.envelope_id and context.sent_with_id(report.envelope_id))
        or context.about
    )


def _forward(message: ParsedMessage, context: Context) -> Classification | None:
    if not _is_transferrer(message, context) or _is_to_colleagues(message, context):
        return None
    attached = attached_messages(message)
    if not attached:
        return None
    found = tuple(_handed_in(each.message, context) for each in attached)
    originals = tuple(original for each in found for original in each.messages)
    defect = next((each.message.defect for each in attached if each.message.defect), None)
    transfers = {each.transfer for each in found}
    return Classification(
        transfers.pop() if len(transfers) == 1 else Transfer.FORWARD,
        _loop(message, context) or _unproven_agent(message, context) or defect or _encrypted(originals),
        transferred_by=message.author,
        source_mailbox=_source_mailbox_of(message.author, context),
        messages=originals,
        reports=tuple(report for each in found for report in each.reports),
        evidence=(
            _transferrer(message.author, context),
            *(Evidence("attached", each.form, "strong") for each in attached),
            *(evidence for each in found for evidence in each.evidence),
        ),
        words=own_words(message),
        files=own_files(message, attached),
    )


def _handed_in(message: ParsedMessage, context: Context) -> Classification:
    """Return what an agent attached or handed in: an answer to or a report on a message of ours, or a message to file."""
    inner = replace(context, null_sender=False, about="", answers="", tag_mailbox=None)
    is_ours = message.message_id is not None and context.sent_by_us(message.message_id)
    for case in () if is_ours else (_report, _reply):
        found = case(message, inner)
        if found is not None and found.reason != "unmatched-report":
            return found
    return Classification(
        Transfer.FORWARD, messages=(original_message(message, context.zone, context.source_mailboxes),)
    )


def _inline_forward(message: ParsedMessage, context: Context) -> Classification | None:
    if not _is_transferrer(message, context) or _is_to_colleagues(message, context):
        return None
    proposal = read_inline_forward(message, context.zone)
    evidence: tuple[Evidence, ...] = (_transferrer(message.author, context),)
    if proposal is not None:
        evidence += (Evidence("forwarded-text", proposal.style, "strong"),)
        messages: tuple[OriginalMessage, ...] = (_proposed(message, proposal),)
    elif _source_mailbox_of(message.author, context) and (
        parent := message.header("x-ms-exchange-parent-message-id")
    ):
        # A rule of Exchange forwarded from the source mailbox, in a language that is not recognised.
        evidence += (Evidence("x-ms-exchange-parent-message-id", parent, "strong"),)
        messages = ()
    else:
        return None
    filed = (
        context.inline_forward == "file-proposal"
        and messages
        and not _source_mailbox_of(message.author, context)
    )
    return Classification(
        Transfer.INLINE_FORWARD,
        _loop(message, context) or (_unproven_agent(message, context) if filed else "inline-forward"),
        transferred_by=message.author,
        source_mailbox=_source_mailbox_of(message.author, context),
        messages=messages,
        evidence=evidence,
    )


def _reply(message: ParsedMessage, context: Context) -> Classification | None:
    answered = _answered(message, context)
    if answered is None:
        return None
    author = message.author.addr_spec if message.author else ""
    is_ours = context.is_agent(author) or context.is_source_mailbox(author)
    named, at_address = _named(message, context), _at_reply_address(message, context)
    reaction, original = (
        read_reaction(message, answered),
        replace(
            original_message(message, context.zone, context.source_mailboxes),
            answered=answered,
            # what came to the reply address and names no message of ours may have a subject about anything
            is_answer=named is not None and not is_ours and is_answer(message.subject or ""),
            at_reply_address=at_address == answered,
        ),
    )
    seen = [Evidence("reply", named, "proof")] if named else []
    seen += [Evidence("reply-address", at_address, "proof")] if at_address else []
    return Classification(
        Transfer.REPLY,
        _loop(message, context) or _encrypted((original,)),
        source_mailbox=_redirecting_source_mailbox(message, context),
        messages=() if reaction else (original,),
        reports=(reaction,) if reaction else (),
        evidence=(
            *seen,
            *(_seen(reaction) if reaction else ()),
            *_redirect_evidence(message, context),
        ),
    )


def _redirect(message: ParsedMessage, context: Context) -> Classification | None:
    seen = _redirect_evidence(message, context)
    if not seen:
        return None
    source_mailbox, original = (
        _redirecting_source_mailbox(message, context),
        original_message(message, context.zone, context.source_mailboxes),
    )
    if source_mailbox is None:
        reason: str | None = "undeclared-mailbox"
        agents = filter(context.is_agent, (each.addr_spec for each in message.addresses("resent-from")))
        seen += tuple(Evidence(RESENT_BY_AGENT, agent, "strong") for agent in agents)
    elif context.proof not in (Proof.GATEWAY, Proof.TAG, Proof.ARC):
        reason = "unproven-redirect"
    else:
        reason = _encrypted((original,))
    return Classification(
        Transfer.REDIRECT,
        _loop(message, context) or reason,
        source_mailbox=source_mailbox,
        messages=(original,),
        evidence=seen,
        is_to_colleagues=_is_to_colleagues(message, context) and _looks_forwarded(message, context),
    )


def _looks_forwarded(message: ParsedMessage, context: Context) -> bool:
    return bool(attached_messages(message)) or read_inline_forward(message, context.zone) is not None


def _confirmation(message: ParsedMessage, context: Context) -> Classification | None:
    # Gmail forwards nothing until somebody has followed the link in this mail: an administrator must see it.
    asked = read_confirmation(message)
    if asked is None:
        return None
    return Classification(
        Transfer.DIRECT,
        "forwarding-confirmation",
        messages=(original_message(message, context.zone, context.source_mailboxes),),
        evidence=(Evidence("gmail-confirmation", asked.mailbox or asked.code, "strong"),),
    )


def _stand_in(message: ParsedMessage, context: Context) -> Classification | None:
    # What a server says in place of a message that it cannot read is no message to us.
    hidden = read_stand_in(message)
    if hidden is None:
        return None
    return Classification(
        Transfer.DIRECT,
        "stand-in",
        messages=(original_message(message, context.zone, context.source_mailboxes),),
        evidence=(Evidence("stand-in", f"{hidden.author}: {hidden.subject}"[:200], "strong"),),
    )


def _direct(message: ParsedMessage, context: Context) -> Classification:
    original = original_message(message, context.zone, context.source_mailboxes)
    reason = _encrypted((original,)) if context.accept_direct else "direct"
    return Classification(Transfer.DIRECT, _loop(message, context) or reason, messages=(original,))


_CASES: tuple[Callable[[ParsedMessage, Context], Classification | None], ...] = (
    _hand_in,
    _stand_in,
    _confirmation,
    _report,
    _forward,
    _inline_forward,
    _reply,
    _redirect,
)


def original_message(
    message: ParsedMessage, zone: tzinfo | None = None, source_mailboxes: Iterable[str] = ()
) -> OriginalMessage:
    """Return ``message`` itself as the one to file; ``zone`` and ``source_mailboxes`` as in ``Context``."""
    proposed = proposed_author(message, source_mailboxes)
    return OriginalMessage(
        proposed.author if proposed else message.author,
        message.subject,
        message.date_in(zone),
        message.message_id,
        message.attachments,
        message,
        message.text,
        message.html,
        message.doubts,
    )


def _proposed(message: ParsedMessage, proposal: Proposal) -> OriginalMessage:
    return OriginalMessage(
        proposal.author,
        proposal.subject,
        proposal.date,
        None,
        message.attachments,
        message,
        proposal.body,
        None,
        proposal.doubts,
        from_text=True,
    )


def _is_transferrer(message: ParsedMessage, context: Context) -> bool:
    author = message.author
    if author is None or not (
        context.is_agent(author.addr_spec) or context.is_source_mailbox(author.addr_spec)
    ):
        return False
    person = proposed_author if is_replaced(author) else rewritten_author
    return person(message, context.source_mailboxes) is None


def _transferrer(author: Address | None, context: Context) -> Evidence:
    name = "mailbox" if _source_mailbox_of(author, context) else "agent"
    return Evidence(name, author.addr_spec if author else "", "weak" if context.proof is None else "strong")


def _source_mailbox_of(author: Address | None, context: Context) -> str | None:
    return (
        author.addr_spec.lower()
        if author is not None and context.is_source_mailbox(author.addr_spec)
        else None
    )


def _is_to_colleagues(message: ParsedMessage, context: Context) -> bool:
    """Tell whether an agent wrote to the source mailbox that passed the message on, and nothing proves that it was the agent.

    Anybody can write to a source mailbox, in an agent's name too: that it passed the message on proves nothing about the author.
    """
    mailbox = _passed_on_for(message, context)
    if mailbox is None:
        return False
    addressees = {address.addr_spec.lower() for address in (*message.to, *message.cc)}
    if mailbox not in addressees:
        return False
    # without a mark, a copy that came straight to the mail-in address looks the same
    bare = {*addressees, *map(without_detail, addressees)}
    return bool(_marked_mailbox(message, context)) or context.own_addresses.isdisjoint(bare)


def _passed_on_for(message: ParsedMessage, context: Context) -> str | None:
    """Return the source mailbox that passed on what an agent wrote; None where it is the agent's own, or the author is proven."""
    author = message.author.addr_spec.lower() if message.author else ""
    if (
        not context.is_agent(author)
        or context.author_is_proven
        or context.proof in (Proof.DKIM, Proof.RESULTS)
    ):
        return None
    mailbox = _redirecting_source_mailbox(message, context)
    return mailbox if mailbox != author else None


def _unproven_agent(message: ParsedMessage, context: Context) -> str | None:
    through_mailbox = _marked_mailbox(message, context) and _passed_on_for(message, context)
    return "unproven-agent" if context.proof is None or through_mailbox else None


def _encrypted(originals: tuple[OriginalMessage, ...]) -> str | None:
    return "encrypted" if any(original.source.is_encrypted for original in originals) else None


def _loop(message: ParsedMessage, context: Context) -> str | None:
    own = message.message_id is not None and context.sent_by_us(message.message_id)
    if own or len(message.root.values("received")) > MAX_HOPS:
        return "loop"
    if any(value.lower() in context.own_addresses for value in message.headers("x-loop")):
        return "loop"
    return context.too_many or None


def _redirect_evidence(message: ParsedMessage, context: Context) -> tuple[Evidence, ...]:
    """Return every sign of a redirect: the tag, marks, and traces of a declared source mailbox."""
    tag = (Evidence("tag", context.tag_mailbox, "proof"),) if context.tag_mailbox else ()
    marks = tuple(
        Evidence(each.detector.name, each.value[:200], "strong") for each in redirect_marks(message)
    )
    traces = redirect_traces(message, context.source_mailboxes)
    return (*tag, *marks, *(Evidence(each.detector.name, each.value[:200], "weak") for each in traces))


def _redirecting_source_mailbox(message: ParsedMessage, context: Context) -> str | None:
    """Return the declared source mailbox that passed the message on, or None.

    A mark that names a mailbox takes precedence over To and Cc: a citizen may write to a declared mailbox and to a private one,
    and the private one may pass the mail on.
    """
    if context.tag_mailbox:
        return context.tag_mailbox
    marks = [mark for mark in redirect_marks(message) if mark.detector.names_mailbox]
    if not marks:
        marks = list(redirect_traces(message, context.source_mailboxes))
    return _declared(marks, context)


def _marked_mailbox(message: ParsedMessage, context: Context) -> str | None:
    """Return the declared source mailbox that a mark or the tag names, not only To and the like."""
    return context.tag_mailbox or _declared(redirect_marks(message), context)


def _declared(marks: Iterable[Mark], context: Context) -> str | None:
    named = (address for mark in marks for address in mark.addresses)
    return next((address for address in named if address in context.source_mailboxes), None)
