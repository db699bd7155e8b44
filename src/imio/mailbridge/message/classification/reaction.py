"""Recognises reactions: an emoji in answer to a message (RFC 9078, and the forms of Gmail and Outlook)."""

from imio.mailbridge.message.classification.reaction_forms import PARTS
from imio.mailbridge.message.classification.reaction_forms import SENTENCES
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportedRecipient
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.parsing.attachment import part_bytes
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.charset import decode_text
from imio.mailbridge.message.syntax.form import alternatives
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
from imio.mailbridge.message.syntax.structure import Part
from mmap import mmap
import json
import re


_TYPE, _DISPOSITION = any_of(PARTS, "content-type"), any_of(PARTS, "content-disposition")
_SENTENCE = re.compile(rf"(?:{alternatives(SENTENCES, 'text')})\s?[:.]?")
#: Where the quoted message begins.
_QUOTE = re.compile(r"(?:>|[-_=]{3,}|[^\W\d_]{2,14}\s?:\s).*")
_MAX_PART, _MAX_TEXT, _MAX_EMOJI = 10_000, 20_000, 20


def read_reaction(message: ParsedMessage, answered: str) -> Report | None:
    """Return the report of a reaction to the message ``answered``, or None; what a person wrote beside it makes it an answer."""
    if message.defect is not None:
        return None
    found = _in_a_part(message) or _in_a_sentence(message)
    if found is None:
        return None
    form, emoji = found
    recipients = tuple(ReportedRecipient(author.addr_spec.lower()) for author in message.authors[:1])
    return Report(ReportKind.REACTION, answered, recipients, (("reaction", form),), words=emoji)


def _in_a_part(message: ParsedMessage) -> tuple[str, str] | None:
    """Return the type of the part that only reactions have, and its emoji."""
    raw, root = message.content
    for part in root.walk():
        if part.maintype == "multipart" or part.end - part.body > _MAX_PART:
            continue
        if _TYPE.fullmatch(part.content_type):
            return part.content_type, _emoji(_json_emoji(_text(raw, part)))
        if _DISPOSITION.fullmatch(part.disposition):
            emoji = _emoji(_text(raw, part))
            return None if _is_written(message, part, emoji) else ("content-disposition", emoji)
    return None


def _text(raw: bytes | mmap, part: Part) -> str:
    return decode_text(part_bytes(raw, part), part.parameter("charset") or None)


def _json_emoji(text: str) -> str:
    try:
        return str(json.loads(text)["emoji"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _is_written(message: ParsedMessage, reaction: Part, emoji: str) -> bool:
    """Tell whether the message says more than the emoji of its ``reaction``."""
    if reaction is message.content[1]:
        return False
    words = (line for line in _lines(message) if not line.startswith(">") and line != emoji)
    return any(char.isalnum() for line in words for char in line)


def _in_a_sentence(message: ParsedMessage) -> tuple[str, str] | None:
    """Return the sentence that a program wrote in place of a part, and the emoji below it, if its text shows one."""
    lines = [line for line in _lines(message) if line]
    if lines and not any(char.isalnum() for char in lines[0]):  # some write the emoji first
        lines = [*lines[1:2], lines[0], *lines[2:]]
    if not lines or not _SENTENCE.fullmatch(fold(lines[0])):
        return None
    below = lines[1:]
    emoji = (
        ""
        if not below or any(char.isalnum() for char in below[0]) or _QUOTE.fullmatch(below[0])
        else below[0]
    )
    after = below[1:] if emoji else below
    return None if after and not _QUOTE.fullmatch(after[0]) else (lines[0], _emoji(emoji))


def _lines(message: ParsedMessage) -> list[str]:
    text = (message.text or "")[:_MAX_TEXT]
    lines = text.split("\n") if text.strip() else html_lines((message.html or "")[:_MAX_TEXT])
    return [line.strip() for line in lines]


def _emoji(text: str) -> str:
    """Return the first word of a text, unless it has letters or digits: then it is no emoji."""
    word = next(iter(text.split()), "")[:_MAX_EMOJI]
    return "" if any(char.isalnum() for char in word) else word
