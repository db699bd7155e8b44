"""Verifies the signatures of a message (DKIM, ARC) against DNS, and turns the verdicts into plain values for its record.

Keys change, so the verdicts of the day on which a message came stay its evidence. DNS is asked outside of transactions.
"""

from dataclasses import dataclass
from imio.mailbridge.message.authentication.signatures import arc_verdict
from imio.mailbridge.message.authentication.signatures import dkim_verdicts
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.transport.txt_lookup import TxtLookup
from typing import Any


@dataclass(frozen=True)
class Signatures:
    """The verdicts on one message."""

    dkim: tuple[Verdict, ...] = ()
    arc: Verdict = Verdict("arc", "none")

    @property
    def are_unanswered(self) -> bool:
        """Tell whether DNS did not answer for one of them."""
        return any(each.result == "temperror" for each in (*self.dkim, self.arc))


#: What a message without signatures has.
UNSIGNED = Signatures()


def is_signed(message: ParsedMessage) -> bool:
    """Tell whether there is anything to verify."""
    return any(message.root.values(name) for name in ("dkim-signature", "arc-seal"))


def verify(message: ParsedMessage, lookup: TxtLookup) -> Signatures:
    """Return the verdicts on the signatures of a message; asks DNS."""
    if not is_signed(message):
        return UNSIGNED
    return Signatures(dkim_verdicts(message, lookup), arc_verdict(message, lookup))


def as_dict(verdict: Verdict) -> dict[str, str]:
    """Return a verdict as records keep it and pages show it."""
    return {
        "method": verdict.method,
        "result": verdict.result,
        "about": verdict.domain,
        "detail": verdict.detail,
    }


def stored(signatures: Signatures) -> dict[str, Any]:
    """Return signatures in plain values, for a record."""
    return {"dkim": tuple(map(as_dict, signatures.dkim)), "arc": as_dict(signatures.arc)}


def restored(values: dict[str, Any] | None) -> Signatures | None:
    """Return the signatures of plain values, or None where none were verified."""
    if values is None:
        return None
    return Signatures(tuple(map(_verdict, values["dkim"])), _verdict(values["arc"]))


def _verdict(values: dict[str, str]) -> Verdict:
    return Verdict(values["method"], values["result"], values["about"], values["detail"])
