"""The dry run: decides on a message by today's settings, like on any other, and writes nothing."""

from dataclasses import dataclass
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.inbound.apply import filing_of
from imio.mailbridge.inbound.decide import Candidate
from imio.mailbridge.inbound.decide import decide
from imio.mailbridge.inbound.decide import Decision
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.destination import UnknownRecipient
from imio.mailbridge.inbound.process import sent_messages
from imio.mailbridge.inbound.signatures import verify
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.ports.filing import IFiler
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.txt_lookup import TxtLookup
from zope.component.hooks import getSite


@dataclass(frozen=True)
class Outcome:
    """One message that would be filed: the ``fields`` of its item, ``notes`` on what its route could not do (msgids).

    ``known_item`` is the uid of the item that was made of the same message before, or empty.
    """

    candidate: Candidate
    fields: dict
    notes: tuple
    known_item: str


@dataclass(frozen=True)
class DryRun:
    """``state`` is one of a record's, or ``refused`` where the mail server would be told that it is no mail-in address."""

    message: ParsedMessage
    decision: Decision
    state: str
    reason: str
    outcomes: tuple[Outcome, ...]

    def result(self):
        """Return in plain values what a test case compares."""
        return {
            "state": self.state,
            "transfer": self.decision.found.transfer.value,
            "reason": self.reason,
            "messages": [
                {
                    "from": str(outcome.candidate.original.author or ""),
                    "subject": outcome.candidate.original.subject or "",
                    "row": outcome.candidate.route.row,
                    "state_row": outcome.candidate.route.state_row,
                    "service": outcome.fields.get("treating_groups") or "",
                    "user": outcome.fields.get("assigned_user") or "",
                }
                for outcome in self.outcomes
            ],
        }


def dry_run(raw, envelope):
    """Return the ``DryRun`` of the bytes ``raw`` in an ``Envelope``, by today's settings. Asks DNS where needed."""
    values, message, sent = settings(), parse(raw), sent_messages()
    decision = decide(message, envelope, values, sent)
    if decision.asks_signatures:
        found = verify(message, TxtLookup(values.dns_resolver))
        decision = decide(message, envelope, values, sent, found)
    state, reason = decision.state, decision.reason
    try:
        destination(envelope.envelope_recipient, values)
    except UnknownRecipient:
        state, reason = "refused", ""
    return DryRun(message, decision, state, reason, tuple(_outcomes(decision)))


def _outcomes(decision):
    filer = IFiler(getSite(), None)
    for candidate in decision.candidates:
        filing = filing_of(candidate, decision, now())
        fields, notes = filer.fields(filing) if filer is not None else ({}, ())
        known = duplicates.known(duplicates.identity(candidate.original))
        yield Outcome(candidate, fields, tuple(notes), known.item)
