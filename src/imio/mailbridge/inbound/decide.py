"""Decides what becomes of an incoming message: one pure step, used for filing, dry runs, forwarding checks and replays alike.

``decide`` writes nothing and asks no network. Where only signatures could prove where a message comes from, the decision says so;
``signatures.verify`` asks DNS, and ``decide`` is called once more with the answers. ``apply`` carries a decision out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from imio.mailbridge.inbound.destination import Destination
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.destination import UnknownRecipient
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.proof import from_envelope
from imio.mailbridge.inbound.proof import from_signatures
from imio.mailbridge.inbound.proof import NOTHING
from imio.mailbridge.inbound.proof import UNPROVEN
from imio.mailbridge.inbound.routing import route
from imio.mailbridge.inbound.signatures import Signatures
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.classify import Classification
from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Evidence
from imio.mailbridge.message.classification.classify import original_message
from imio.mailbridge.message.classification.classify import OriginalMessage
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.classification.classify import Transfer
from imio.mailbridge.message.parsing.attachment import Attachment
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.ports.filing import Facts
from imio.mailbridge.ports.filing import Route
from imio.mailbridge.settings.imap import FILE
from imio.mailbridge.settings.imap import LEAVE
from imio.mailbridge.settings.read import Settings


@dataclass(frozen=True)
class Sent:
    """Tells which identifiers belong to our outgoing mail: Message-IDs with their unguessable part, and envelope ids (ENVID).

    ``message_id_at`` returns the Message-ID of the message whose signed reply address is given, or an empty string.
    """

    has_message_id: Callable[[str], bool] = lambda message_id: False
    has_id: Callable[[str], bool] = lambda envelope_id: False
    message_id_at: Callable[[str], str] = lambda address: ""


#: Evidence that nothing proves the agent in whose name a message is written.
UNPROVEN_AUTHOR = "unproven-author"

#: A message of a forwarding check is classified as if a citizen had sent it.
NOTHING_SENT = Sent()


@dataclass(frozen=True)
class Candidate:
    """One message that could be filed, the facts that routing conditions look at, and the route that follows.

    ``added`` are the files of whoever passed the message on.
    """

    original: OriginalMessage
    facts: Facts
    route: Route
    added: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What a person decided: what is set replaces what the message says; ``as_`` is ``proposal`` or ``direct``."""

    as_: str = "proposal"
    sender: Address | None = None
    date: datetime | None = None
    service: str = ""


@dataclass(frozen=True)
class Decision:
    """The fate of a message, and the reasons.

    ``state`` and ``reason`` (a code or empty) are those that its record gets. ``candidates`` stand for the messages of ``found``,
    one each; ``to_file`` are those that are filed. ``tell_forwarder``: the agent who forwarded it is told how to attach.
    ``copy_answer``: the agent who is answered gets a copy. ``asks_signatures``: verified signatures could still prove the message.
    ``author_is_proven``: nothing says that somebody else wrote it in the name of an agent; the mailbox that passed it on proves
    that, and not who wrote it.
    ``unanswered``: DNS did not answer, so that another try may prove it. ``is_ours``: the bridge itself sent it.
    """

    arrived: Destination
    found: Classification
    proof: Proof | None
    verdicts: tuple[dict[str, str], ...]
    candidates: tuple[Candidate, ...]
    state: str
    reason: str = ""
    to_file: tuple[Candidate, ...] = ()
    choice: Choice = Choice()
    tell_forwarder: bool = False
    copy_answer: bool = False
    asks_signatures: bool = False
    unanswered: bool = False
    author_is_proven: bool = True
    is_ours: bool = False

    @property
    def is_unrelated(self) -> bool:
        """Tell whether a login address has no use for the message, so that it stays in the mailbox it was read from.

        That is mail which answers nothing, where the settings leave it, and what the bridge itself has sent there.
        """
        rule, reason = self.arrived.login, self.found.reason
        if rule is None:
            return False
        is_new = self.found.transfer in (Transfer.DIRECT, Transfer.REDIRECT) or reason == "unmatched-report"
        return self.is_ours or (is_new and reason is not None and rule.new_mail == LEAVE)


def decide(
    message: ParsedMessage,
    envelope: Envelope,
    settings: Settings,
    sent: Sent,
    signatures: Signatures | None = None,
    too_many: str = "",
) -> Decision:
    """Return the decision; ``signatures`` are None until they are verified; ``too_many`` is the reason of what is over a limit."""
    arrived = _arrived(envelope, settings)
    proof, verdicts = from_envelope(envelope, arrived, settings)
    if envelope.handed_in_by:
        proof = Proof.LOGIN
    context = _context(envelope, arrived, settings, sent, proof, too_many)
    if not (arrived.answers or envelope.handed_in_by):
        context = replace(context, answers=_answers_in_header(message, sent))
    found, finding = classify(message, context), NOTHING
    if found.is_to_colleagues:
        finding = from_signatures(message, replace(found, reason="unproven-agent"), settings, signatures)
        if finding.proof is not None:
            proof = proof or finding.proof
            context = replace(context, proof=proof, author_is_proven=True)
            found = classify(message, context)
    if found.reason in UNPROVEN and not finding.asks:
        of_author, finding = finding, from_signatures(message, found, settings, signatures)
        finding = replace(
            finding,
            verdicts=of_author.verdicts + finding.verdicts,
            unanswered=of_author.unanswered or finding.unanswered,
        )
        if finding.proof is not None:
            proof = proof or finding.proof
            by_author = found.reason == "unproven-agent"
            context = replace(context, proof=proof, author_is_proven=by_author)
            found = classify(message, context)
    candidates = _candidates(envelope, arrived, found, settings)
    is_filed_here = arrived.login is not None and arrived.login.new_mail == FILE
    if found.reason == "direct" and (is_filed_here or any(each.route.row for each in candidates)):
        found = classify(message, replace(context, accept_direct=True))
    state, reason = _state(arrived, found, bool(envelope.handed_in_by))
    author_proof, author = None if found.transfer is Transfer.REDIRECT else proof, _agent(found, context)
    if author is not None and found.messages[0].is_proposed:
        author_proof = None
    if author is not None and author_proof is None:
        if author == message.author and found.reason is None:
            earlier = finding.verdicts
            finding = from_signatures(message, replace(found, reason="unproven-agent"), settings, signatures)
            author_proof, verdicts = finding.proof, verdicts + earlier
            proof = proof or author_proof
        if author_proof is None:
            evidence = Evidence(UNPROVEN_AUTHOR, author.addr_spec, "note")
            found = replace(found, evidence=(*found.evidence, evidence))
    return Decision(
        arrived,
        found,
        proof,
        verdicts + tuple(each for each in finding.verdicts if each not in verdicts),
        candidates,
        state,
        reason,
        to_file=candidates if state == "filed" else (),
        tell_forwarder=reason == "inline-forward" and settings.ask_sender,
        copy_answer=bool(context.answers) or (arrived.login is not None and arrived.login.copy_to_agent),
        asks_signatures=finding.asks,
        unanswered=finding.unanswered,
        author_is_proven=author_proof is not None or not _needs_author(found),
        is_ours=message.message_id is not None and sent.has_message_id(message.message_id),
    )


def _arrived(envelope: Envelope, settings: Settings) -> Destination:
    """Return where a message arrived; what was handed in arrived at no address."""
    try:
        return Destination() if envelope.handed_in_by else destination(envelope.envelope_recipient, settings)
    except UnknownRecipient:
        return Destination()


def _answers_in_header(message: ParsedMessage, sent: Sent) -> str:
    """Return the Message-ID of the message whose reply address stands in To or Cc, or an empty string.

    A mailbox that is read knows no envelope recipient. The address is signed, so it says no more in the envelope than here.
    """
    return next(filter(None, (sent.message_id_at(each.addr_spec) for each in (*message.to, *message.cc))), "")


def _needs_author(found: Classification) -> bool:
    """Tell whether nobody but its author answers for what is filed: a forward is the word of the forwarding agent."""
    accepted = found.transfer in (Transfer.REDIRECT, Transfer.DIRECT) and found.reason in (None, "encrypted")
    return accepted or found.transfer is Transfer.REPLY


def _agent(found: Classification, context: Context) -> Address | None:
    """Return the agent in whose name a message was written that needs an author, or None."""
    author = found.messages[0].author if _needs_author(found) and found.messages else None
    return author if author is not None and context.is_agent(author.addr_spec) else None


def chosen(
    decision: Decision, message: ParsedMessage, choice: Choice, zone: tzinfo | None = None
) -> Decision:
    """Return the decision of a person: the messages that were found are filed, or the message as it came.

    ``zone`` is that of the town, for a date that names none.
    """
    as_found = choice.as_ == "proposal" and decision.candidates
    to_file = decision.candidates if as_found else (_as_it_came(decision, message, zone),)
    return replace(
        decision,
        state="filed",
        reason="",
        to_file=to_file,
        choice=choice,
        tell_forwarder=False,
        unanswered=False,
    )


def _state(arrived: Destination, found: Classification, is_handed_in: bool) -> tuple[str, str]:
    if found.reports and not found.messages and found.reason is None:
        return "recorded", ""
    if found.reason is not None or not (arrived.address or is_handed_in):
        return "quarantined", found.reason or "no-recipient"
    return "filed", ""


def _as_it_came(decision: Decision, message: ParsedMessage, zone: tzinfo | None) -> Candidate:
    """Return the whole message as a candidate, whatever is attached to it."""
    first = decision.candidates[0].facts if decision.candidates else None
    known = (each for each in decision.found.messages if each.source is message and not each.from_text)
    original = original_message(message, zone)
    if found := next(known, None):
        original = replace(original, author=found.author)
    if answer := next((each for each in decision.found.messages if each.answered), None):
        original = replace(
            original,
            answered=answer.answered,
            is_answer=answer.is_answer,
            at_reply_address=answer.at_reply_address,
        )
    facts = Facts(
        forward="direct",
        transferred_by="",
        author=original.author,
        subject=original.subject or "",
        date=original.date,
        recipient=first.recipient if first else without_secret(decision.arrived.address),
        source_mailbox=first.source_mailbox if first else "",
        service=first.service if first else decision.arrived.service,
    )
    return Candidate(original, facts, Route())


def _context(
    envelope: Envelope,
    arrived: Destination,
    settings: Settings,
    sent: Sent,
    proof: Proof | None,
    too_many: str,
) -> Context:
    return Context(
        agent_patterns=settings.agent_patterns,
        source_mailboxes=frozenset(settings.source_mailboxes),
        tag_mailbox=arrived.tag_mailbox or None,
        proof=proof,
        sent_by_us=sent.has_message_id,
        sent_with_id=sent.has_id,
        about=arrived.about,
        answers=arrived.answers,
        null_sender=envelope.null_sender,
        own_addresses=frozenset(settings.mailin_addresses),
        too_many=too_many,
        inline_forward=settings.inline_forward,
        zone=settings.zone,
        handed_in_by=envelope.handed_in_by,
        depositor=_hander(envelope),
    )


def _hander(envelope: Envelope) -> Address | None:
    """Return the address of who handed the message in, or None where nobody did or the address is not known."""
    known = envelope.handed_in_by and envelope.envelope_sender
    return Address("", envelope.envelope_sender) if known else None


def _candidates(
    envelope: Envelope, arrived: Destination, found: Classification, settings: Settings
) -> tuple[Candidate, ...]:
    transferred_by = found.transferred_by.addr_spec.lower() if found.transferred_by else ""
    source_mailbox = found.source_mailbox or ""
    is_agent = transferred_by and transferred_by not in settings.source_mailboxes
    # an answer that an agent hands in is routed like his other forwards
    alone = {Transfer.DIRECT: "direct", Transfer.REPLY: "reply"}.get(found.transfer)
    forward = None if transferred_by else alone
    if envelope.handed_in_by:
        forward = "agent"
    candidates = []
    for original in found.messages:
        facts = Facts(
            forward=forward or ("agent" if is_agent else "server"),
            transferred_by=transferred_by,
            author=original.author,
            subject=original.subject or "",
            date=original.date,
            recipient=without_secret(envelope.envelope_recipient or arrived.address),
            source_mailbox=source_mailbox,
            service=settings.source_mailboxes.get(source_mailbox) or arrived.service,
        )
        candidates.append(Candidate(original, facts, route(facts, settings), found.files))
    return tuple(candidates)
