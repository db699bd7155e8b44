"""The table of what SMTP answers mean; the first row that fits an answer decides.

Enhanced codes are those of RFC 3463 and RFC 7504; Microsoft's are from its lists of non-delivery reports.
"""

from dataclasses import dataclass
from dataclasses import replace
from enum import Enum
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.secrets import FOR_ANOTHER
import re


class Outcome(Enum):
    """The consequence of an answer."""

    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    SENDER_REFUSED = "sender refused"
    CONFIGURATION = "configuration"


@dataclass(frozen=True)
class Answer:
    """A row: ``codes``, ``stages`` and ``text`` say which replies it fits; ``explanation`` is for agents, ``remedy`` for admins."""

    name: str
    outcome: Outcome
    explanation: str = ""
    remedy: str = ""
    codes: str = r"\d+"
    stages: frozenset = frozenset()
    text: str = ""

    def fits(self, reply):
        """Tell whether this row is about ``reply``."""
        return (
            (not self.stages or reply.stage in self.stages)
            and re.fullmatch(self.codes, str(reply.code)) is not None
            and re.search(self.text, reply.text, re.IGNORECASE) is not None
        )


_ENVELOPE = frozenset({"mail", "rcpt", "data"})
_TO_RECIPIENT = frozenset({"rcpt", "data"})

_LOGIN_WANTED = Answer(
    "login-wanted",
    Outcome.CONFIGURATION,
    _(
        "The mail server wants a login before it takes mail. Your message is kept and leaves once this is right."
    ),
    _(
        "Enter login and password in the control panel, and check the encryption: servers offer no login without it."
    ),
    r"53[0458]",
)
_SENDER_REFUSED = Answer(
    "sender-refused",
    Outcome.SENDER_REFUSED,
    _(
        "The mail server does not let iA.docs send under this sender address: the mail provider has not given it the right "
        "(Send As)."
    ),
    _(
        "Either ask the mail provider for the right to send as this address (Send As), or choose in the control panel that the "
        "login address sends and answers go to the agent."
    ),
    r"5\d\d",
    _ENVELOPE,
    r"^5\.7\.60\b|^5\.2\.252\b|SendAsDenied|not owned by user|sender address rejected|not allowed to send as"
    r"|sender (?:is )?not (?:allowed|authori[sz]ed)|^5\.1\.[78]\b|^5\.7\.27\b|does not match (?:the )?authenticated",
)

ANSWERS = (
    Answer("sent", Outcome.SENT, codes=r"2\d\d", stages=frozenset({"data"})),
    Answer(
        "bytes-lost",
        Outcome.PERMANENT,
        _("The message could not be read on the iA.docs server. Write it again."),
        _("The file of the message is gone: check the disk and the backup of the blobs."),
        "0",
        frozenset({"store"}),
    ),
    Answer(
        "error",
        Outcome.TEMPORARY,
        _("iA.docs met an error while it was sending. The bridge tries again by itself."),
        _("The log of the server holds the error with its traceback: send it to who maintains iA.docs."),
        "0",
        frozenset({"bridge"}),
    ),
    # our account does not work: all its mail waits
    Answer(
        "secret-for-another",
        Outcome.CONFIGURATION,
        FOR_ANOTHER,
        _(
            "The administrator of the iA.docs server names the mail server in MAILBRIDGE_SMTP_HOST, beside the password. Or enter "
            "again, in the control panel, the mail server that is named there."
        ),
        "0",
        frozenset({"secret"}),
        f"^{re.escape(FOR_ANOTHER)}$",
    ),
    Answer(
        "secret-unreadable",
        Outcome.CONFIGURATION,
        _(
            "The file with the password of the mail server cannot be read. Your message is kept and leaves once this is right."
        ),
        _("Check the path and the rights of the file that MAILBRIDGE_SMTP_PASSWORD_FILE names."),
        "0",
        frozenset({"secret"}),
    ),
    Answer(
        "certificate",
        Outcome.CONFIGURATION,
        _(
            "The mail server's certificate could not be verified. Your message is kept and leaves once this is right."
        ),
        _(
            "Check the name of the server. For a certificate of the town's own authority, name its file in the control panel. A "
            "certificate that has expired must be renewed by the mail provider."
        ),
        "0",
        frozenset({"tls"}),
    ),
    Answer(
        "no-encryption",
        Outcome.CONFIGURATION,
        _(
            "The mail server does not offer the encryption that is set. Your message is kept and leaves once this is right."
        ),
        _("Check port and encryption in the control panel: 587 with STARTTLS, 465 with TLS from the start."),
        r"[25]\d\d",
        frozenset({"tls"}),
    ),
    Answer(
        "token-refused",
        Outcome.CONFIGURATION,
        _(
            "The mail server refused the login of iA.docs. Your message is kept and leaves once this is right."
        ),
        _(
            "The provider gave a token and the mail server refused it. Check the login; then ask the provider whether the "
            "application may send by this mailbox (Microsoft 365: SMTP.SendAsApp, and the application registered in Exchange "
            "Online with access to the mailbox)."
        ),
        r"5\d\d",
        frozenset({"auth"}),
        r"\(XOAUTH2\)$",
    ),
    Answer(
        "password-retired",
        Outcome.CONFIGURATION,
        _(
            "The mail server no longer accepts a password. Your message is kept and leaves once this is right."
        ),
        _(
            "The provider wants OAuth 2.0: let it register an application for iA.docs, then choose OAuth 2.0 in the control panel."
        ),
        r"5\d\d",
        text=r"^5\.7\.30\b|^5\.7\.139\b|basic authentication is (?:disabled|not supported)|SmtpClientAuthentication is disabled",
    ),
    Answer(
        "token",
        Outcome.CONFIGURATION,
        _("The mail provider gave iA.docs no access. Your message is kept and leaves once this is right."),
        _(
            "Check token endpoint, client ID, client secret and scope in the control panel; a client secret expires."
        ),
        r"[345]\d\d",
        frozenset({"oauth"}),
    ),
    Answer(
        "login-refused",
        Outcome.CONFIGURATION,
        _(
            "The mail server refused the login of iA.docs. Your message is kept and leaves once this is right."
        ),
        _(
            "Correct login and password in the control panel. Some providers want an application password here."
        ),
        r"5\d\d",
        frozenset({"auth"}),
    ),
    _LOGIN_WANTED,
    replace(
        _LOGIN_WANTED,
        codes=r"5\d\d",
        text=r"not authenticated|authentication (?:is )?(?:required|needed)|must (?:authenticate|log ?in) first",
    ),
    Answer(
        "no-service",
        Outcome.CONFIGURATION,
        _("The mail server does not talk to iA.docs. Your message is kept and leaves once this is right."),
        _(
            "The server refuses the connection as a whole: check its name and port, then ask the mail provider whether the "
            "address of the iA.docs server is allowed or blocked."
        ),
        r"5\d\d",
        frozenset({"connect"}),
    ),
    # the sender
    _SENDER_REFUSED,
    replace(
        _SENDER_REFUSED,
        stages=frozenset({"mail"}),
        text=r"^5\.7\.\d+\b|^5\.1\.0\b|relay|denied|not permitted",
    ),
    # later
    Answer(
        "not-reached",
        Outcome.TEMPORARY,
        _("The mail server could not be reached. The bridge tries again by itself."),
        _("Check name and port of the server, and whether the firewall lets iA.docs reach it."),
        "0",
    ),
    Answer(
        "busy",
        Outcome.TEMPORARY,
        _("The mail server asked to slow down. The bridge tries again by itself."),
        _(
            "The provider limits how much is sent. Set the messages a minute of the account (Microsoft 365: 30)."
        ),
        r"4\d\d",
        text=r"^4\.7\.28\b|^4\.5\.3\b|^4\.3\.2\b|submission rate|rate limit|too many|throttl|concurrent connections",
    ),
    Answer(
        "greylisted",
        Outcome.TEMPORARY,
        _(
            "The recipient's server takes mail from an unknown sender only at a second try. The bridge tries again by itself."
        ),
        _("Nothing to do."),
        r"4\d\d",
        text=r"gr[ea]ylist",
    ),
    Answer(
        "mailbox-full-now",
        Outcome.TEMPORARY,
        _("The recipient's mailbox is full at the moment. The bridge tries again by itself."),
        _("Nothing to do."),
        r"4\d\d",
        _TO_RECIPIENT,
        r"^4\.2\.2\b|mailbox (?:is )?full|quota",
    ),
    Answer(
        "later",
        Outcome.TEMPORARY,
        _("The mail server asked to try later. The bridge tries again by itself."),
        _("If it goes on for hours, ask the mail provider about the answer of its server."),
        r"4\d\d",
    ),
    # this recipient
    Answer(
        "no-such-address",
        Outcome.PERMANENT,
        _("This address does not exist at the recipient's. Check it and send again."),
        _("Correct the address in the contact."),
        r"5\d\d",
        _TO_RECIPIENT,
        r"^5\.1\.(?:1|3|6|10)\b|user unknown|no such (?:user|recipient|mailbox)|undeliverable address|unknown (?:user|recipient)"
        r"|does not exist|mailbox unavailable|invalid recipient|recipient address rejected: (?:undeliverable|access denied)",
    ),
    Answer(
        "no-such-domain",
        Outcome.PERMANENT,
        _("What stands after the @ does not exist or takes no mail. Check the address and send again."),
        _("Correct the address in the contact."),
        r"5\d\d",
        _TO_RECIPIENT,
        r"^5\.1\.2\b|^5\.4\.4\b|^5\.1\.10\b|^5\.4\.310\b|domain not found|host (?:or domain name )?not found|null ?MX",
    ),
    Answer(
        "mailbox-full",
        Outcome.PERMANENT,
        _("The recipient's mailbox is full or closed. Reach the recipient another way."),
        _("Nothing to do."),
        r"5\d\d",
        _TO_RECIPIENT,
        r"^5\.2\.[12]\b|mailbox (?:is )?(?:full|disabled|inactive)|over ?quota|quota exceeded",
    ),
    Answer(
        "relay-denied",
        Outcome.PERMANENT,
        _("The mail server does not pass mail on to this address."),
        _(
            "The account may not send outside. Check login and port in the control panel, then ask the mail provider."
        ),
        r"5\d\d",
        frozenset({"rcpt"}),
        r"relay",
    ),
    # this message
    Answer(
        "too-large",
        Outcome.PERMANENT,
        _("The message is too large for the mail server. Send fewer or smaller attachments."),
        _("Set the limit for attachments of the account, so that agents are told before they send."),
        r"552|5\d\d",
        _ENVELOPE,
        r"^5\.3\.4\b|^5\.2\.3\b|message size exceeds|message (?:is )?too (?:large|big)|exceeds? (?:the )?(?:maximum|size)",
    ),
    Answer(
        "no-smtputf8-sender",
        Outcome.PERMANENT,
        _(
            "The mail server cannot take your own address, which has accents before the @ (SMTPUTF8). Ask the person who keeps the "
            "contacts for an address without them, then send again."
        ),
        _("Give the agent an address without accents before the @, or use a server that offers SMTPUTF8."),
        r"55\d",
        text=r"^5\.6\.7\b.*\bthe sender needs",
    ),
    Answer(
        "no-smtputf8",
        Outcome.PERMANENT,
        _(
            "The mail server cannot take an address with accents before the @ (SMTPUTF8). Use another address of the recipient."
        ),
        _("Nothing to do."),
        r"55\d",
        text=r"^5\.6\.7\b",
    ),
    Answer(
        "no-8bitmime",
        Outcome.PERMANENT,
        _("The mail server cannot take the characters of this message as they are (8BITMIME)."),
        _("This concerns mail of the site itself; mail written by agents never needs it."),
        r"55\d",
        text=r"^5\.6\.3\b",
    ),
    Answer(
        "content-refused",
        Outcome.PERMANENT,
        _(
            "A filter took the message for spam or for dangerous. Change its text or its attachments, then send again."
        ),
        _(
            "Ask the mail provider why its filter refused the message; check SPF, DKIM and DMARC in the diagnosis."
        ),
        r"5\d\d",
        _ENVELOPE,
        r"^5\.7\.(?:1|9|26|509|703|708|750)\b.*(?:spam|virus|content|policy|DMARC|unauthenticated)|spam|virus|malware"
        r"|blocked (?:by|using)"
        r"|content rejected|blacklist|block ?list|reputation",
    ),
    Answer(
        "refused",
        Outcome.PERMANENT,
        _("The mail server refused the message for good. Its answer says why."),
        _("Ask the mail provider about the answer of its server."),
    ),
)


def answer_to(reply):
    """Return the row of ``ANSWERS`` for ``reply``; the last row fits everything."""
    return next(row for row in ANSWERS if row.fits(reply))


def answer_named(name):
    """Return the row with this name, or None."""
    return next((row for row in ANSWERS if row.name == name), None)
