"""Reads the conditions of a row as the parts of a sentence, where its patterns are plain words, and writes such conditions.

A pattern is plain where it is what ``re.escape`` makes of a text, or means the same. All else is for experts, and so is a row with
the secret part of an address, which not everybody who writes sentences may see.
"""

from dataclasses import dataclass
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.secret_address import masked_pattern
from imio.mailbridge.settings.routing import Condition
from imio.mailbridge.settings.routing import FORWARD
import re


#: What a form takes as words of a subject, in characters.
MAX_WORDS = 200

_LITERAL = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^0-9A-Za-z])*", re.DOTALL)
_ANYBODY_AT = "[^@]+@"
_MAILBOX = "python: mailbox == "


@dataclass(frozen=True)
class Sentence:
    """What an e-mail must have; empty values mean any.

    ``forward`` is a value of ``FORWARD``, ``sender`` an address or a domain (``@maville.be``), ``recipient`` a mail-in address,
    ``mailbox`` a source mailbox.
    """

    subject: str = ""
    sender: str = ""
    forward: str = ""
    recipient: str = ""
    mailbox: str = ""

    def has_condition(self) -> bool:
        """Tell whether it leaves anything out but a way to come in."""
        return bool(self.subject or self.sender or self.recipient or self.mailbox)


def sentence(row: Condition) -> Sentence | None:
    """Return the sentence that means what the conditions of a row mean, or None where there is none."""
    parts = {
        "subject": _words(row.subject_pat),
        "sender": _sender(row.original_email_pat),
        "forward": row.forward if row.forward in FORWARD.by_value or not row.forward else None,
        "recipient": _words(row.recipient_pat),
        "mailbox": _mailbox(row.tal_condition_1),
    }
    if row.transfer_email_pat or getattr(row, "tal_condition_2", "") or None in parts.values():
        return None
    has_secret = any(masked_pattern(text) != text for text in parts.values() if text)
    return None if has_secret else Sentence(**parts)  # type: ignore[arg-type]


def conditions(sentence: Sentence) -> dict[str, str]:
    """Return the values of ``Condition`` that mean what a sentence means."""
    anybody_at = _ANYBODY_AT if sentence.sender.startswith("@") else ""
    return {
        "forward": sentence.forward,
        "original_email_pat": anybody_at + re.escape(sentence.sender.removeprefix("@" if anybody_at else "")),
        "recipient_pat": re.escape(sentence.recipient),
        "subject_pat": re.escape(sentence.subject),
        "tal_condition_1": f"{_MAILBOX}{sentence.mailbox!r}" if sentence.mailbox else "",
    }


def sender(typed: str) -> str:
    """Return an address or a domain that a person typed as ``Sentence`` has it; errors: ``ValueError``."""
    text = typed.strip().lower()
    text = text if "@" in text or not text else f"@{text}"
    if text and not is_addr_spec(f"x{text}" if text.startswith("@") else text):
        raise ValueError(typed)
    return text


def _words(pattern: str) -> str | None:
    """Return the text that alone matches a pattern, or None where this is not one line that a form could give back."""
    if not _LITERAL.fullmatch(pattern):
        return None
    text = re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)
    return text if text.isprintable() and text == text.strip() and len(text) <= MAX_WORDS else None


def _sender(pattern: str) -> str | None:
    text = _words(pattern.removeprefix(_ANYBODY_AT))
    if text is None or not pattern:
        return text
    whole = f"@{text}" if pattern.startswith(_ANYBODY_AT) else text
    at_end = is_addr_spec(f"x{whole}" if whole.startswith("@") else whole)
    return whole if at_end and whole.startswith("@") == pattern.startswith(_ANYBODY_AT) else None


def _mailbox(expression: str) -> str | None:
    quoted = expression.removeprefix(_MAILBOX)
    if not expression:
        return ""
    return quoted[1:-1] if quoted != expression and len(quoted) > 2 and repr(quoted[1:-1]) == quoted else None
