"""Describes the files of a message, whose bytes are decoded only when they are asked for."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from imio.mailbridge.message.syntax.charset import read_text
from imio.mailbridge.message.syntax.filename import extension
from imio.mailbridge.message.syntax.filename import has_extension
from imio.mailbridge.message.syntax.filename import message_filename
from imio.mailbridge.message.syntax.filename import safe_filename
from imio.mailbridge.message.syntax.header import decode
from imio.mailbridge.message.syntax.structure import looks_like_message
from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.structure import scan_header
from imio.mailbridge.message.syntax.transfer_encoding import decode_body
from imio.mailbridge.message.syntax.transfer_encoding import decode_chunks
from mmap import mmap
from typing import BinaryIO
import hashlib
import re


_BEGINNING = 65_536
#: SUMMARY, lines that are folded (RFC 5545 §3.1), characters that are escaped.
_SUMMARY = re.compile(rb"^SUMMARY(?:;[^:\r\n]{0,200})?:([^\r\n]{1,500})", re.IGNORECASE | re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_ESCAPED = re.compile(r"\\(.)")
_NOT_QUOTED_PRINTABLE = re.compile(rb"[\x80-\xff]|=(?![0-9A-Fa-f]{2}|[ \t]{0,9}\r?(?:\n|\Z))")


@dataclass(frozen=True)
class Attachment:
    """A file of a message: ``filename`` is safe to use; ``content()`` returns its decoded bytes.

    ``chunks()`` yields the same bytes in pieces; without it the content is one piece.
    """

    filename: str
    content_type: str
    content: Callable[[], bytes]
    chunks: Callable[[], Iterable[bytes]] | None = None

    def write_to(self, target: BinaryIO) -> None:
        """Write the decoded bytes to a binary stream, piece by piece. Errors: those of the stream."""
        for chunk in self.pieces():
            target.write(chunk)

    def pieces(self) -> Iterable[bytes]:
        """Return the decoded bytes piece by piece."""
        return self.chunks() if self.chunks is not None else (self.content(),)

    @cached_property
    def _measured(self) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        for chunk in self.pieces():
            digest.update(chunk)
            size += len(chunk)
        return size, digest.hexdigest()

    @property
    def size(self) -> int:
        """Return the number of decoded bytes; decodes the file once, with ``sha256``."""
        return self._measured[0]

    @property
    def sha256(self) -> str:
        """Return the digest of the decoded bytes in hex."""
        return self._measured[1]


@dataclass(frozen=True)
class InlineImage:
    """An image that the HTML shows; ``cid`` (without angle brackets) or ``location`` (Content-Location) may be empty."""

    cid: str
    filename: str
    content_type: str
    content: Callable[[], bytes]
    location: str = ""


def attachment(raw: bytes | mmap, part: Part) -> Attachment:
    """Return ``part`` as an attachment; a message without a name is named after its subject."""
    unnamed = part.is_message and not part.filename
    filename = message_filename(_subject(raw, part)) if unnamed else part_filename(raw, part)
    return Attachment(filename, part.content_type, content_of(raw, part), lambda: _chunks(raw, part))


def part_filename(raw: bytes | mmap, part: Part) -> str:
    """Return a name for the file in ``part``; where neither its name nor its type tells what it is, its content does.

    An appointment without a name is named after what it is about.
    """
    if part.content_type == "text/calendar" and not part.filename:
        return safe_filename(calendar_summary(part_beginning(raw, part)), part.content_type)
    if extension(part.content_type) or has_extension(part.filename):
        return safe_filename(part.filename, part.content_type)
    beginning = part_beginning(raw, part)
    kind = "message/rfc822" if looks_like_message(beginning) else ""
    return safe_filename(part.filename, kind, beginning)


def calendar_summary(calendar: bytes) -> str:
    """Return what the first appointment in a calendar (RFC 5545) is about, or an empty string."""
    found = _SUMMARY.search(_FOLD.sub(b"", calendar))
    text = read_text(found[1]).text if found else ""
    return _ESCAPED.sub(lambda escaped: " " if escaped[1] in "nN" else escaped[1], text).strip()


def part_beginning(raw: bytes | mmap, part: Part) -> bytes:
    """Return the first octets of a part decoded: a large file need not be decoded to tell what it is."""
    return decode_body(raw, part.body, min(part.end, part.body + _BEGINNING), part.encoding)


def _chunks(raw: bytes | mmap, part: Part) -> Iterator[bytes]:
    plain = part.is_message and part.encoding and _is_not_encoded(raw, part)
    return decode_chunks(raw, part.body, part.end, "" if plain else part.encoding)


def part_bytes(raw: bytes | mmap, part: Part) -> bytes:
    """Return the content of a part without its transfer encoding.

    A message that declares an encoding but is not encoded is returned as it is.
    """
    if part.is_message and part.encoding and _is_not_encoded(raw, part):
        return raw[part.body : part.end]
    return decode_body(raw, part.body, part.end, part.encoding)


def _is_not_encoded(raw: bytes | mmap, part: Part) -> bool:
    if part.encoding == "quoted-printable":
        return _NOT_QUOTED_PRINTABLE.search(raw, part.body, part.end) is not None
    return looks_like_message(raw[part.body : min(part.end, part.body + _BEGINNING)])


def content_of(raw: bytes | mmap, part: Part) -> Callable[[], bytes]:
    """Return a function that returns the decoded bytes of a part."""
    return lambda: part_bytes(raw, part)


def _subject(raw: bytes | mmap, part: Part) -> str | None:
    message = part.parts[0] if part.parts else scan_header(part_bytes(raw, part))
    values = message.values("subject")
    return decode(values[0]) if values else None
