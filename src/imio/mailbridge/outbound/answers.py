"""What does an SMTP answer mean? A table; the first row that fits decides."""

from dataclasses import dataclass
from enum import Enum
from imio.mailbridge.i18n import _
import re


class Outcome(Enum):
    """What follows from an answer."""

    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    SENDER_REFUSED = "sender refused"
    CONFIGURATION = "configuration"


@dataclass(frozen=True)
class SmtpReply:
    """An answer of the server, or of our side of the connection (``code`` 0): ``stage`` is where it came.

    Stages: ``connect``, ``tls``, ``auth``, ``mail``, ``rcpt``, ``data``.
    """

    stage: str
    code: int
    text: str

    @property
    def enhanced_status(self):
        """Return the enhanced status code (RFC 3463), or an empty string."""
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)", self.text)
        return found[0] if found else ""


@dataclass(frozen=True)
class Answer:
    """A row: ``codes``, ``stages`` and ``text`` say when it fits; ``explanation`` is a msgid for the agent, remedy included."""

    outcome: Outcome
    explanation: str
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

ANSWERS = (
    Answer(Outcome.SENT, "", r"2\d\d", frozenset({"data"})),
    Answer(
        Outcome.CONFIGURATION,
        _(
            "The mail server's certificate could not be verified. No mail is sent until this is right. The site administrator "
            "checks the name of the server and, for a certificate of the town's own authority, its file in the control panel."
        ),
        "0",
        frozenset({"tls"}),
    ),
    Answer(
        Outcome.CONFIGURATION,
        _(
            "The mail server does not offer the encryption that is set. No mail is sent until this is right. The site "
            "administrator checks port and encryption in the control panel."
        ),
        r"[245]\d\d",
        frozenset({"tls"}),
    ),
    Answer(
        Outcome.CONFIGURATION,
        _(
            "The mail server refused the login of iA.docs. Your message is kept and leaves once the site administrator has "
            "corrected login and password in the control panel."
        ),
        r"5\d\d",
        frozenset({"auth"}),
    ),
    Answer(
        Outcome.CONFIGURATION,
        _(
            "The mail server wants a login before it takes mail. Your message is kept and leaves once the site administrator "
            "has entered login and password in the control panel."
        ),
        "530",
    ),
    Answer(
        Outcome.CONFIGURATION,
        _(
            "The mail server no longer accepts a password login. Your message is kept; the site administrator must ask the "
            "mail provider how iA.docs may log in."
        ),
        "550",
        text=r"^5\.7\.30\b",
    ),
    Answer(
        Outcome.SENDER_REFUSED,
        _(
            "The mail server does not let iA.docs send under this sender address. The site administrator either asks the mail "
            "provider for the right to send as this address (Send As), or chooses in the control panel that the login address "
            "sends and answers go to the agent."
        ),
        r"5\d\d",
        _ENVELOPE,
        r"^5\.7\.60\b|^5\.2\.252\b|SendAsDenied|not owned by user|sender address rejected|not allowed to send as",
    ),
    Answer(
        Outcome.TEMPORARY,
        _("The mail server could not be reached. The bridge tries again by itself."),
        "0",
    ),
    Answer(
        Outcome.TEMPORARY,
        _("The mail server asked to try later. The bridge tries again by itself."),
        r"4\d\d",
    ),
    Answer(
        Outcome.PERMANENT,
        _("This address does not exist at the recipient's. Check it and send again."),
        r"5\d\d",
        frozenset({"rcpt", "data"}),
        r"^5\.1\.[123]\b|user unknown|no such user|recipient address rejected: undeliverable|unknown user",
    ),
    Answer(
        Outcome.PERMANENT,
        _("The recipient's mailbox is full or closed. Reach the recipient another way."),
        r"5\d\d",
        frozenset({"rcpt", "data"}),
        r"^5\.2\.[12]\b",
    ),
    Answer(
        Outcome.PERMANENT,
        _("The message is too large for the mail server. Send fewer or smaller attachments."),
        r"552|5\d\d",
        _ENVELOPE,
        r"^5\.3\.4\b|^5\.2\.3\b|message size exceeds|message too (?:large|big)",
    ),
    Answer(
        Outcome.PERMANENT,
        _(
            "The mail server cannot take an address with accents before the @ (SMTPUTF8). Use another address of the recipient."
        ),
        "550",
        text=r"^5\.6\.7\b",
    ),
    Answer(
        Outcome.PERMANENT,
        _(
            "The mail server refused the message for good. Its answer says why; the site administrator can ask the mail provider."
        ),
    ),
)


def answer_to(reply):
    """Return the row of ``ANSWERS`` for ``reply``; the last row fits everything."""
    return next(row for row in ANSWERS if row.fits(reply))
