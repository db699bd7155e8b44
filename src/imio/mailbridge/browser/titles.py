"""Titles of states, transfers and proofs, as English msgids."""

from imio.mailbridge.i18n import _
from typing import NamedTuple


OUTGOING = {
    "scheduled": _("scheduled"),
    "queued": _("waiting to be sent"),
    "sending": _("being sent"),
    "sent": _("sent"),
    "deferred": _("will be tried again"),
    "failed": _("not sent"),
    "cancelled": _("cancelled"),
    "held": _("on hold"),
    "bounced": _("returned"),
    "replied": _("answered"),
}
INCOMING = {
    "received": _("received"),
    "filed": _("filed"),
    "recorded": _("noted"),
    "quarantined": _("quarantined"),
    "failed": _("filing failed"),
    "discarded": _("discarded"),
}
TRANSFER = {
    "redirect": _("redirected by a mailbox"),
    "forward": _("forwarded as attachment"),
    "inline-forward": _("forwarded as text"),
    "direct": _("written to this address"),
    "reply": _("answer to our e-mail"),
    "bounce": _("non-delivery report"),
    "auto-reply": _("automatic answer"),
    "receipt": _("read receipt"),
}


def transfer(record):
    """Return how the message of a record came in."""
    if record.handed_in_by and record.transfer == "forward":
        return _("handed in")
    return TRANSFER.get(record.transfer, "")


class ProofTitle(NamedTuple):
    """What a proof is called: in a sentence about one message, and in a list."""

    sentence: str
    noun: str


#: The settings describe them in words of their own, to choose from (``settings.trust.PROOFS``).
PROOF = {
    "": ProofTitle(_("nothing proves where it comes from"), _("no proof")),
    "gateway": ProofTitle(_("it came from a trusted mail server"), _("trusted mail server")),
    "tag": ProofTitle(_("it came to a secret address"), _("secret address")),
    "arc": ProofTitle(_("a listed mail provider sealed it (ARC)"), _("provider's seal")),
    "dkim": ProofTitle(_("the agent's domain signed it (DKIM)"), _("domain signature")),
    "results": ProofTitle(
        _("your own mail server verified the agent's domain"), _("verified by your own mail server")
    ),
    "login": ProofTitle(_("the person who handed it in was logged in"), _("login")),
}
#: Bootstrap's contextual colours; the word beside says the same.
COLOUR = {
    "sent": "success",
    "replied": "success",
    "filed": "success",
    "recorded": "success",
    "failed": "danger",
    "bounced": "danger",
    "quarantined": "warning",
    "held": "warning",
    "deferred": "warning",
}


def colour(state):
    """Return the contextual colour of a state."""
    return COLOUR.get(state, "secondary")
