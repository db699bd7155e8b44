"""Composes the message that an agent wrote, and separately the header fields that name its sender.

The sender is settled at delivery (a refused address is replaced by the login address), so ``compose`` writes everything but
From and Reply-To, and ``sender_headers`` returns those two to put in front.
"""

from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy as policies
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import ascii_domain
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.composition.masked_copy import masked_copy
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.one_line import plain_spaces
from imio.mailbridge.message.rendition.sanitise import clean_html
from imio.mailbridge.message.secret_address import masked
from markdownify import markdownify
from typing import BinaryIO
import binascii
import re
import secrets


_DATA_IMAGE = re.compile(r'src="data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=\s]*)"')
_CRLF = "\r\n"
_FOLD = "\r\n "
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")


_FORM = re.compile(rb"(?im)^(?:mime-version|content-[a-z-]{1,40}):.*(?:\n[ \t].*)*")
MAX_REFERENCES = 30

#: Bytes in a line of base64, and characters with its line end (RFC 2045 §6.8).
_LINE_BYTES, _LINE_LENGTH = 57, 78
_BLOCK = _LINE_BYTES * 1024


@dataclass(frozen=True)
class File:
    """A file to attach: ``open`` returns a binary stream of its ``size`` bytes."""

    filename: str
    content_type: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Composition:
    """A message whose files are read only when it is written; ``pieces`` holds bytes and files in turn."""

    pieces: tuple[bytes | File, ...]

    @property
    def size(self) -> int:
        """Return the length of the message in bytes."""
        return sum(
            len(piece) if isinstance(piece, bytes) else _encoded_size(piece.size) for piece in self.pieces
        )

    def blocks(self) -> Iterator[bytes]:
        """Yield the message in blocks. Errors: ``ValueError`` when a file is not of the declared size."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from _encoded(piece)

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return b"".join(self.blocks())


def message_id(token: str, domain: str) -> str:
    """Return a Message-ID whose left part holds ``token``; ``domain`` may be internationalised."""
    return f"<mailbridge.{token}@{ascii_domain(domain)}>"


def html_to_text(html: str) -> str:
    """Return the plain text alternative to the HTML of a message."""
    text = markdownify(
        html, strip=["b", "strong", "em", "i", "u", "img"], heading_style="atx", bullets="-",
        escape_asterisks=False, escape_underscores=False, escape_misc=False,
    )  # fmt: skip
    return re.sub(r"[ \t]+\n", "\n", text).strip() + "\n"


def sender_headers(sender: Sender) -> bytes:
    """Return the header fields From and, if there is one, Reply-To, each with its CRLF."""
    reply_to = _address_field("Reply-To", [sender.reply_to]) if sender.reply_to is not None else b""
    return _address_field("From", [sender.author]) + reply_to


def compose(
    *,
    message_id: str,
    date: datetime,
    to: Sequence[Address],
    cc: Sequence[Address],
    subject: str,
    html: str,
    files: Sequence[File] = (),
    in_reply_to: str = "",
    auto_submitted: str = "",
) -> Composition:
    """Return a message that is complete but for From and Reply-To, with CRLF line ends.

    ``html`` is cleaned and gets a text alternative; ``data:`` images become inline parts; ``auto_submitted`` is a value of
    RFC 3834 §5 or empty. Secret parts of mail-in addresses are masked in all of it. Errors: ``ValueError`` for a line end in a
    header; callers refuse such input beforehand.
    """
    html = clean_html(masked(html))
    message = EmailMessage(policies.SMTP)
    html, images = _inline_images(html, message_id)
    message.set_content(html_to_text(html), cte="quoted-printable")
    message.add_alternative(_document(html), subtype="html", cte="quoted-printable")
    alternative = message.get_payload()[1]  # type: ignore[index]
    for cid, subtype, content in images:
        alternative.add_related(content, "image", subtype, cid=cid, disposition="inline")  # type: ignore[union-attr]
    marks = [f"mailbridge-file-{number}-{secrets.token_hex(8)}" for number, _file in enumerate(files)]
    for mark, file in zip(marks, files, strict=True):
        maintype, _, subtype = file.content_type.partition("/")
        if not subtype or maintype in ("multipart", "message"):
            maintype, subtype = "application", "octet-stream"
        # EmailMessage decodes encoded-words in a value, with any line ends in them: no name may look like one.
        message.add_attachment(b"", maintype, subtype, filename=one_line(file.filename).replace("=?", "=_"))
        message.get_payload()[-1].set_payload(f"{mark}\n")  # type: ignore[index,union-attr]
    head = [f"Message-ID: {message_id}\r\n".encode(), f"Date: {format_datetime(date)}\r\n".encode()]
    if _MESSAGE_ID.fullmatch(in_reply_to):
        head += [f"In-Reply-To: {in_reply_to}\r\nReferences: {in_reply_to}\r\n".encode()]
    head += [f"Auto-Submitted: {auto_submitted}\r\n".encode()] if auto_submitted else []
    head += [_address_field("To", to)] if to else [b"To: undisclosed-recipients:;\r\n"]
    head += [_address_field("Cc", cc)] if cc else []
    head += [_subject_field(masked(subject))]
    pieces: list[bytes | File] = []
    rest = b"".join(head) + message.as_bytes()
    for mark, file in zip(marks, files, strict=True):
        before, _, rest = rest.partition(f"{mark}\r\n".encode())
        pieces += [before, file]
    return Composition((*pieces, rest))


def _encoded_size(size: int) -> int:
    return 4 * -(-size // 3) + 2 * -(-size // _LINE_BYTES)


def _encoded(file: File) -> Iterator[bytes]:
    """Yield a file in base64, in lines."""
    with masked_copy(file.open) as stream:
        left = file.size
        while block := stream.read(_BLOCK):
            left -= len(block)
            lines = (block[at : at + _LINE_BYTES] for at in range(0, len(block), _LINE_BYTES))
            yield b"".join(b2a_base64(line, newline=False) + b"\r\n" for line in lines)
    if left:
        raise ValueError(f"{file.filename} is not {file.size} bytes long")


def copied_headers(
    head: bytes, *, message_id: str, date: datetime, to: Address, subject: str, references: Iterable[str]
) -> bytes:
    """Return the header of a copy of a message without From and Reply-To, ended by an empty line, with CRLF line ends.

    ``head`` is the header of that message with LF line ends; its MIME fields are kept. ``references`` are those of the message
    followed by its own Message-ID, to which the copy refers in In-Reply-To.
    """
    ids = [each for each in references if _MESSAGE_ID.fullmatch(each)][-MAX_REFERENCES:]
    lines = [
        f"Message-ID: {message_id}\r\nDate: {format_datetime(date)}\r\n".encode(),
        _address_field("To", [to]),
        _subject_field(subject),
        b"Auto-Submitted: auto-generated\r\n",
    ]
    if ids:
        lines += [f"In-Reply-To: {ids[-1]}\r\nReferences: {_FOLD.join(ids)}\r\n".encode()]
    for field in _FORM.findall(head):
        plain = field.replace(b"\r", b" ").decode("ascii", "replace").replace("\ufffd", "?")
        lines += [plain.replace("\n", _CRLF).encode() + b"\r\n"]
    return b"".join(lines) + b"\r\n"


def redated(message: bytes, date: datetime) -> bytes:
    """Return a composed message with another date."""
    return re.sub(rb"(?m)^Date: [^\r\n]*", f"Date: {format_datetime(date)}".encode(), message, count=1)


def _address_field(name: str, addresses: Iterable[Address]) -> bytes:
    # EmailMessage would fold long names inside quoted strings and encode bare identifiers.
    return f"{name}: {f',{_FOLD}'.join(map(_mailbox, addresses))}\r\n".encode()


def _subject_field(subject: str) -> bytes:
    if has_control(subject):
        raise ValueError("a line end or another control character in the subject")
    charset = "us-ascii" if subject.isascii() and "=?" not in subject else "utf-8"
    text = subject.encode("utf-8", "replace").decode()
    return f"Subject: {Header(text, charset, header_name='Subject').encode(linesep=_CRLF)}\r\n".encode()


def _mailbox(address: Address) -> str:
    addr_spec = wire_address(address.addr_spec)
    name = plain_spaces(address.display_name)
    if not name:
        return addr_spec
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'"{quoted}"{_FOLD}<{addr_spec}>'
            if len(name) + len(addr_spec) > 60
            else f'"{quoted}" <{addr_spec}>'
        )
    return f"{Header(name, 'utf-8', maxlinelen=66).encode(linesep=_CRLF)}{_FOLD}<{addr_spec}>"


def _document(html: str) -> str:
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{html}\n</body></html>\n'


def _inline_images(html: str, message_id: str) -> tuple[str, list[tuple[str, str, bytes]]]:
    images: list[tuple[str, str, bytes]] = []
    token = message_id.partition("@")[0].rpartition(".")[2]

    def replace(match: re.Match[str]) -> str:
        try:
            content = b64decode(match[2], validate=False)
        except binascii.Error:
            return 'src=""'
        cid = f"image{len(images) + 1}.{token}@mailbridge"  # short: a folded Content-ID is a broken one
        images.append((f"<{cid}>", match[1], content))
        return f'src="cid:{cid}"'

    return _DATA_IMAGE.sub(replace, html), images
