"""Reads the fields that prove something exactly as their verifiers do, or not at all.

For people, invisible and control characters are dropped (``syntax.header``); a proof read like that says what nobody verified.
"""

from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.charset import decode_text
from imio.mailbridge.message.syntax.header import ENCODED_WORD
from imio.mailbridge.message.syntax.header import unfold
import re
import unicodedata


#: Fields of printable ASCII characters alone.
PLAIN_FIELDS = (
    "authentication-results",
    "dkim-signature",
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
)

_PLAIN = re.compile(rb"[\t -~]*(?:\r?\n[\t ]+[!-~][\t -~]*)*\r?")
_FOLD = re.compile(rb"\r?\n(?=[\t ])|\r?\Z")
#: Unicode categories: control, format, surrogate, line and paragraph separator.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: Quoted strings and comments.
_ASIDE = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)')


def plain_value(value: bytes) -> str | None:
    """Return an unfolded value of printable ASCII; None for any other, and for one with a blank line in it."""
    if _PLAIN.fullmatch(value) is None:
        return None
    return value.decode("ascii").replace("\r", "").replace("\n", "").strip(" \t")


def has_unseen(value: bytes) -> bool:
    """Tell whether a value has control or invisible characters; names may have letters of any language (RFC 6532)."""
    text = decode_text(_FOLD.sub(b"", value))
    return any(unicodedata.category(each) in _UNSEEN for each in text if each != "\t")


def misread_field(message: ParsedMessage) -> str:
    """Return the name of a proving field with characters that do not belong there, or an empty string."""
    for field in message.root.fields:
        if field.name in PLAIN_FIELDS and plain_value(field.value) is None:
            return field.name
        if field.name == "from" and has_unseen(field.value):
            return field.name
    return ""


def has_plain_author(message: ParsedMessage) -> bool:
    """Tell whether every program finds the same author: From holds one address, in ASCII, beside names and comments."""
    values = message.root.values("from")
    if len(values) != 1 or message.author is None or has_unseen(values[0]):
        return False
    text = _ASIDE.sub(" ", ENCODED_WORD.sub(" ", unfold(values[0])))
    found = {word.lower() for word in re.split(r"[\s<>]+", text) if "@" in word}
    if any(mark in text for mark in '"()'):
        return False  # not closed
    return found == {message.author.addr_spec.lower()} and message.author.addr_spec.isascii()
