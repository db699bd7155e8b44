"""Parses raw bytes into a message that can be read without fear: nothing here raises on any input."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from functools import cached_property
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.outlook.item import OutlookFile
from imio.mailbridge.message.outlook.item import OutlookItem
from imio.mailbridge.message.outlook.msg_file import MAGIC as OLE
from imio.mailbridge.message.outlook.msg_file import read_msg
from imio.mailbridge.message.outlook.rtf import is_rtf
from imio.mailbridge.message.outlook.rtf import MAX_SIZE as MAX_RTF
from imio.mailbridge.message.outlook.rtf import text_of
from imio.mailbridge.message.outlook.tnef import read_tnef
from imio.mailbridge.message.outlook.to_rfc5322 import MEDIA_TYPE as MSG_TYPE
from imio.mailbridge.message.outlook.to_rfc5322 import write
from imio.mailbridge.message.parsing.attachment import Attachment
from imio.mailbridge.message.parsing.attachment import attachment
from imio.mailbridge.message.parsing.attachment import content_of
from imio.mailbridge.message.parsing.attachment import InlineImage
from imio.mailbridge.message.parsing.attachment import part_bytes
from imio.mailbridge.message.parsing.attachment import part_filename
from imio.mailbridge.message.parsing.bodies import Body
from imio.mailbridge.message.parsing.bodies import read_bodies
from imio.mailbridge.message.parsing.bodies import Text
from imio.mailbridge.message.parsing.disposition import content_id
from imio.mailbridge.message.parsing.disposition import is_calendar
from imio.mailbridge.message.parsing.disposition import read_part
from imio.mailbridge.message.parsing.disposition import sort_parts
from imio.mailbridge.message.parsing.disposition import Sorted
from imio.mailbridge.message.parsing.filter_mark import sender_mark
from imio.mailbridge.message.parsing.filter_mark import unwanted_mark
from imio.mailbridge.message.parsing.opaque_signature import signed_content
from imio.mailbridge.message.syntax import structure
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.charset import Decoded
from imio.mailbridge.message.syntax.charset import read_text
from imio.mailbridge.message.syntax.doubt import Doubt
from imio.mailbridge.message.syntax.filename import message_filename
from imio.mailbridge.message.syntax.filename import safe_filename
from imio.mailbridge.message.syntax.filename import type_by_name
from imio.mailbridge.message.syntax.header import decode
from imio.mailbridge.message.syntax.header import unfold
from imio.mailbridge.message.syntax.limits import TooComplex
from imio.mailbridge.message.syntax.message_id import parse_message_ids
from imio.mailbridge.message.syntax.structure import is_message_header
from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.transfer_encoding import ends_in_group
from imio.mailbridge.message.syntax.transfer_encoding import uuencoded_files
from imio.mailbridge.message.syntax.written_date import parse_date
from imio.mailbridge.message.syntax.written_date import ReadDate
from io import BufferedReader
from io import BytesIO
from io import RawIOBase
from itertools import islice
from mmap import ACCESS_READ
from mmap import mmap
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any
from typing import BinaryIO
import os
import re


_PIECE = 1 << 18
#: Octets of a file that tell what it is.
_SIGNATURE = 65_536
_TNEF_TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")
_RTF_TYPES = ("text/rtf", "application/rtf", "text/richtext")
_MEDIA = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}", re.IGNORECASE)
#: A file larger than this many bytes is mapped into memory.
_MAP_FROM = 1 << 20
_MAX_CALENDAR = 300_000
_MAX_SUBJECT = 2_000
_MAX_SAW = 300
_PKCS7 = ("application/pkcs7-mime", "application/x-pkcs7-mime")
#: Object identifier of enveloped data (RFC 5652 §6.1) and authenticated enveloped data (RFC 5083).
_ENVELOPED = (b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17")


@dataclass(frozen=True, eq=False)
class ParsedMessage:
    """A message: ``raw`` holds its bytes, which may be mapped from a file; everything else is read from them on demand.

    ``defect`` is a reason code: ``too-complex`` (only the header can be read), ``unreadable`` (not a message), or None.
    ``original`` holds the bytes as they came when ``raw`` was made from them: an Outlook file, or a message with CR as line end.
    """

    raw: bytes | mmap
    root: Part
    defect: str | None = None
    original: bytes | mmap | None = None

    @property
    def media_type(self) -> str:
        """Return the media type of the bytes as they came."""
        return MSG_TYPE if self.original is not None and _is_ole(self.original) else "message/rfc822"

    def open(self) -> BinaryIO:
        """Return a binary stream of the bytes as they came."""
        octets = self.raw if self.original is None else self.original
        return BytesIO(octets) if isinstance(octets, bytes) else BufferedReader(_Mapped(octets))

    def copy_to(self, target: BinaryIO) -> None:
        """Write the bytes as they came to a binary stream. Errors: those of the stream."""
        with self.open() as source:
            copyfileobj(source, target, _PIECE)

    def header(self, name: str) -> str | None:
        """Return the first field called ``name`` decoded and on one line, or None."""
        values = self.root.values(name.lower())
        return decode(values[0]) if values else None

    def headers(self, name: str) -> tuple[str, ...]:
        """Return all fields called ``name`` decoded, each on one line, topmost first."""
        return tuple(decode(value) for value in self.root.values(name.lower()))

    def addresses(self, name: str) -> tuple[Address, ...]:
        """Return the addresses of all fields called ``name``."""
        return tuple(
            address for value in self.root.values(name.lower()) for address in header_addresses(unfold(value))
        )

    @cached_property
    def authors(self) -> tuple[Address, ...]:
        """Return the addresses of the first From field that has one."""
        for value in self.root.values("from"):
            if addresses := header_addresses(unfold(value)):
                return addresses
        return ()

    @property
    def author(self) -> Address | None:
        """Return the first author, or None."""
        return self.authors[0] if self.authors else None

    @cached_property
    def to(self) -> tuple[Address, ...]:
        """Return the addresses of To."""
        return self.addresses("to")

    @cached_property
    def cc(self) -> tuple[Address, ...]:
        """Return the addresses of Cc."""
        return self.addresses("cc")

    @cached_property
    def subject(self) -> str | None:
        """Return the subject, at most ``_MAX_SUBJECT`` characters of it; None without such a field."""
        subject = self.header("subject")
        return subject[:_MAX_SUBJECT] if subject is not None else None

    @cached_property
    def date(self) -> datetime | None:
        """Return the date (``date_in``) of a message to a town of which nothing is known."""
        return self._read_date.at

    def date_in(self, zone: tzinfo | None) -> datetime | None:
        """Return the date with its offset; where it names no zone, in that of the town. None when it is missing or implausible."""
        found = self._read_date
        if found.guess != "zone-guessed" or found.at is None or zone is None:
            return found.at
        return found.at.replace(tzinfo=zone)

    @cached_property
    def _read_date(self) -> ReadDate:
        found = ReadDate(None, "date-missing")
        for value in self.root.values("date"):
            found = parse_date(unfold(value))
            if found.at is not None:
                break
        return found

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """Return what was guessed and what is wrong with the message, in the order of ``DOUBTS``."""
        dates = self.root.values("date")
        guess = self._read_date.guess
        said = "; ".join(map(decode, dates)) if guess or len(dates) > 1 else ""
        saw = (
            ("charset-guessed", self._charset_guessed),
            ("date-repeated", said if len(dates) > 1 else None),
            (guess, said if guess else None),
            ("message-id-missing", "" if self.message_id is None else None),
            ("header-damaged", self.root.damage),
            ("truncated", "" if self.is_truncated else None),
            ("attachment-damaged", self._damaged_attachment),
            ("marked-as-unwanted", unwanted_mark(self.root)),
            ("sender-doubted", sender_mark(self.root)),
        )
        return tuple(Doubt(code, text[:_MAX_SAW]) for code, text in saw if text is not None)

    @property
    def is_truncated(self) -> bool:
        """Tell whether the end of the message seems to be missing: a multipart is not closed, or base64 ends in a group."""
        if self.defect is not None:
            return False
        in_base64 = self.root.encoding == "base64" and not self.root.parts
        return not self.root.is_closed or in_base64 and ends_in_group(self.raw, self.root.body, self.root.end)

    @property
    def _damaged_attachment(self) -> str | None:
        """Return the name of the first attachment in a complete message whose base64 ends in a group, or None."""
        if self.is_truncated:
            return None
        for part in self._sorted.attached:
            if part.encoding == "base64" and ends_in_group(self.raw, part.body, part.end):
                return part_filename(self.raw, part)
        return None

    @property
    def _charset_guessed(self) -> str | None:
        """Return the charset that does not fit its text, or None."""
        for part, decoded in self._bodies.items():
            if decoded.guessed:
                return part.parameter("charset")
        names = ("from", "subject")
        raw = (value for name in names for value in self.root.values(name) if not value.isascii())
        if any(read_text(value).guessed for value in raw):
            return ""
        return None

    @cached_property
    def message_id(self) -> str | None:
        """Return the Message-ID with its angle brackets, or None."""
        for value in self.root.values("message-id"):
            if ids := parse_message_ids(value):
                return ids[0]
        return None

    @cached_property
    def in_reply_to(self) -> tuple[str, ...]:
        """Return the Message-IDs of In-Reply-To."""
        return self._ids("in-reply-to")

    @cached_property
    def references(self) -> tuple[str, ...]:
        """Return the Message-IDs of References."""
        return self._ids("references")

    def _ids(self, name: str) -> tuple[str, ...]:
        return tuple(found for value in self.root.values(name) for found in parse_message_ids(value))

    @cached_property
    def content(self) -> tuple[bytes | mmap, Part]:
        """Return the bytes and the structure to read the body from: the message, or the content of an opaque signature."""
        if self.defect is None and self.root.content_type in _PKCS7:
            signed = signed_content(part_bytes(self.raw, self.root))
            if signed is not None:
                return signed, structure.scan(signed)
        return self.raw, self.root

    @cached_property
    def _sorted(self) -> Sorted:
        return sort_parts(*self.content) if self.defect is None else Sorted((), (), (), ())

    @cached_property
    def text(self) -> str | None:
        """Return the plain text with ``\\n`` line ends, or None."""
        if self._plain[0] is None and not self._sorted.html:
            return next(filter(None, (item.text for _part, item in self._packed)), self._rtf)
        return self._plain[0]

    @cached_property
    def html(self) -> str | None:
        """Return the HTML as its author wrote it, which is not safe to show; None when there is none."""
        if not self._sorted.html and self._plain[0] is None:
            return next((item.html for _part, item in self._packed if item.html), None)
        return self._text(self._sorted.html)

    @property
    def _rtf(self) -> str | None:
        """Return the text of the first RTF document, which is an attachment too."""
        raw = self.content[0]
        parts = (part for part in self._sorted.attached if part.content_type in _RTF_TYPES)
        return next(
            (text_of(part_bytes(raw, part)) or None for part in parts if part.end - part.body < 2 * MAX_RTF),
            None,
        )

    def _text(self, parts: tuple[Part, ...]) -> str | None:
        return "\n".join(self._bodies[part].text for part in parts) if parts else None

    @cached_property
    def _bodies(self) -> dict[Part, Decoded]:
        parts = (*self._sorted.text, *self._sorted.html)
        return {part: read_part(self.content[0], part) for part in parts}

    @cached_property
    def _plain(self) -> tuple[str | None, tuple[Attachment, ...]]:
        """Return the text without the uuencoded files in it, and those files."""
        found = self._text(self._sorted.text)
        return (None, ()) if found is None else _without_files(found)

    @cached_property
    def _packed(self) -> tuple[tuple[Part, OutlookItem], ...]:
        """Return the parts that Outlook packed (``winmail.dat``), opened."""
        raw = self.content[0]
        opened = ((part, read_tnef(part_bytes(raw, part))) for part in self._sorted.attached if is_tnef(part))
        return tuple((part, item) for part, item in opened if item is not None)

    @cached_property
    def _embedded(self) -> dict[int, "ParsedMessage"]:
        files = (file for _part, item in self._packed for file in item.files)
        return {id(file): outlook_message(file.message) for file in files if file.message is not None}

    @property
    def packed_messages(self) -> tuple["ParsedMessage", ...]:
        """Return the messages that are embedded in a ``winmail.dat``."""
        return tuple(self._embedded.values())

    @cached_property
    def attachments(self) -> tuple[Attachment, ...]:
        """Return what a person would call attachments, including attached messages; a ``winmail.dat`` is replaced by its files."""
        return self._files()

    def attachments_beside(self, messages: Iterable[Part]) -> tuple[Attachment, ...]:
        """Return the attachments but the parts that are ``messages``, and those embedded in a ``winmail.dat``."""
        embedded = (file for file, found in self._embedded.items() if found.defect != "unreadable")
        return self._files(frozenset((*map(id, messages), *embedded)))

    def _files(self, left_out: frozenset[int] = frozenset()) -> tuple[Attachment, ...]:
        opened = {id(part): found for part, found in self._packed}
        files: list[Attachment] = []
        for part in self._sorted.attached:
            if id(part) in opened:
                packed = (file for file in opened[id(part)].files if id(file) not in left_out)
                files += map(self._packed_file, packed)
            elif id(part) not in left_out:
                files.append(attachment(self.content[0], part))
        return (*files, *self._plain[1])

    def _packed_file(self, file: OutlookFile) -> Attachment:
        message = self._embedded.get(id(file))
        if message is not None:
            name = message_filename(message.subject)
            return Attachment(name, "message/rfc822", lambda: message.raw[:], lambda: _octets(message.raw))
        kind = file.content_type if _MEDIA.fullmatch(file.content_type) else type_by_name(file.name)
        return Attachment(
            safe_filename(file.name, kind, bytes(file.content[:_SIGNATURE])),
            kind,
            lambda: bytes(file.content),
            lambda: _octets(file.content),
        )

    @cached_property
    def body(self) -> Body:
        """Return the texts of the message in their order and forms, without the uuencoded files in them."""
        root = self.content[1]
        plain, html = ({id(part) for part in parts} for parts in (self._sorted.text, self._sorted.html))
        if not plain and not html:
            return tuple(Text(text, text is self.html) for text in (self.html or self.text,) if text)

        def text_of(part: Part) -> Text | None:
            if id(part) in html:
                return Text(self._bodies[part].text, True)
            return Text(_without_files(self._bodies[part].text)[0], False) if id(part) in plain else None

        return read_bodies(root, text_of)

    @property
    def body_size(self) -> int:
        """Return how many bytes hold the texts, still encoded."""
        return sum(part.end - part.body for part in (*self._sorted.text, *self._sorted.html))

    @property
    def calendars(self) -> tuple[str, ...]:
        """Return the first calendars of the message, unread."""
        if self.defect is not None:
            return ()
        raw = self.content[0]
        parts = (part for part in self.content[1].walk() if is_calendar(part))
        return tuple(
            read_part(raw, part).text for part in islice(parts, 5) if part.end - part.body < _MAX_CALENDAR
        )

    @cached_property
    def inline_images(self) -> tuple[InlineImage, ...]:
        """Return the images that the HTML shows."""
        return tuple(
            InlineImage(
                content_id(part),
                part_filename(self.content[0], part),
                part.content_type,
                content_of(self.content[0], part),
                part.first("content-location"),
            )
            for part in self._sorted.inline
        )

    @cached_property
    def is_encrypted(self) -> bool:
        """Tell whether the message holds nothing but encrypted content (RFC 8551, RFC 3156, inline OpenPGP)."""
        if self.defect is not None:
            return False
        if any(
            part.content_type in ("multipart/encrypted", "application/pgp-encrypted")
            for part in self.root.walk()
        ):
            return True
        text = (self.text or "").strip()
        if text.startswith("-----BEGIN PGP MESSAGE-----") and not self.html:
            return True
        return not text and not self.html and any(_is_enveloped(self.raw, part) for part in self.root.walk())


def _without_files(text: str) -> tuple[str, tuple[Attachment, ...]]:
    """Return a text without the uuencoded files in it, and those files; RTF becomes text."""
    if is_rtf(text[:64].encode("ascii", "replace")):
        return text_of(text.encode("cp1252", "replace")) or text, ()
    left, files = uuencoded_files(text)
    return left, tuple(
        Attachment(safe_filename(name, type_by_name(name)), type_by_name(name), _constant(content))
        for name, content in files
    )


class _Mapped(RawIOBase):
    """A stream over mapped bytes with a position of its own; nothing is copied."""

    def __init__(self, octets: mmap) -> None:
        self._octets, self._position = octets, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._octets[self._position : self._position + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def parse(source: bytes | BinaryIO) -> ParsedMessage:
    """Return the message in ``source``, which is bytes or an open binary file. Never fails.

    A large file is mapped, not read: the message stays readable after the file is closed, as long as its bytes do not change.
    """
    raw = source if isinstance(source, bytes) else _read(source)
    try:
        if not _is_ole(raw) and raw.find(b"\n") < 0 and raw.find(b"\r") >= 0:
            return replace(parse(raw[:].replace(b"\r", b"\n")), original=raw)
        if _is_ole(raw) and (item := read_msg(raw)) is not None:
            return replace(outlook_message(item), original=raw)
        message = ParsedMessage(raw, structure.scan(raw))
        if not is_message_header(message.root):
            return replace(message, defect="unreadable")
        if any(part.content_type in _PKCS7 or is_tnef(part) for part in message.root.walk()):
            message._packed  # noqa: B018 - packed content must be within the limits too
    except TooComplex:
        original = raw if _is_ole(raw) else None
        return ParsedMessage(raw, structure.scan_header(raw), "too-complex", original)
    return message


def _is_ole(raw: bytes | mmap) -> bool:
    return raw[: len(OLE)] == OLE


def outlook_message(item: OutlookItem) -> ParsedMessage:
    """Return a message in one of Outlook's formats as it would have been sent."""
    with TemporaryFile() as target:
        write(item, target)
        target.seek(0)
        return parse(target)


def _read(source: BinaryIO) -> bytes | mmap:
    try:
        descriptor = source.fileno()
        if os.fstat(descriptor).st_size > _MAP_FROM and source.tell() == 0:
            return mmap(descriptor, 0, access=ACCESS_READ)
    except (OSError, ValueError, AttributeError):
        pass  # not a real file
    return source.read()


def is_tnef(part: Part) -> bool:
    """Tell whether a part is declared to be a ``winmail.dat``."""
    return part.content_type in _TNEF_TYPES or part.filename.lower() == "winmail.dat"


def _is_enveloped(raw: bytes | mmap, part: Part) -> bool:
    if part.content_type not in _PKCS7:
        return False
    smime_type = part.parameter("smime-type").lower()
    if smime_type in ("enveloped-data", "authenveloped-data"):
        return True
    if smime_type:
        return False
    return any(oid in part_bytes(raw, part)[:80] for oid in _ENVELOPED)


def _octets(octets: bytes | mmap | memoryview) -> Iterator[bytes]:
    return (bytes(octets[start : start + _PIECE]) for start in range(0, len(octets), _PIECE))


def _constant(content: bytes) -> Callable[[], bytes]:
    return lambda: content
