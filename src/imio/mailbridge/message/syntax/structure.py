"""Finds the parts of a message as offsets into its bytes, so that each can be cut out exactly as it came.

One pass finds header blocks and delimiters; no body is decoded or copied. The parser of the standard library would not do:
it copies, gives no offsets, and takes seconds over what ``limits`` refuses.
"""

from collections.abc import Iterator
from collections.abc import KeysView
from dataclasses import dataclass
from functools import cached_property
from imio.mailbridge.message.syntax.filename import whole_name
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
#: What is read where only the first half of a media type makes sense.
_USUAL = {"text": "text/plain", "multipart": "multipart/mixed"}
#: Lines in a row that are no fields, in the middle of a header.
_MAX_DAMAGE = 3
_MAX_SHOWN = 200
_WORDS_AND_COLON = re.compile(rb"[^:\n]{1,60}:\s")
_LINE = re.compile(rb"[^\n]{0,998}(?:\n|\Z)")

#: Media types that hold a message (RFC 2046 §5.2.1, RFC 6532 §3.7).
MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
#: Fields that distinguish a message from any text with a colon in it.
_OF_A_MESSAGE = frozenset(
    {"from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "received", "return-path", "mime-version",
     "content-type", "delivered-to", "resent-from", "in-reply-to", "references"}
)  # fmt: skip
#: What tells that the header of a body part goes on.
_OF_A_PART = frozenset({"content-type", "content-transfer-encoding", "content-disposition", "content-id"})
#: What is believed below a damaged line, where other readers see no header any more: nothing that marks or proves anything.
_BELOW_DAMAGE = _OF_A_PART | _OF_A_MESSAGE - {"delivered-to", "resent-from"}


@dataclass(frozen=True)
class Field:
    """A header field: ``name`` in lower case, ``value`` raw and folded."""

    name: str
    value: bytes


@dataclass(frozen=True)
class Header:
    """``body`` is the offset behind the header; ``damage`` the first line in it that is no field, or None."""

    fields: tuple[Field, ...]
    body: int
    damage: str | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """A message or body part: header in ``raw[start:body]``, content in ``raw[body:end]``.

    ``is_closed`` is False when it is a multipart without its last delimiter. ``damage`` as in ``Header``.
    """

    fields: tuple[Field, ...]
    start: int
    body: int
    end: int
    parts: tuple["Part", ...] = ()
    default_type: str = "text/plain"
    is_closed: bool = True
    damage: str | None = None

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return the raw values of all fields called ``name`` (lower case)."""
        return self._by_name.get(name, ())

    @property
    def names(self) -> KeysView[str]:
        """Return the names of the fields, in lower case."""
        return self._by_name.keys()

    def first(self, name: str) -> str:
        """Return the first field called ``name`` unfolded, or an empty string."""
        values = self.values(name)
        return unfold(values[0]) if values else ""

    @cached_property
    def _by_name(self) -> dict[str, tuple[bytes, ...]]:
        found: dict[str, tuple[bytes, ...]] = {}
        for field in self.fields:
            found[field.name] = (*found.get(field.name, ()), field.value)
        return found

    @cached_property
    def _type(self) -> Parameters:
        return parse_parameters(self.first("content-type"))

    @cached_property
    def _disposition(self) -> Parameters:
        return parse_parameters(self.first("content-disposition"))

    @cached_property
    def content_type(self) -> str:
        """Return the media type in lower case; without one, the default for the place of the part."""
        value = self._type.value.partition("(")[0].strip('" ')
        first, slash, second = (half.strip() for half in value.partition("/"))
        if match := _MEDIA_TYPE.match(first + slash + second):
            return match[0]
        return _USUAL.get(first, "application/octet-stream" if value else self.default_type)

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

    @cached_property
    def filename(self) -> str:
        """Return the declared name as it is, which is not safe to use."""
        return whole_name(self._disposition.get("filename"), self._type.get("name"))

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
    start = _skip_leading(raw, 0, len(raw))
    return _scan(raw, start, len(raw), budget or Budget(), 0, "text/plain", _OF_A_MESSAGE)


def scan_header(raw: bytes | mmap) -> Part:
    """Return a message without its parts; of an overlong header only the beginning. Never fails."""
    start = _skip_leading(raw, 0, len(raw))
    header = _read_header(raw, start, len(raw), LIMITS, frozenset())
    return Part(header.fields, start, header.body, len(raw))


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


def _scan(
    raw: bytes | mmap,
    start: int,
    end: int,
    budget: Budget,
    depth: int,
    default_type: str,
    going_on: frozenset[str],
) -> Part:
    budget.part(depth)
    header = _read_header(raw, start, end, budget.limits, going_on)
    fields, body = header.fields, header.body
    budget.header(body - start, len(fields))
    part = Part(fields, start, body, end, (), default_type, damage=header.damage)
    inner: tuple[Part, ...] = ()
    is_closed = True
    if part.maintype == "multipart":
        child_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        boundary = part.parameter("boundary").encode("utf-8", "replace").rstrip()
        spans, is_closed = _split(raw, body, end, boundary, budget)
        inner = tuple(
            _scan(raw, child_start, child_end, budget, depth + 1, child_type, _OF_A_PART)
            for child_start, child_end in spans
        )
    elif part.is_message and part.encoding not in ("base64", "quoted-printable"):
        start_inside = _skip_leading(raw, body, end)
        inner = (_scan(raw, start_inside, end, budget, depth + 1, "text/plain", _OF_A_MESSAGE),)
    if not inner:
        return part
    return Part(fields, start, body, end, inner, default_type, is_closed, header.damage)


def _read_header(raw: bytes | mmap, start: int, end: int, limits: Limits, going_on: frozenset[str]) -> Header:
    """Return the header that begins at ``start``; a field in ``going_on`` tells that a damaged line does not end it."""
    limit = min(end, start + limits.header_bytes + 1)
    fields, position = _read_fields(raw, start, limit, limits.header_fields)
    damage = None
    while position < limit and len(fields) <= limits.header_fields:
        wanted = going_on - {each.name for each in fields}
        next_field = _next_field(raw, position, limit, wanted)
        if next_field == position:
            break
        line = raw[position:next_field]
        damage = damage if damage is not None else unfold(line[:_MAX_SHOWN])
        if fields and not _WORDS_AND_COLON.match(line):  # a continuation that lost its indentation
            fields[-1] = Field(fields[-1].name, fields[-1].value + b"\n " + line.rstrip())
        below, position = _read_fields(raw, next_field, limit, limits.header_fields - len(fields))
        fields += (field for field in below if field.name in _BELOW_DAMAGE)
    blank = _BLANK.match(raw, position, end)
    # Without an empty line the body begins where the header stops being one.
    return Header(tuple(fields), blank.end() if blank else position, damage)


def _read_fields(raw: bytes | mmap, position: int, limit: int, most: int) -> tuple[list[Field], int]:
    """Return the fields that begin at ``position``, ``most`` and one more, and the offset behind them."""
    fields: list[Field] = []
    while position < limit and (match := _FIELD.match(raw, position, limit)):
        fields.append(Field(match[1].decode("ascii").lower(), match[2]))
        position = match.end()
        if len(fields) > most:
            break
    return fields, position


def _next_field(raw: bytes | mmap, position: int, limit: int, wanted: frozenset[str]) -> int:
    """Return where the header goes on after a few lines that are no fields; ``position`` where it does not.

    It goes on with a field that is ``wanted``, because it is not there yet: a text without an empty line before it may quote a
    header.
    """
    start = position
    for _ in range(_MAX_DAMAGE):
        line = _LINE.match(raw, position, limit)
        if line is None or not line[0].strip() or line[0].startswith(b"--"):
            return start
        indented = position + len(line[0]) - len(line[0].lstrip(b" \t"))
        for found in (indented, line.end()):
            field = _FIELD.match(raw, found, limit)
            if field is not None:
                return found if field[1].decode("ascii").lower() in wanted else start
        position = line.end()
    return start


def _split(
    raw: bytes | mmap, start: int, end: int, boundary: bytes, budget: Budget
) -> tuple[list[tuple[int, int]], bool]:
    """Return the spans of the parts between the delimiters, and whether the last delimiter is there."""
    if not boundary:
        return [], True
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
    return spans, opened is None


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
