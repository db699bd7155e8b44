"""Finds the parts of a message as offsets into its bytes, so that each can be cut out exactly as it came.

One pass finds header blocks and delimiters; no body is decoded or copied. The parser of the standard library would not do:
it copies, gives no offsets, and takes seconds over what ``limits`` refuses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from imio.mailbridge.message.syntax.header import unfold
from imio.mailbridge.message.syntax.limits import Budget
from imio.mailbridge.message.syntax.limits import LIMITS
from imio.mailbridge.message.syntax.limits import Limits
from imio.mailbridge.message.syntax.parameter import Parameters
from imio.mailbridge.message.syntax.parameter import parse_parameters
from imio.mailbridge.message.syntax.transfer_encoding import encoding_name
from mmap import mmap
import re


_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_BLANK = re.compile(rb"\r*(?:\n|\Z)")
_LEADING = re.compile(rb"(?:\xef\xbb\xbf|[ \t]*\r*\n)*(?:>?From [^\n]*\n)?")
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r*\n|\r?\Z)")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")

#: Media types that hold a message (RFC 2046 §5.2.1, RFC 6532 §3.7).
MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
#: Fields that distinguish a message from any text with a colon in it.
_OF_A_MESSAGE = frozenset(
    {"from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "received", "return-path", "mime-version",
     "content-type", "delivered-to", "resent-from", "in-reply-to", "references"}
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A header field: ``name`` in lower case, ``value`` raw and folded."""

    name: str
    value: bytes


@dataclass(frozen=True)
class Part:
    """A message or body part: header in ``raw[start:body]``, content in ``raw[body:end]``."""

    fields: tuple[Field, ...]
    start: int
    body: int
    end: int
    parts: tuple["Part", ...] = ()
    default_type: str = "text/plain"

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return the raw values of all fields called ``name`` (lower case)."""
        return tuple(field.value for field in self.fields if field.name == name)

    def first(self, name: str) -> str:
        """Return the first field called ``name`` unfolded, or an empty string."""
        return next((unfold(field.value) for field in self.fields if field.name == name), "")

    @cached_property
    def _type(self) -> Parameters:
        return parse_parameters(self.first("content-type"))

    @cached_property
    def _disposition(self) -> Parameters:
        return parse_parameters(self.first("content-disposition"))

    @cached_property
    def content_type(self) -> str:
        """Return the media type in lower case; without one, the default for the place of the part."""
        value = "".join(self._type.value.partition("(")[0].split())
        if _MEDIA_TYPE.fullmatch(value):
            return value
        if value == "text":
            return "text/plain"
        return self.default_type if not value else "application/octet-stream"

    @property
    def maintype(self) -> str:
        """Return the part of the media type before the slash."""
        return self.content_type.partition("/")[0]

    def parameter(self, name: str) -> str:
        """Return a parameter of Content-Type, or an empty string."""
        return self._type.get(name)

    @property
    def disposition(self) -> str:
        """Return ``inline``, ``attachment``, another word of Content-Disposition, or an empty string."""
        return self._disposition.value.split("(")[0].strip()

    @property
    def filename(self) -> str:
        """Return the declared name as it is, which is not safe to use."""
        return self._disposition.get("filename") or self._type.get("name")

    @cached_property
    def encoding(self) -> str:
        """Return the transfer encoding in lower case."""
        return encoding_name(self.first("content-transfer-encoding"))

    @property
    def is_message(self) -> bool:
        """Tell whether the part is declared to be a message."""
        return self.content_type in MESSAGE_TYPES

    def walk(self) -> Iterator["Part"]:
        """Yield this part and the parts inside it, but nothing from inside attached messages."""
        yield self
        if not self.is_message:
            for part in self.parts:
                yield from part.walk()


def scan(raw: bytes | mmap, budget: Budget | None = None) -> Part:
    """Return the structure of a message. Errors: ``TooComplex``."""
    return _scan(raw, _skip_leading(raw, 0, len(raw)), len(raw), budget or Budget(), 0, "text/plain")


def scan_header(raw: bytes | mmap) -> Part:
    """Return a message without its parts; of an overlong header only the beginning. Never fails."""
    start = _skip_leading(raw, 0, len(raw))
    fields, body = _read_header(raw, start, len(raw), LIMITS)
    return Part(fields, start, body, len(raw))


def looks_like_message(raw: bytes | mmap) -> bool:
    """Tell whether ``raw`` begins like a message: at least two fields of mail, one of them From or a trace field."""
    names = {field.name for field in scan_header(raw).fields}
    return bool(names & {"from", "received", "return-path"}) and len(names & _OF_A_MESSAGE) >= 2


def is_message_header(root: Part) -> bool:
    """Tell whether the header has at least one field that only mail has."""
    return any(field.name in _OF_A_MESSAGE for field in root.fields)


def _skip_leading(raw: bytes | mmap, start: int, end: int) -> int:
    # Pipes and exports may put empty lines, a byte order mark or the "From " line of an mbox before the header.
    match = _LEADING.match(raw, start, end)
    return match.end() if match else start


def _scan(raw: bytes | mmap, start: int, end: int, budget: Budget, depth: int, default_type: str) -> Part:
    budget.part(depth)
    fields, body = _read_header(raw, start, end, budget.limits)
    budget.header(body - start, len(fields))
    part = Part(fields, start, body, end, (), default_type)
    inner: tuple[Part, ...] = ()
    if part.maintype == "multipart":
        child_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        boundary = part.parameter("boundary").encode("utf-8", "replace").rstrip()
        inner = tuple(
            _scan(raw, child_start, child_end, budget, depth + 1, child_type)
            for child_start, child_end in _split(raw, body, end, boundary, budget)
        )
    elif part.is_message and part.encoding not in ("base64", "quoted-printable"):
        inner = (_scan(raw, _skip_leading(raw, body, end), end, budget, depth + 1, "text/plain"),)
    return Part(fields, start, body, end, inner, default_type) if inner else part


def _read_header(raw: bytes | mmap, start: int, end: int, limits: Limits) -> tuple[tuple[Field, ...], int]:
    limit = min(end, start + limits.header_bytes + 1)
    fields: list[Field] = []
    position = start
    while position < limit and (match := _FIELD.match(raw, position, limit)):
        fields.append(Field(match[1].decode("ascii").lower(), match[2]))
        position = match.end()
        if len(fields) > limits.header_fields:
            break
    blank = _BLANK.match(raw, position, end)
    # Without an empty line the body begins where the header stops being one.
    return tuple(fields), blank.end() if blank else position


def _split(raw: bytes | mmap, start: int, end: int, boundary: bytes, budget: Budget) -> list[tuple[int, int]]:
    if not boundary:
        return []
    line = b"--" + boundary
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    at_once = raw[start : min(end, start + len(line))] == line
    position = start if at_once else _next_line(raw, line, start, end)
    while position >= 0:
        budget.delimiter()
        match = _DELIMITER_END.match(raw, position + len(line), end)
        if match:
            if opened is not None:
                spans.append((opened, _before_line(raw, opened, position)))
            opened = None if match[1] else match.end()
            if match[1]:
                break
            position = match.end() - 1  # its line end may also be the one before the next delimiter
        else:
            position += len(line)
        position = _next_line(raw, line, position, end)
    if opened is not None and opened < end:
        spans.append((opened, end))
    return spans


def _next_line(raw: bytes | mmap, line: bytes, position: int, end: int) -> int:
    found = raw.find(b"\n" + line, max(position, 0), end)
    return found + 1 if found >= 0 else -1


def _before_line(raw: bytes | mmap, start: int, position: int) -> int:
    # The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
    if position > start and raw[position - 1 : position] == b"\n":
        position -= 1
        if position > start and raw[position - 1 : position] == b"\r":
            position -= 1
    return position
