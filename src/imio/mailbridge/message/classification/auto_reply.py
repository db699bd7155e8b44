"""Recognises automatic answers (RFC 3834), above all absence messages.

A field that only they have is enough. A subject such as "Absence du bureau" is not: it must be the whole subject, and a second
witness must say that the message answers another one, or that it has no sender. Fields that ask for no automatic answer
(X-Auto-Response-Suppress, Precedence) and ``auto-generated`` say nothing: any program writes them.
"""

from imio.mailbridge.message.classification.absence_forms import FIELDS
from imio.mailbridge.message.classification.absence_forms import SUBJECTS
from imio.mailbridge.message.classification.absence_forms import TAILS
from imio.mailbridge.message.classification.absence_forms import UNTIL
from imio.mailbridge.message.classification.report import answered_message_id
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportedRecipient
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
import re


_FIELDS = {form.where: any_of(FIELDS, form.where) for form in FIELDS}
_SUBJECT = re.compile(
    rf"(?:{any_of(SUBJECTS, 'subject').pattern})(?:{fold(TAILS)}|{fold(UNTIL)})?[\s.!]*"
    rf"|(?:{any_of(SUBJECTS, 'subject-alone').pattern})(?:{fold(UNTIL)})?[\s.!]*",
    re.DOTALL,
)
#: A person who answers an absence message leaves its subject behind this.
_ANSWERED = re.compile(r"\s*(?:re|aw|sv|antw|odp|ynt|vs)\s*:\s*")


def read_auto_reply(message: ParsedMessage, null_sender: bool = False) -> Report | None:
    """Return the report of an automatic answer, or None; its first evidence is ``subject`` where no field says so."""
    if message.defect is not None:
        return None
    evidence = _field(message) or _subject(message, null_sender or has_null_path(message))
    return auto_reply(message, evidence) if evidence else None


def auto_reply(message: ParsedMessage, evidence: tuple[tuple[str, str], ...]) -> Report:
    """Return the report of a message that is an automatic answer for the reasons in ``evidence``."""
    recipients = tuple(ReportedRecipient(author.addr_spec.lower()) for author in message.authors[:1])
    return Report(ReportKind.AUTO_REPLY, answered_message_id(message), recipients, evidence)


def says_absent(subject: str) -> bool:
    """Tell whether a subject as a whole is that of an automatic answer."""
    return _SUBJECT.fullmatch(fold(subject).strip()) is not None


def has_null_path(message: ParsedMessage) -> bool:
    """Tell whether a server noted that the envelope had no sender."""
    return any(value.strip() == "<>" for value in message.headers("return-path"))


def _field(message: ParsedMessage) -> tuple[tuple[str, str], ...]:
    if message.root.names.isdisjoint(_FIELDS):
        return ()
    return next(
        (
            ((name, value),)
            for name, pattern in _FIELDS.items()
            for value in message.headers(name)
            if pattern.fullmatch(fold(value).strip())
        ),
        (),
    )


def _subject(message: ParsedMessage, null_sender: bool) -> tuple[tuple[str, str], ...]:
    subject = message.subject or ""
    if null_sender:
        subject = _ANSWERED.sub("", fold(subject), count=1)
        witness = ("return-path", "<>")
    elif answered := answered_message_id(message):
        witness = ("in-reply-to", answered)
    else:
        return ()
    return (("subject", message.subject or ""), witness) if says_absent(subject) else ()
