"""The outcomes of a forwarding check: what each means, and what to do."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _


@dataclass(frozen=True)
class Guide:
    """Where the steps stand: ``file`` in ``guides/<language>``, ``section`` its title in English."""

    file: str
    section: str

    @property
    def title(self):
        """Return the name of the guide for people."""
        return TITLES[self.file]


TITLES = {
    "microsoft-365": _("Microsoft 365"),
    "forwarding-check": _("Forwarding check"),
}


@dataclass(frozen=True)
class Outcome:
    """``good``: mail of citizens is filed; None while that is not known. ``sentence`` and ``remedy`` are msgids."""

    good: bool | None
    sentence: str
    remedy: str = ""
    guide: Guide | None = None


M365_ALLOW = Guide("microsoft-365", _("Allow external forwarding"))
M365_REDIRECT = Guide("microsoft-365", _("Rule that redirects"))
M365_HOP = Guide("microsoft-365", _("One hop only"))
PROVE = Guide("forwarding-check", _("Prove where it comes from"))

OUTCOMES = {
    "waiting": Outcome(None, _("The message is on its way.")),
    "redirect": Outcome(True, _("It arrived unchanged and proven: citizens' mail is filed.")),
    "attachment": Outcome(
        True,
        _("It arrived as an attachment and proven: citizens' mail is filed."),
        _("A redirect is better: an attachment loses some traces of the route."),
        M365_REDIRECT,
    ),
    "redirect-unproven": Outcome(
        False,
        _(
            "It arrived unchanged, but nothing proves that this mailbox passed it on: citizens' mail is quarantined."
        ),
        _(
            "Make a secret address for this mailbox and have it forward there, or add the mail server that hands the mail over "
            "to the trusted mail servers."
        ),
        PROVE,
    ),
    "redirect-undeclared": Outcome(
        False,
        _(
            "It arrived unchanged, but the traces of the route name another mailbox, which is not declared: mail is "
            "quarantined."
        ),
        _("Add the mailbox that is named to the source mailboxes, or have this one forward directly."),
        M365_HOP,
    ),
    "unmarked": Outcome(
        False,
        _(
            "It arrived, but nothing in it says through which mailbox: citizens' mail is quarantined as direct mail."
        ),
        _(
            "Make a secret address for this mailbox and have it forward there: the address itself then identifies it."
        ),
        PROVE,
    ),
    "attachment-unproven": Outcome(
        False,
        _(
            "It arrived as an attachment, but nothing proves that this mailbox sent it: citizens' mail is quarantined."
        ),
        _("Have the mailbox redirect instead of forward, to a secret address."),
        PROVE,
    ),
    "text": Outcome(
        False,
        _(
            "It arrived as a text forward: the sender, date and attachments of citizens' mail are lost, and it is quarantined."
        ),
        _("Change the rule of the mailbox from “forward” to “redirect”."),
        M365_REDIRECT,
    ),
    "quarantined": Outcome(
        False,
        _("It arrived, but mail that comes like this is quarantined."),
        _("Open the message in the list of incoming mail: it says why."),
        Guide("forwarding-check", _("What the check says")),
    ),
    "bounced-external": Outcome(
        False,
        _(
            "The mail server of the mailbox forbids forwarding to the outside. Citizens get an error report for each mail."
        ),
        _("Allow external forwarding for this mailbox in the outbound spam policy of Microsoft 365."),
        M365_ALLOW,
    ),
    "bounced": Outcome(
        False,
        _("It came back: the mailbox, or the address that it forwards to, does not accept mail."),
        _(
            "Check the address of the mailbox and the address that it forwards to; the server's words are below."
        ),
        Guide("forwarding-check", _("What the check says")),
    ),
    "not-sent": Outcome(
        False,
        _("The message could not be sent to the mailbox."),
        _("Try the SMTP account with the diagnosis, and check the address of the mailbox."),
        Guide("forwarding-check", _("What the check says")),
    ),
    "lost": Outcome(
        False,
        _("It did not arrive."),
        _(
            "Check that the mailbox forwards at all, and where to. Microsoft 365 silently drops mail that has already been "
            "forwarded automatically: have each mailbox forward directly. An error report may be waiting at the login address."
        ),
        M365_HOP,
    ),
}
