"""What is this message, by the rules of today? Everything that is known before anything is made of it.

A message that needs another proof than its envelope gives is classified twice, the second time with what DNS says; so is
direct mail, when a row of the routing accepts it.
"""

from dataclasses import dataclass
from dataclasses import replace
from imio.mailbridge.inbound import proof
from imio.mailbridge.inbound.destination import Destination
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.destination import UnknownRecipient
from imio.mailbridge.inbound.routing import route
from imio.mailbridge.message.classification.classify import Classification
from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import itself
from imio.mailbridge.message.classification.classify import OriginalMessage
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.classification.classify import Transfer
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.ports.filing import Facts
from imio.mailbridge.ports.filing import Route
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.settings.imap import FILE
from imio.mailbridge.settings.imap import LEAVE


UNPROVEN = ("unproven-redirect", "unproven-agent")


@dataclass(frozen=True)
class Envelope:
    """What came with the message, as a pipe gives it: of a record, or typed into the dry run."""

    envelope_recipient: str = ""
    envelope_sender: str = ""
    client_address: str = ""
    null_sender: bool = False


@dataclass(frozen=True)
class Candidate:
    """One message that could be filed, what conditions can look at, and what the routing decides."""

    original: OriginalMessage
    facts: Facts
    route: Route


@dataclass(frozen=True)
class Examined:
    """What was found out; ``candidates`` stand for the messages of ``found``, one each; ``own``: the bridge sent it itself."""

    arrived: Destination
    found: Classification
    proof: Proof | None
    verdicts: tuple[dict, ...]
    candidates: tuple[Candidate, ...]
    own: bool = False

    @property
    def is_unrelated(self):
        """Tell whether a login address has no use for the message, so that it stays where it is, if it is in a mailbox.

        That is mail which answers nothing, where the settings leave it, and what the bridge itself has sent there.
        """
        rule, reason = self.arrived.login, self.found.reason
        if rule is None:
            return False
        new = self.found.transfer in (Transfer.DIRECT, Transfer.REDIRECT)
        unrelated = new or reason == "unmatched-report"
        return (unrelated and reason is not None and rule.new_mail == LEAVE) or self.own

    @property
    def decision(self):
        """Return the state that a record gets when no person decides, and its reason code or an empty string."""
        if self.found.report is not None and self.found.reason is None:
            return "recorded", ""
        if self.found.reason is not None or not self.arrived.address:
            return "quarantined", self.found.reason or "no-recipient"
        return "filed", ""

    def as_it_came(self, message):
        """Return the whole message as a candidate, whatever is attached to it."""
        first = self.candidates[0].facts if self.candidates else None
        original = itself(message)
        facts = Facts(
            forward="direct",
            transferred_by="",
            author=original.author,
            subject=original.subject or "",
            date=original.date,
            recipient=first.recipient if first else self.arrived.address,
            mailbox=first.mailbox if first else "",
            service=first.service if first else self.arrived.service,
        )
        return Candidate(original, facts, Route())


def examine(envelope, message, values, too_many=False, final=False, offline=False, ours_is_foreign=False):
    """Return what ``message`` is; ``envelope`` is a record or an ``Envelope``.

    ``ours_is_foreign``: a message that the bridge sent is looked at as if a citizen had sent it.
    ``offline``: DNS is not asked, as for a page that shows what was found before. Errors: ``proof.TryLater`` when a proof cannot
    be verified now, unless this is the ``final`` try.
    """
    try:
        arrived = destination(envelope.envelope_recipient, values)
    except UnknownRecipient:
        arrived = Destination()
    given, verdicts = proof.given(envelope, arrived, values)
    context = _context(envelope, arrived, values, given, too_many)
    if ours_is_foreign:
        context = replace(context, sent_by_us=lambda message_id: False)
    found = classify(message, context)
    if found.reason in UNPROVEN and not offline:
        try:
            given, more = proof.looked_up(envelope, message, found, values)
        except proof.TryLater as error:
            if not final:
                raise
            given, more = None, error.verdicts
        verdicts += more
        if given is not None:
            context = replace(context, proof=given)
            found = classify(message, context)
    candidates = _candidates(envelope, arrived, found, values)
    filed = arrived.login is not None and arrived.login.new_mail == FILE
    if found.reason == "direct" and (filed or any(each.route.row for each in candidates)):
        found = classify(message, replace(context, accept_direct=True))
    own = message.message_id is not None and outbox().sent_by_us(message.message_id)
    return Examined(arrived, found, given, verdicts, candidates, own)


def _context(envelope, arrived, values, given, too_many):
    return Context(
        agent_patterns=compile_agent_patterns(values.agent_patterns or ()),
        mailboxes=frozenset(row["address"].lower() for row in values.mailboxes or ()),
        tag_mailbox=arrived.tag_mailbox or None,
        proof=given,
        sent_by_us=outbox().sent_by_us,
        sent_with_id=outbox().__contains__,
        about=arrived.about,
        null_sender=envelope.null_sender,
        own_addresses=frozenset(row["address"].lower() for row in values.mailin_addresses or ()),
        too_many=too_many,
        inline_forward=values.inline_forward,
        zone=site_zone(),
    )


def _candidates(envelope, arrived, found, values):
    services = {row["address"].lower(): row.get("service") or "" for row in values.mailboxes or ()}
    transferred_by = found.transferred_by.addr_spec.lower() if found.transferred_by else ""
    mailbox = found.source_mailbox or ""
    forward = {Transfer.DIRECT: "direct", Transfer.REPLY: "reply"}.get(found.transfer)
    candidates = []
    for original in found.messages:
        facts = Facts(
            forward=forward or ("agent" if transferred_by and transferred_by not in services else "server"),
            transferred_by=transferred_by,
            author=original.author,
            subject=original.subject or "",
            date=original.date,
            recipient=envelope.envelope_recipient or arrived.address,
            mailbox=mailbox,
            service=services.get(mailbox) or arrived.service,
        )
        candidates.append(Candidate(original, facts, route(facts, values)))
    return tuple(candidates)
