"""Reads Outlook ``.msg`` files (MS-OXMSG): olefile reads the compound file, this module the properties in it.

olefile trusts the sizes that a file declares, so they are compared with its real size first, and the total read is bounded.
"""

from collections.abc import Iterator
from imio.mailbridge.message.outlook.item import add_recipient
from imio.mailbridge.message.outlook.item import decoded
from imio.mailbridge.message.outlook.item import decoded_wide
from imio.mailbridge.message.outlook.item import describe
from imio.mailbridge.message.outlook.item import describe_file
from imio.mailbridge.message.outlook.item import MAX_DEPTH
from imio.mailbridge.message.outlook.item import MAX_FILES
from imio.mailbridge.message.outlook.item import OutlookFile
from imio.mailbridge.message.outlook.item import OutlookItem
from imio.mailbridge.message.syntax.limits import TooComplex
from mmap import mmap
from olefile import OleFileIO
import struct


MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_SIZE = 100_000_000
#: Streams and storages: a message has about 60, each file and recipient about 15.
MAX_ENTRIES = 10_000
MAX_RECIPIENTS = 500

_VALUES = "__properties_version1.0"
_CODEPAGE, _BODY_CODEPAGE, _BODIES = 0x3FFD, 0x3FDE, (0x1000, 0x1013)
_CONTENT, _METHOD, _IS_MESSAGE = 0x3701, 0x3705, 5
_EMBEDDED = f"__substg1.0_{_CONTENT:04X}000D"
_HEAD, _HEAD_EMBEDDED, _HEAD_INSIDE = 32, 24, 8
#: Items of Outlook that are not mail.
_NO_MAIL = ("ipm.contact", "ipm.task", "ipm.appointment", "ipm.stickynote", "ipm.activity", "ipm.distlist")


def read_msg(octets: bytes | mmap) -> OutlookItem | None:
    """Return the message in the file, or None when it holds none. Errors: ``TooComplex``."""
    if octets[: len(MAGIC)] != MAGIC or not _is_sound(octets):
        return None
    if len(octets) > MAX_SIZE:
        raise TooComplex("size of a .msg")
    try:
        with OleFileIO(octets) as ole:
            if len(ole.direntries) > MAX_ENTRIES or ole.root.size > len(octets):
                raise TooComplex("entries of a .msg")
            root = _Storage(_Opened(ole, len(octets)), (), ole.root, _HEAD)
            return _item(root, 0) if root.is_message else None
    except TooComplex:
        raise
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return None


def _is_sound(octets: bytes | mmap) -> bool:
    """Tell whether the header counts no more sectors than there are: olefile would allocate memory for all of them."""
    if len(octets) < 1536:
        return False
    sector, mini_sector, tables, mini_tables = struct.unpack_from("<30xHH10xI16xI", octets)
    if (sector, mini_sector) not in ((9, 6), (12, 6)):
        return False
    sectors = len(octets) >> sector
    return bool(tables << sector <= max(sectors * 8, 1 << 17) and mini_tables <= sectors)


class _Opened:
    """A compound file and how many octets may still be read from it: streams may share sectors, so the total is bounded."""

    def __init__(self, ole: OleFileIO, size: int) -> None:
        self.ole, self.left = ole, 2 * size + 65_536

    def read(self, path: tuple[str, ...], size: int) -> bytes:
        self.left -= size
        if self.left < 0:
            raise TooComplex("decompressed size of a .msg")
        content: bytes = self.ole.openstream(list(path)).read()
        return content


class _Storage:
    """The properties of a message, a file or a recipient, read on demand."""

    def __init__(self, file: _Opened, path: tuple[str, ...], entry: object, head: int) -> None:
        self.file, self.path = file, path
        self.entries = entry.kids_dict  # type: ignore[attr-defined]
        values = self._stream(_VALUES)[head:]
        self.values = {
            name: (kind, int.from_bytes(value, "little"))
            for kind, name, value in struct.iter_unpack("<HH4x8s", values[: len(values) // 16 * 16])
        }

    @property
    def is_message(self) -> bool:
        return _VALUES in self.entries and not self.text(0x001A).lower().startswith(_NO_MAIL)

    def _stream(self, name: str) -> bytes:
        entry = self.entries.get(name.lower())
        return self.file.read((*self.path, name), entry.size) if entry is not None else b""

    def text(self, *ids: int) -> str:
        return next(filter(None, map(self._text, ids)), "")

    def _text(self, id: int) -> str:
        if wide := self._stream(f"__substg1.0_{id:04X}001F"):
            return decoded_wide(wide)
        octets = self._stream(f"__substg1.0_{id:04X}001E") or (self.octets(id) if id in _BODIES else b"")
        codepage = self.ticks(_CODEPAGE)
        return decoded(octets, (id in _BODIES and self.ticks(_BODY_CODEPAGE)) or codepage) if octets else ""

    def octets(self, id: int) -> bytes:
        return self._stream(f"__substg1.0_{id:04X}0102")

    def ticks(self, id: int) -> int:
        kind, value = self.values.get(id, (0, 0))
        return value if kind == 0x40 else value & 0xFFFFFFFF

    def inside(self, prefix: str, limit: int) -> Iterator["_Storage"]:
        found = [entry for name, entry in self.entries.items() if name.startswith(prefix)]
        if len(found) > limit:
            raise TooComplex("files or recipients of a .msg")
        for entry in sorted(found, key=lambda each: str(each.name)):
            yield _Storage(self.file, (*self.path, entry.name), entry, _HEAD_INSIDE)

    def embedded(self) -> "_Storage | None":
        entry = self.entries.get(_EMBEDDED.lower())
        if entry is None or self.ticks(_METHOD) != _IS_MESSAGE:
            return None
        return _Storage(self.file, (*self.path, _EMBEDDED), entry, _HEAD_EMBEDDED)


def _item(storage: _Storage, depth: int) -> OutlookItem:
    if depth > MAX_DEPTH:
        raise TooComplex("messages inside each other")
    item = OutlookItem()
    describe(item, storage)
    for recipient in storage.inside("__recip_version1.0_#", MAX_RECIPIENTS):
        add_recipient(item, recipient)
    for attached in storage.inside("__attach_version1.0_#", MAX_FILES):
        file = OutlookFile()
        describe_file(file, attached)
        embedded = attached.embedded()
        if embedded is not None:
            file.message = _item(embedded, depth + 1)
        else:
            file.content = attached.octets(_CONTENT)
        if file.message or file.content or file.name:
            item.files.append(file)
    return item
