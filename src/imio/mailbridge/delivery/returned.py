"""Reads from an error report why a message came back, by the table of the answers.

Only rows about the recipient or the message apply: a report never speaks of our account.
"""

from imio.mailbridge.delivery.answer_table import Answer
from imio.mailbridge.delivery.answer_table import ANSWERS
from imio.mailbridge.delivery.answer_table import Match
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.i18n import _
from imio.mailbridge.transport.smtp_reply import SmtpReply
import re


EXPIRED = Answer(
    "expired",
    Outcome.PERMANENT,
    _(
        "The recipient's server could not be reached, or accepted no mail, until the servers on the way gave up. Send again "
        "later, or reach the recipient another way."
    ),
    _("Nothing to do."),
    (Match(text=r"^4\.(?!2\.2\b)|^5\.4\.(?:7|300|316|317)\b|\bexpired\b"),),
    (),
    (),
)
UNKNOWN = Answer(
    "returned",
    Outcome.PERMANENT,
    _(
        "The message came back: it could not be delivered to this address. Check the address, or reach the recipient another way."
    ),
    _("Nothing to do."),
    (Match(),),
    (),
    (),
)
_OF_THE_RECIPIENT = (
    "no-such-address",
    "no-such-domain",
    "mailbox-full",
    "members-only",
    "too-large",
    "attachment-refused",
    "unauthenticated",
    "content-refused",
)

ROWS = (EXPIRED, *(row for row in ANSWERS if row.name in _OF_THE_RECIPIENT), UNKNOWN)

_SMTP = re.compile(r"(?<![\d.])([45]\d\d)[ :-]+(.*)")


def read_failure(status, diagnostic):
    """Return (SMTP code or None, text, row of ``ROWS``) of what a report says about one recipient.

    ``status`` is an enhanced code, ``diagnostic`` what the report quotes; both may be empty.
    """
    found = _SMTP.search(diagnostic)
    code, text = (int(found[1]), found[2]) if found else (None, diagnostic)
    if status and not SmtpReply("data", 0, text).enhanced_status:
        text = f"{status} {text}".strip()
    return code, text, next(row for row in ROWS if _fits(row, text))


def _fits(row, text):
    # a temporary answer becomes a final one when the server gives up
    return row.fits(SmtpReply("data", 550, text if row is EXPIRED else re.sub(r"^4", "5", text)))
