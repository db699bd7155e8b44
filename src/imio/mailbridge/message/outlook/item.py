"""Reads the properties of a message (MS-OXPROPS), which are the same in a ``.msg`` file and in TNEF."""

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.message.outlook.rtf import decompressed
from imio.mailbridge.message.outlook.rtf import text_of
from imio.mailbridge.message.syntax.charset import decode_text
from typing import Protocol
import codecs


#: With more files, or more messages inside one another, an item is ``TooComplex``.
MAX_FILES = 500
MAX_DEPTH = 5

_CLASS, _SUBJECT, _SENT, _DELIVERED = 0x001A, 0x0037, 0x0039, 0x0E06
_HEADERS, _MESSAGE_ID, _REFERENCES, _IN_REPLY_TO = 0x007D, 0x1035, 0x1039, 0x1042
_TEXT, _RTF, _HTML = 0x1000, 0x1009, 0x1013
#: Name, SMTP address and address of any kind: of the author (From), then of the person who sent on their behalf (Sender).
_AUTHOR, _SENDER = (0x0042, 0x5D02, 0x0065), (0x0C1A, 0x5D01, 0x0C1F)
_RECIPIENT, _RECIPIENT_KIND = (0x3001, 0x39FE, 0x3003), 0x0C15
_FILE_NAMES, _MEDIA_TYPE, _CONTENT_ID = (0x3707, 0x3704, 0x3001), 0x370E, 0x3712
_CODECS = {65001: "utf-8", 20127: "ascii", 28591: "iso-8859-1", 28605: "iso-8859-15", 50220: "iso-2022-jp"}
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


class Properties(Protocol):
    """The properties of a message, a file or a recipient by their 16-bit ids; a missing one is empty or 0."""

    def text(self, *ids: int) -> str:
        """Return the first non-empty text among these properties."""

    def octets(self, id: int) -> bytes:
        """Return the bytes of a property."""

    def ticks(self, id: int) -> int:
        """Return a number, or a time in 100 ns since 1601."""


@dataclass
class OutlookFile:
    """A file: ``message`` is set for an embedded message, ``content`` for any other file."""

    name: str = ""
    content_type: str = ""
    content_id: str = ""
    content: bytes | memoryview = b""
    message: "OutlookItem | None" = None


@dataclass
class OutlookItem:
    """A message: ``headers`` is the text of the transport headers; ``author`` and recipients are (name, address)."""

    kind: str = ""
    subject: str = ""
    author: tuple[str, str] = ("", "")
    to: list[tuple[str, str]] = field(default_factory=list)
    cc: list[tuple[str, str]] = field(default_factory=list)
    sent: datetime | None = None
    headers: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: str = ""
    text: str = ""
    html: str = ""
    files: list[OutlookFile] = field(default_factory=list)


def describe(item: OutlookItem, properties: Properties) -> None:
    """Copy the properties of a message into ``item``. Errors: ``TooComplex``."""
    item.kind = properties.text(_CLASS) or item.kind
    item.subject = properties.text(_SUBJECT) or item.subject
    item.author = _author(properties)
    item.sent = _time(properties.ticks(_SENT) or properties.ticks(_DELIVERED))
    item.headers = properties.text(_HEADERS)
    item.message_id = properties.text(_MESSAGE_ID)
    item.in_reply_to, item.references = properties.text(_IN_REPLY_TO), properties.text(_REFERENCES)
    item.html = properties.text(_HTML)
    item.text = properties.text(_TEXT) or item.text
    if not item.text and not item.html:
        item.text = text_of(decompressed(properties.octets(_RTF)))


def add_recipient(item: OutlookItem, properties: Properties) -> None:
    """Add a recipient of To or Cc; those of Bcc are left out."""
    kind = properties.ticks(_RECIPIENT_KIND)
    if kind in (1, 2):
        (item.to if kind == 1 else item.cc).append(_person(properties, _RECIPIENT))


def describe_file(file: OutlookFile, properties: Properties) -> None:
    """Copy name and type from the properties of a file into ``file``."""
    file.name = properties.text(_FILE_NAMES[0]) or file.name or properties.text(*_FILE_NAMES[1:])
    file.content_type, file.content_id = properties.text(_MEDIA_TYPE), properties.text(_CONTENT_ID)


def decoded(octets: bytes, codepage: int) -> str:
    """Return text in a Windows code page, 0 where none is declared, without the NULs at its end."""
    name = _CODECS.get(codepage, f"cp{codepage}")
    try:
        codecs.lookup(name)
    except LookupError:
        name = "cp1252"
    return decode_text(octets.rstrip(b"\0"), name)


def decoded_wide(octets: bytes) -> str:
    """Return text in UTF-16 without the NULs at its end."""
    return octets.decode("utf-16-le", "replace").rstrip("\0")


def _author(properties: Properties) -> tuple[str, str]:
    author, sender = _person(properties, _AUTHOR), _person(properties, _SENDER)
    # A delegate who sends on behalf of the author is not the author: their internal addresses differ.
    differ = len({properties.text(_AUTHOR[2]), properties.text(_SENDER[2]), ""}) == 3
    return author if author[1] or (differ and author[0]) else (sender if sender[1] or sender[0] else author)


def _person(properties: Properties, ids: tuple[int, int, int]) -> tuple[str, str]:
    name, *addresses = ids
    # An Exchange name (/o=ExchangeLabs/…) is not an address.
    found = (properties.text(each) for each in addresses)
    return properties.text(name), next((each for each in found if "@" in each and each[0] != "/"), "")


def _time(ticks: int) -> datetime | None:
    return _EPOCH + timedelta(microseconds=ticks // 10) if 0 < ticks < 2_500_000_000_000_000_000 else None
