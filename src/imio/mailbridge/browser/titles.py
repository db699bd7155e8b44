"""What are states and transfers called? English msgids for people."""

from imio.mailbridge.i18n import _


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
