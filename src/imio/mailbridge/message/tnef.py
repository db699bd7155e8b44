"""What is in a ``winmail.dat``? Files, text and messages that Outlook packed into TNEF (MS-OXTNEF).

The libraries for it trust the counts in the file and can be made to run for hours; this reader stops at the end of the bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from imio.mailbridge.message.rtf import decompressed
import codecs
import struct


SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_ATTRIBUTES = 20_000
MAX_FILES = 500
MAX_DEPTH = 5

_BODY, _SUBJECT, _TITLE, _DATA, _NEW_FILE = 0x800C, 0x8004, 0x8010, 0x800F, 0x9002
_MESSAGE_PROPERTIES, _FILE_PROPERTIES, _CODEPAGE = 0x9003, 0x9005, 0x9007
_FIXED = {1: 0, 2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = (0x0D, 0x1E, 0x1F, 0x102)
#: In front of a message that is embedded as an object.
_IMESSAGE = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
_HEADERS, _MESSAGE_ID, _SENT = 0x007D, 0x1035, 0x0039
_TEXT, _HTML, _RTF, _TITLE_PROPERTY = 0x1000, 0x1013, 0x1009, 0x0037
_SMTP_ADDRESSES, _NAMES, _ADDRESSES = (0x5D01, 0x5D02), (0x0C1A, 0x0042), (0x0C1F, 0x0065)
_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME, _MIME, _OBJECT = 0x3707, 0x3704, 0x3001, 0x370E, 0x3701


@dataclass
class TnefFile:
    """A file: ``message`` is set when it is an embedded message."""

    name: str = ""
    content_type: str = ""
    content: bytes = b""
    message: "Tnef | None" = None


@dataclass
class Tnef:
    """What was found. ``sender`` is an e-mail address or empty, ``headers`` those of the transport, as text."""

    files: list[TnefFile] = field(default_factory=list)
    subject: str = ""
    text: str = ""
    html: str = ""
    rtf: bytes = b""
    headers: str = ""
    message_id: str = ""
    sender: str = ""
    sender_name: str = ""
    sent: datetime | None = None


def read_tnef(octets: bytes, depth: int = 0) -> Tnef | None:
    """Return what the file holds, as far as it can be read; None when it is no TNEF. Never fails."""
    if not octets.startswith(SIGNATURE) or depth > MAX_DEPTH:
        return None
    found, encoding = Tnef(), "cp1252"
    for attribute, start, end in _attributes(octets):
        if attribute == _CODEPAGE and end - start >= 4:
            encoding = _encoding(struct.unpack_from("<I", octets, start)[0])
        elif attribute == _NEW_FILE and len(found.files) < MAX_FILES:
            found.files.append(TnefFile())
        elif attribute in (_BODY, _SUBJECT):
            text = _string(octets[start:end], encoding)
            found.text, found.subject = (text, found.subject) if attribute == _BODY else (found.text, text)
        elif attribute == _MESSAGE_PROPERTIES:
            _describe(found, dict(_properties(octets[start:end])), encoding)
        elif found.files and attribute == _TITLE:
            found.files[-1].name = found.files[-1].name or _string(octets[start:end], encoding)
        elif found.files and attribute == _DATA:
            found.files[-1].content = octets[start:end]
        elif found.files and attribute == _FILE_PROPERTIES:
            _describe_file(found.files[-1], dict(_properties(octets[start:end])), encoding, depth)
    return found


def _attributes(octets: bytes) -> Iterator[tuple[int, int, int]]:
    position = 6
    for _count in range(MAX_ATTRIBUTES):
        if position + 9 > len(octets):
            return
        name, length = struct.unpack_from("<xHxxI", octets, position)
        start = position + 9
        end = min(start + length, len(octets))
        yield name, start, end
        position = end + 2


def _properties(octets: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Yield property id and (type, bytes), the first value of several."""
    try:
        (count,) = struct.unpack_from("<I", octets, 0)
        position = 4
        for _number in range(min(count, MAX_ATTRIBUTES)):
            kind, name = struct.unpack_from("<HH", octets, position)
            position += 4
            if name >= 0x8000:
                (named,) = struct.unpack_from("<I", octets, position + 16)
                position += 20
                if named:
                    (length,) = struct.unpack_from("<I", octets, position)
                    position += 4 + _padded(length)
                else:
                    position += 4
            several, kind = bool(kind & 0x1000), kind & 0xFFF
            values = 1
            if several or kind in _VARIABLE:
                (values,) = struct.unpack_from("<I", octets, position)
                position += 4
            for number in range(min(values, MAX_ATTRIBUTES)):
                length = _FIXED.get(kind, 0)
                if kind in _VARIABLE:
                    (length,) = struct.unpack_from("<I", octets, position)
                    position += 4
                elif kind not in _FIXED:
                    return
                if position + length > len(octets):
                    return
                if number == 0:
                    yield name, (kind, octets[position : position + length])
                position += _padded(length)
    except struct.error:
        return


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4


def _describe(found: Tnef, properties: dict[int, tuple[int, bytes]], encoding: str) -> None:
    def text(*names: int) -> str:
        return next((_text(*properties[name], encoding) for name in names if name in properties), "")

    found.subject = text(_TITLE_PROPERTY) or found.subject
    found.text = text(_TEXT) or found.text
    found.html = text(_HTML)
    found.headers, found.message_id = text(_HEADERS), text(_MESSAGE_ID)
    found.sender_name = text(*_NAMES)
    # an Exchange name (/o=ExchangeLabs/…) is no address
    addresses = [text(*_SMTP_ADDRESSES), text(*_ADDRESSES)]
    found.sender = next((each for each in addresses if "@" in each and not each.startswith("/")), "")
    if _RTF in properties:
        found.rtf = decompressed(properties[_RTF][1])
    kind, octets = properties.get(_SENT, (0, b""))
    if kind == 0x40 and len(octets) == 8:
        ticks = int.from_bytes(octets, "little") // 10
        if 0 < ticks < 255_000_000_000_000_000:
            found.sent = datetime(1601, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=ticks)


def _describe_file(
    file: TnefFile, properties: dict[int, tuple[int, bytes]], encoding: str, depth: int
) -> None:
    def text(name: int) -> str:
        return _text(*properties[name], encoding) if name in properties else ""

    file.name = text(_LONG_NAME) or file.name or text(_SHORT_NAME) or text(_DISPLAY_NAME)
    file.content_type = text(_MIME)
    kind, content = properties.get(_OBJECT, (0, b""))
    if content.startswith(_IMESSAGE):
        file.message = read_tnef(content[len(_IMESSAGE) :], depth + 1)
    elif content and not file.content:
        file.content = content


def _text(kind: int, octets: bytes, encoding: str) -> str:
    if kind == 0x1F:
        return (
            octets.decode("utf-16-le", "replace").partition("\0")[0]
            if len(octets) < 2000
            else octets.decode("utf-16-le", "replace").rstrip("\0")
        )
    return _string(octets, encoding)


def _string(octets: bytes, encoding: str) -> str:
    return octets.decode(encoding, "replace").rstrip("\0")


def _encoding(codepage: int) -> str:
    name = {65001: "utf-8", 20127: "ascii", 28591: "iso-8859-1", 28605: "iso-8859-15"}.get(
        codepage, f"cp{codepage}"
    )
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
