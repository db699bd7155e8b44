"""Writes a message in one of Outlook's formats as RFC 5322, so that it can be read like any other."""

from collections.abc import Iterator
from email.utils import format_datetime
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.outlook.item import OutlookFile
from imio.mailbridge.message.outlook.item import OutlookItem
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.filename import type_by_name
from imio.mailbridge.message.syntax.header import clean
from imio.mailbridge.message.syntax.header import unfold
from imio.mailbridge.message.syntax.structure import scan_header
from typing import BinaryIO
from urllib.parse import quote
import base64
import re


MEDIA_TYPE = "application/vnd.ms-outlook"

#: Transport headers that are not copied: the body is written anew, and nobody may see Bcc.
_NOT_TAKEN = frozenset(
    {"content-type", "content-transfer-encoding", "mime-version", "content-disposition", "content-length", "bcc"}
)  # fmt: skip
_OLD_TITLE = re.compile(r"\s*Microsoft Mail Internet Headers[^\n]*\n")
_FILE_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9]{1,40}/[a-z0-9!#$&^_.+-]{1,80}", re.IGNORECASE)
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,."]')
_LINE = 57
_PIECE = _LINE * 4096


def write(item: OutlookItem, target: BinaryIO, level: int = 0) -> None:
    """Write the message to a binary stream, embedded messages as attachments. Errors: those of the stream."""
    for name, value in _headers(item):
        target.write(f"{name}: {value}\r\n".encode("utf-8", "replace"))
    target.write(b"MIME-Version: 1.0\r\n")
    if level == 0 and (signed := _signed(item)) is not None:
        target.write(signed)
        return
    # No line of base64 contains an underscore, and no header line begins like a delimiter.
    outer, inner = f"=_{level}_outlook", f"=_{level}_bodies"
    target.write(_multipart("mixed", outer) + f"--{outer}\r\n".encode() + _multipart("alternative", inner))
    for kind, text in (("plain", item.text), ("html", item.html)):
        if text or (kind == "plain" and not item.html):
            _part(target, inner, f"Content-Type: text/{kind}; charset=utf-8", text.encode("utf-8", "replace"))
    target.write(f"--{inner}--\r\n".encode())
    for file in item.files:
        if file.message is not None:
            target.write(f"--{outer}\r\nContent-Type: message/rfc822\r\n\r\n".encode())
            write(file.message, target, level + 1)
            target.write(b"\r\n")
        else:
            _part(target, outer, "\r\n".join(_described(file)), file.content)
    target.write(f"--{outer}--\r\n".encode())


def _headers(item: OutlookItem) -> Iterator[tuple[str, str]]:
    """Yield the transport headers, then what the properties add to them."""
    given = scan_header(_OLD_TITLE.sub("", item.headers, count=1).strip().encode("utf-8", "replace"))
    names = {field.name for field in given.fields}
    for field in given.fields:
        if field.name not in _NOT_TAKEN:
            yield field.name.title(), unfold(field.value)
    for name, value in (
        ("from", _person(*item.author)),
        ("to", ", ".join(filter(None, (_person(*each) for each in item.to)))),
        ("cc", ", ".join(filter(None, (_person(*each) for each in item.cc)))),
        ("subject", clean(item.subject)),
        ("date", format_datetime(item.sent) if item.sent else ""),
        ("message-id", clean(item.message_id)),
        ("in-reply-to", clean(item.in_reply_to)),
        ("references", clean(item.references)),
    ):
        if value and name not in names:
            yield name.title(), value


def _person(name: str, address: str) -> str:
    for found in header_addresses(clean(address))[:1]:
        return str(Address(clean(name), found.addr_spec))
    return _SPECIAL.sub(" ", clean(name)).strip()


def _signed(item: OutlookItem) -> bytes | None:
    """Return the body of an S/MIME message, or None: Outlook keeps it as the only file, with a MIME header when clear-signed."""
    if not item.kind.lower().startswith("ipm.note.smime") or len(item.files) != 1:
        return None
    content = bytes(item.files[0].content)
    if item.kind.lower().endswith("multipartsigned"):
        return content if scan_header(content).content_type == "multipart/signed" else None
    head = (
        b'Content-Type: application/pkcs7-mime; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head + base64.encodebytes(content)


def _described(file: OutlookFile) -> Iterator[str]:
    kind = file.content_type if _FILE_TYPE.fullmatch(file.content_type) else type_by_name(file.name)
    yield f"Content-Type: {kind}"
    if file.content_id:
        yield f"Content-ID: <{clean(file.content_id)[:250]}>"
    yield f"Content-Disposition: attachment; filename*=utf-8''{quote(clean(file.name)[:250], safe='')}"


def _multipart(kind: str, boundary: str) -> bytes:
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()


def _part(target: BinaryIO, boundary: str, head: str, content: bytes | memoryview) -> None:
    target.write(f"--{boundary}\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode())
    for start in range(0, len(content), _PIECE):
        target.write(base64.encodebytes(content[start : start + _PIECE]).replace(b"\n", b"\r\n"))
