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
    "redirect": Outcome(True, _("It arrived unchanged and proven: mail of citizens is filed.")),
    "attachment": Outcome(
        True,
        _("It arrived as an attachment and proven: mail of citizens is filed."),
        _("A redirect is better: an attachment loses some of the marks of the way."),
        M365_REDIRECT,
    ),
    "redirect-unproven": Outcome(
        False,
        _(
            "It arrived unchanged, but nothing proves that this mailbox passed it on: mail of citizens is quarantined."
        ),
        _(
            "Make a secret address for this mailbox and let it forward there, or add the mail server that hands the mail over to "
            "the trusted mail servers."
        ),
        PROVE,
    ),
    "redirect-undeclared": Outcome(
        False,
        _(
            "It arrived unchanged, but the marks of the way name another mailbox, which is not declared: mail is quarantined."
        ),
        _("Add the mailbox that is named to the source mailboxes, or let this one forward by itself."),
        M365_HOP,
    ),
    "unmarked": Outcome(
        False,
        _(
            "It arrived, but nothing in it says through which mailbox: mail of citizens is quarantined as direct mail."
        ),
        _(
            "Make a secret address for this mailbox and let it forward there: the address itself then says it."
        ),
        PROVE,
    ),
    "attachment-unproven": Outcome(
        False,
        _(
            "It arrived as an attachment, but nothing proves that this mailbox sent it: mail of citizens is quarantined."
        ),
        _("Let the mailbox redirect instead of forward, to a secret address."),
        PROVE,
    ),
    "text": Outcome(
        False,
        _(
            "It arrived as a text forward: sender, date and attachments of citizens are lost, their mail is quarantined."
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
        _("It came back: the mailbox, or the address that it forwards to, does not take mail."),
        _(
            "Check the address of the mailbox and the address that it forwards to; the words of the server are below."
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
            "Check that the mailbox forwards at all, and where to. Microsoft 365 drops a mail without a word that was forwarded "
            "automatically before: let each mailbox forward directly. An error report may wait at the login address."
        ),
        M365_HOP,
    ),
}
