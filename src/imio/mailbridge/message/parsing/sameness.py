"""Tells whether two messages are what a person calls the same: what the author wrote is equal, and only servers differ.

Message-ID, author and date name a message; subject, text and files are its content. Line ends, transfer encodings, charsets,
headers, and what ``server_forms`` lists do not count. A message that lost one of its alternatives is the same only where the
alternatives of the other say the same: nobody can hide another text in an alternative.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import UTC
from html import escape
from html import unescape
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.parsing.attachment import InlineImage
from imio.mailbridge.message.parsing.bodies import Alternatives
from imio.mailbridge.message.parsing.bodies import Body
from imio.mailbridge.message.parsing.bodies import Text
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.html_text import MAX_LENGTH
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.parsing.server_changes import with_original_links
from imio.mailbridge.message.parsing.server_changes import without_additions
from imio.mailbridge.message.parsing.server_changes import without_tags
from typing import NamedTuple
from unicodedata import normalize
import hashlib
import re


#: A text in more forms is compared octet by octet too.
_MAX_FORMS = 4
_ANCHOR = re.compile(
    r"""<a\s[^<>]{0,2000}?href\s*=\s*(?:"([^"<>]{1,8000})"|'([^'<>]{1,8000})')[^<>]*>""", re.IGNORECASE
)
_WITH_TARGET = ("http:", "https:", "mailto:", "ftp:", "tel:")
#: How converters write quotes, dashes and dots, and what nobody sees.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛`´", "'"),
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "…": "...",
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),
    }
)
_NOT_WORDS = re.compile(r"https?://[^\s<>\"]+|<[^<>\s]*>|\[(?:cid|image):[^\[\]]*\]", re.IGNORECASE)
_WORD = re.compile(r"\w+")


class Content(NamedTuple):
    """What an author wrote, as digests in hex: plain values.

    ``fixed`` stands for subject and files, ``forms`` for the text in each of its alternatives. ``agrees``: they say the same.
    """

    fixed: str
    forms: tuple[str, ...]
    agrees: bool


def name_of(message_id: str, author: Address | None, date: datetime | None) -> str:
    """Return the digest, in hex, of what names a message."""
    address = author.addr_spec.lower() if author else ""
    return _digest(message_id, address, date.astimezone(UTC).isoformat() if date else "")


def content_of(message: ParsedMessage) -> Content:
    """Return what the author wrote. Never fails; time and memory are those of reading the message once."""
    files = sorted(map(_file_digest, _files(message)))
    forms, words = set(), set()
    images: str | None = None
    body = message.body
    count = _most_forms(body)
    for reading in (tuple(_chosen(body, position)) for position in range(min(count, _MAX_FORMS))):
        text = _text(reading)
        if any(each.is_html for each in reading) and message.inline_images:
            images = images or _digest(*sorted(map(_image_digest, message.inline_images)))
            text += f"\0{images}"
        if text:
            forms.add(_digest(text))
            words.add(_digest(*_words(text)))
    if count > _MAX_FORMS or not (forms or files):
        forms.add(_digest("raw", _raw_digest(message)))
    fixed = _digest(without_tags(message.subject or ""), *files)
    return Content(fixed, tuple(sorted(forms)), len(words) < 2 and images is None)


def is_same(one: Content, other: Content) -> bool:
    """Tell whether two messages of one name (``name_of``) have the same content."""
    if one.fixed != other.fixed:
        return False
    first, second = set(one.forms), set(other.forms)
    if first == second:
        return True
    smaller, larger = sorted(((first, one), (second, other)), key=lambda each: len(each[0]))
    return bool(smaller[0]) and smaller[0] < larger[0] and larger[1].agrees


def _most_forms(body: Body) -> int:
    return max(
        (
            max(len(each.forms), *map(_most_forms, each.forms)) if isinstance(each, Alternatives) else 1
            for each in body
        ),
        default=0,
    )


def _chosen(body: Body, position: int) -> Iterator[Text]:
    """Yield the texts that those see who read each text in the form at ``position``, or in its last one."""
    for each in body:
        if isinstance(each, Text):
            yield each
        else:
            yield from _chosen(each.forms[min(position, len(each.forms) - 1)], position)


def _text(reading: tuple[Text, ...]) -> str:
    lines: list[str] = []
    for each in reading:
        if each.is_html:
            lines += html_lines(_ANCHOR.sub(_with_target, each.text))
            if len(each.text) > MAX_LENGTH:
                lines.append(_digest(each.text[MAX_LENGTH // 2 :]))
        else:
            lines += each.text.split("\n")
        lines.append("")
    written = "\n".join(without_additions(with_original_links("\n".join(lines)).split("\n")))
    return " ".join(normalize("NFC", written.translate(_PLAIN)).split())


def _with_target(anchor: re.Match[str]) -> str:
    target = unescape(anchor[1] or anchor[2]).strip()
    if not target.lower().startswith(_WITH_TARGET):
        return anchor[0]
    return f"{anchor[0]}{escape(f'<{target}>')}"


def _words(text: str) -> list[str]:
    return _WORD.findall(_NOT_WORDS.sub(" ", text).casefold())


def _files(message: ParsedMessage) -> Iterator[Iterator[bytes]]:
    yield from (iter(file.pieces()) for file in message.attachments)
    if message.defect is None:  # what nobody but its reader can read
        raw, root = message.content
        yield from (
            iter((raw[part.body : part.end],))
            for part in root.walk()
            if part.content_type == "multipart/encrypted"
        )


def _file_digest(pieces: Iterator[bytes]) -> str:
    """Return the digest of a file with LF line ends: in 7bit and quoted-printable, line ends change on the way."""
    digest, left = hashlib.sha256(), b""
    for chunk in pieces:
        chunk = left + chunk
        left = b"\r" if chunk.endswith(b"\r") else b""
        digest.update(chunk.removesuffix(left).replace(b"\r\n", b"\n"))
    digest.update(left)
    return digest.hexdigest()


def _image_digest(image: InlineImage) -> str:
    return hashlib.sha256(image.content()).hexdigest()


def _raw_digest(message: ParsedMessage) -> str:
    return hashlib.sha256(b" ".join(message.raw[message.root.body : message.root.end].split())).hexdigest()


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()
