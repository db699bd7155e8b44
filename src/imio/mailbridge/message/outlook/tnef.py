"""Reads the files, text and messages that Outlook packs into a ``winmail.dat`` (TNEF, MS-OXTNEF).

The libraries for TNEF trust the counts in the file and can be made to run for hours; this reader stops at the end of the
bytes. It copies no file: the contents are views of the bytes.
"""

from collections.abc import Iterator
from imio.mailbridge.message.outlook.item import decoded
from imio.mailbridge.message.outlook.item import decoded_wide
from imio.mailbridge.message.outlook.item import describe
from imio.mailbridge.message.outlook.item import describe_file
from imio.mailbridge.message.outlook.item import MAX_DEPTH
from imio.mailbridge.message.outlook.item import MAX_FILES
from imio.mailbridge.message.outlook.item import OutlookFile
from imio.mailbridge.message.outlook.item import OutlookItem
from imio.mailbridge.message.syntax.limits import TooComplex
import struct


SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_SIZE = 100_000_000
MAX_ATTRIBUTES = 20_000

_BODY, _SUBJECT, _TITLE, _DATA, _NEW_FILE = 0x800C, 0x8004, 0x8010, 0x800F, 0x9002
_MESSAGE_PROPERTIES, _FILE_PROPERTIES, _CODEPAGE = 0x9003, 0x9005, 0x9007
_OBJECT, _HTML_CODEPAGE = 0x3701, 0x3FDE
_FIXED = {1: 0, 2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = (0x0D, 0x1E, 0x1F, 0x102)
_WIDE, _BINARY = 0x1F, 0x102
#: Stands before a message that is embedded as an object.
_IMESSAGE = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"


def read_tnef(octets: bytes | memoryview, depth: int = 0) -> OutlookItem | None:
    """Return what can be read from the file, or None when it is not TNEF. Errors: ``TooComplex``."""
    view = memoryview(octets)
    if view[: len(SIGNATURE)] != SIGNATURE:
        return None
    if depth > MAX_DEPTH or len(view) > MAX_SIZE:
        raise TooComplex("depth or size of TNEF")
    item, codepage = OutlookItem(), 0
    for attribute, value in _attributes(view):
        if attribute == _CODEPAGE and len(value) >= 4:
            (codepage,) = struct.unpack_from("<I", value)
        elif attribute == _NEW_FILE:
            item.files.append(OutlookFile())
            if len(item.files) > MAX_FILES:
                raise TooComplex("files of TNEF")
        elif attribute == _BODY:
            item.text = decoded(bytes(value), codepage)
        elif attribute == _SUBJECT:
            item.subject = decoded(bytes(value), codepage)
        elif attribute == _MESSAGE_PROPERTIES:
            describe(item, _Properties(value, codepage))
        elif item.files and attribute == _TITLE:
            item.files[-1].name = item.files[-1].name or decoded(bytes(value), codepage)
        elif item.files and attribute == _DATA:
            item.files[-1].content = value
        elif item.files and attribute == _FILE_PROPERTIES:
            _describe_file(item.files[-1], _Properties(value, codepage), depth)
    return item


def _describe_file(file: OutlookFile, properties: "_Properties", depth: int) -> None:
    describe_file(file, properties)
    content = properties.view(_OBJECT)
    if content[: len(_IMESSAGE)] == _IMESSAGE:
        file.message = read_tnef(content[len(_IMESSAGE) :], depth + 1)
    elif content and not file.content:
        file.content = content


def _attributes(octets: memoryview) -> Iterator[tuple[int, memoryview]]:
    position = 6
    for _count in range(MAX_ATTRIBUTES):
        if position + 9 > len(octets):
            return
        name, length = struct.unpack_from("<xHxxI", octets, position)
        start = position + 9
        yield name, octets[start : start + length]
        position = start + length + 2
    raise TooComplex("attributes of TNEF")


class _Properties:
    """The properties in an attribute; of several values the first."""

    def __init__(self, octets: memoryview, codepage: int) -> None:
        self.values = dict(_properties(octets))
        self.codepage = codepage

    def text(self, *ids: int) -> str:
        return next(filter(None, map(self._text, ids)), "")

    def _text(self, id: int) -> str:
        kind, octets = self.values.get(id, (0, memoryview(b"")))
        if kind == _WIDE:
            return decoded_wide(bytes(octets))
        return decoded(bytes(octets), (kind == _BINARY and self.ticks(_HTML_CODEPAGE)) or self.codepage)

    def view(self, id: int) -> memoryview:
        return self.values.get(id, (0, memoryview(b"")))[1]

    def octets(self, id: int) -> bytes:
        return bytes(self.view(id))

    def ticks(self, id: int) -> int:
        return int.from_bytes(self.view(id)[:8], "little")


def _properties(octets: memoryview) -> Iterator[tuple[int, tuple[int, memoryview]]]:
    """Yield (id, (type, bytes)) of each property; of several values the first."""
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
