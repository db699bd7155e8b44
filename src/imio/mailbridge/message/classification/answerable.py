"""Decides whether a program may answer a message: never one from a list, a program, or without a sender (RFC 3834 §2)."""

from imio.mailbridge.message.classification.sender_forms import FORMS
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.form import alternatives
from imio.mailbridge.message.syntax.form import fold
import re


_NO_REPLY = re.compile(rf"(?:.{{1,60}}[+=._-])?(?:{alternatives(FORMS, 'local-part')})(?:[+=._-].*)?")
_BULK = (
    "list-id",
    "list-unsubscribe",
    "list-post",
    "feedback-id",
    "x-campaign",
    "x-mailgun-sid",
    "x-mailchimp-id",
)


def bulk_marks(message: ParsedMessage) -> tuple[tuple[str, str], ...]:
    """Return name and value of each field that only mailing lists and mass mailings have."""
    names = message.root.names
    marks = [(name, value) for name in _BULK if name in names and (value := message.header(name))]
    precedence = (message.header("precedence") or "").strip().lower()
    if precedence in ("bulk", "list", "junk"):
        marks.append(("precedence", precedence))
    return tuple(marks)


def is_no_reply(addr_spec: str) -> bool:
    """Tell whether an address says that nobody reads what comes to it."""
    return _NO_REPLY.fullmatch(fold(addr_spec.rpartition("@")[0])) is not None


def may_be_answered(message: ParsedMessage, null_sender: bool = False) -> bool:
    """Tell whether an automatic answer to the author is allowed."""
    author = message.author
    if message.defect or author is None or null_sender or is_no_reply(author.addr_spec):
        return False
    submitted = (message.header("auto-submitted") or "no").partition(";")[0].strip().lower()
    suppressed = (message.header("x-auto-response-suppress") or "").lower()
    return (
        submitted == "no"
        and not bulk_marks(message)
        and not any(word in suppressed for word in ("all", "autoreply", "oof"))
        and message.root.content_type != "multipart/report"
        and (message.header("return-path") or "x").strip() != "<>"
    )
