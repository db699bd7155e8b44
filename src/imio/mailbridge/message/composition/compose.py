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
from functools import partial
from html import escape
from html import unescape
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import ascii_domain
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.composition.letter import html_to_text
from imio.mailbridge.message.composition.masked_copy import masked_copy
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.one_line import plain_spaces
from imio.mailbridge.message.rendition.sanitise import clean_html
from imio.mailbridge.message.secret_address import masked
from io import BytesIO
from typing import BinaryIO
import binascii
import re
import secrets


#: A link or an image in cleaned HTML, whose tags and values are always written like this.
_REFERENCE = re.compile(r'(<(?:a|img)(?: [\w-]+="[^"]*")*? (?:href|src)=")([^"]*)"')
_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=\s]*)")
_CRLF = "\r\n"
_FOLD = "\r\n "
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,400}@[!-;=?-~]{1,400}>")


_FORM = re.compile(rb"(?im)^(?:mime-version|content-[a-z-]{1,40}):.*(?:\n[ \t].*)*")

#: Message-IDs in References, and characters of them.
MAX_REFERENCES, MAX_REFERENCES_LENGTH = 100, 8000

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
    references: Iterable[str] = (),
    auto_submitted: str = "",
    link: Callable[[str], str] = str,
    image: Callable[[str], File | None] = lambda address: None,
) -> Composition:
    """Return a message that is complete but for From and Reply-To, with CRLF line ends.

    ``html`` is cleaned and gets a text alternative. ``link`` returns the absolute form of an address in it, ``image`` the file of
    the image at an absolute address, or None; such images and ``data:`` ones become inline parts. ``references`` are the
    Message-IDs of the thread, of which the last is answered; ``auto_submitted`` is a value of RFC 3834 §5 or empty. Secret parts
    of mail-in addresses are masked in all of it. Errors: ``ValueError`` for a line end in a header; callers refuse such input
    beforehand.
    """
    message = EmailMessage(policies.SMTP)
    html, images = _inline_images(clean_html(masked(html)), message_id, link, image)
    message.set_content(html_to_text(html), cte="quoted-printable")
    message.add_alternative(_document(html), subtype="html", cte="quoted-printable")
    alternative = message.get_payload()[1]  # type: ignore[index]
    names: dict[str, str] = {}  # placeholder → name of a file, for ``_named``
    for cid, shown in images.items():
        names[placeholder := f"mailbridge-name-{len(names)}-{secrets.token_hex(8)}"] = shown.filename
        with shown.open() as stream:
            alternative.add_related(  # type: ignore[union-attr]
                stream.read(), *shown.content_type.split("/"), cid=f"<{cid}>", disposition="inline",
                filename=_harmless(shown.filename), params={"name": placeholder},
            )  # fmt: skip
    marks = [f"mailbridge-file-{number}-{secrets.token_hex(8)}" for number, _file in enumerate(files)]
    for mark, file in zip(marks, files, strict=True):
        maintype, _, subtype = file.content_type.partition("/")
        if not subtype or maintype in ("multipart", "message"):
            maintype, subtype = "application", "octet-stream"
        names[mark] = file.filename
        message.add_attachment(
            b"", maintype, subtype, filename=_harmless(file.filename), params={"name": mark}
        )
        message.get_payload()[-1].set_payload(f"{mark}\n")  # type: ignore[index,union-attr]
    head = [f"Message-ID: {message_id}\r\n".encode(), f"Date: {format_datetime(date)}\r\n".encode()]
    head += [thread_fields(references)]
    head += [f"Auto-Submitted: {auto_submitted}\r\n".encode()] if auto_submitted else []
    head += [_address_field("To", to)] if to else [b"To: undisclosed-recipients:;\r\n"]
    head += [_address_field("Cc", cc)] if cc else []
    head += [_subject_field(masked(subject))]
    pieces: list[bytes | File] = []
    rest = b"".join(head) + _named(message.as_bytes(), names)
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
    lines = [
        f"Message-ID: {message_id}\r\nDate: {format_datetime(date)}\r\n".encode(),
        _address_field("To", [to]),
        _subject_field(subject),
        b"Auto-Submitted: auto-generated\r\n",
        thread_fields(references),
    ]
    for field in _FORM.findall(head):
        plain = field.replace(b"\r", b" ").decode("ascii", "replace").replace("\ufffd", "?")
        lines += [plain.replace("\n", _CRLF).encode() + b"\r\n"]
    return b"".join(lines) + b"\r\n"


def thread_fields(references: Iterable[str]) -> bytes:
    """Return In-Reply-To and References of an answer to the last of ``references`` (RFC 5322 §3.6.4), or nothing.

    Of a long thread the first message and the last ones are named. No id is encoded or folded; what is none is left out.
    """
    ids = list(dict.fromkeys(each for each in references if _MESSAGE_ID.fullmatch(each)))
    if not ids:
        return b""
    room, kept = MAX_REFERENCES_LENGTH - len(ids[0]), ids[:1]
    for each in ids[:0:-1]:
        room -= len(each)
        if room < 0 or len(kept) == MAX_REFERENCES:
            break
        kept.insert(1, each)
    return f"In-Reply-To: {ids[-1]}\r\nReferences: {_FOLD.join(kept)}\r\n".encode()


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


def _inline_images(
    html: str, message_id: str, link: Callable[[str], str], image: Callable[[str], File | None]
) -> tuple[str, dict[str, File]]:
    """Return cleaned HTML with absolute links, in which the images that go along are parts, and Content-ID → image."""
    cids: dict[str, str] = {}
    images: dict[str, File] = {}
    token = message_id.partition("@")[0].rpartition(".")[2]

    def replace(match: re.Match[str]) -> str:
        address = unescape(match[2])
        is_data = address.startswith("data:")
        if not is_data:
            address = link(address)
        if match[1].startswith("<img") and address not in cids:
            found = _data_image(address, len(images) + 1) if is_data else image(address)
            if found is not None:
                # short: a folded Content-ID is a broken one
                cids[address] = f"image{len(images) + 1}.{token}@mailbridge"
                images[cids[address]] = found
        target = f"cid:{cids[address]}" if address in cids else "" if is_data else address
        return f'{match[1]}{escape(target)}"'

    return _REFERENCE.sub(replace, html), images


def _data_image(address: str, number: int) -> File | None:
    match = _DATA_IMAGE.fullmatch(address)
    try:
        content = b64decode(match[2], validate=False) if match else b""
    except binascii.Error:
        return None
    if not match or not content:
        return None
    return File(f"image{number}.{match[1]}", f"image/{match[1]}", len(content), partial(BytesIO, content))


def _harmless(filename: str) -> str:
    # EmailMessage decodes encoded-words in a value, with any line ends in them: no name may look like one.
    return one_line(filename).replace("=?", "=_")


def _named(message: bytes, names: dict[str, str]) -> bytes:
    """Return a message with names of files in place of placeholders, for clients that do not know RFC 2231: as encoded-words."""
    for placeholder, filename in names.items():
        name = _harmless(filename)
        if name.isascii() and len(name) < 200:
            value = name.replace("\\", "\\\\").replace('"', '\\"')
        else:
            value = Header(name, "utf-8", maxlinelen=66).encode(linesep=_CRLF)
        message = message.replace(f'name="{placeholder}"'.encode(), f'name="{value}"'.encode(), 1)
    return message
