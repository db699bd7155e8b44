"""Copies a file for its way out: secret parts of mail-in addresses in it are masked, also inside what is attached in base64.

Nothing but the masked characters changes, not even the length; signatures over them no longer hold. Copies are files on disk, of
which pieces are in memory.
"""

from base64 import b64encode
from collections.abc import Callable
from collections.abc import Iterator
from imio.mailbridge.message.secret_address import masks
from imio.mailbridge.message.syntax.limits import TooComplex
from imio.mailbridge.message.syntax.structure import looks_like_message
from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.structure import scan
from imio.mailbridge.message.syntax.transfer_encoding import BASE64
from imio.mailbridge.message.syntax.transfer_encoding import decode_chunks
from imio.mailbridge.message.syntax.transfer_encoding import NOT_BASE64
from mmap import ACCESS_READ
from mmap import mmap
from os import SEEK_END
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO
from typing import cast
import re


#: What holds no text.
_MEDIA = ("image", "audio", "video")
_BEGINNING = 65_536
_PIECE = 1 << 15
_CHARACTER = re.compile(rb"[A-Za-z0-9+/]")


def masked_copy(open: Callable[[], BinaryIO]) -> BinaryIO:
    """Return a copy of the file that ``open`` opens, at its beginning; it ends when it is closed. Errors: those of the streams."""
    copy = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - closed by its reader
    with open() as source:
        copyfileobj(source, copy)
    _mask(copy)
    copy.seek(0)
    return copy


def _mask(file: BinaryIO) -> bool:
    """Mask in place, in a real file; return whether there was anything to mask."""
    if not file.seek(0, SEEK_END):
        return False
    with mmap(file.fileno(), 0, access=ACCESS_READ) as raw:
        changed, position = False, 0
        for part in _encoded_parts(raw):
            changed |= _mask_span(file, raw, position, part.body)
            changed |= _mask_encoded(file, raw, part)
            position = part.end
        return _mask_span(file, raw, position, len(raw)) or changed


def _mask_span(file: BinaryIO, raw: mmap, start: int, end: int) -> bool:
    found = False
    for offset, replacement in masks(raw, start, end):
        file.seek(offset)
        file.write(replacement)
        found = True
    file.flush()
    return found


def _encoded_parts(raw: mmap) -> Iterator[Part]:
    """Yield the parts in base64, in their order; none of a message that exceeds a limit."""
    try:
        root = scan(raw)
    except TooComplex:
        return
    yield from _encoded_leaves(raw, root)


def _encoded_leaves(raw: mmap, part: Part) -> Iterator[Part]:
    for inner in part.parts:
        yield from _encoded_leaves(raw, inner)
    if part.parts or part.encoding not in BASE64 or part.maintype in _MEDIA:
        return
    if not looks_like_message(raw[part.body : min(part.end, part.body + _BEGINNING)]):
        yield part


def _mask_encoded(file: BinaryIO, raw: mmap, part: Part) -> bool:
    padding = raw.find(b"=", part.body, part.end)
    end = part.end if padding < 0 else padding
    with TemporaryFile() as decoded:
        for chunk in decode_chunks(raw, part.body, end, part.encoding):
            decoded.write(chunk)
        decoded.flush()
        if not _mask(decoded):
            return False
        _encode_over(file, raw, part.body, end, decoded)
    return True


def _encode_over(file: BinaryIO, raw: mmap, start: int, end: int, decoded: BinaryIO) -> None:
    """Write ``decoded`` in base64 over ``raw[start:end]``, a character where one was: lines and what else is there stay."""
    count = 0
    for position in range(start, end, _PIECE):
        piece = raw[position : min(end, position + _PIECE)]
        before = piece.translate(None, delete=NOT_BASE64)
        decoded.seek(count // 4 * 3)
        after = b64encode(decoded.read(len(before) // 4 * 3 + 6)).rstrip(b"=")[count % 4 :]
        count += len(before)
        if not after.startswith(before):
            characters = iter(after)
            file.seek(position)
            file.write(_CHARACTER.sub(lambda match: bytes((next(characters, match[0][0]),)), piece))  # noqa: B023
    file.flush()
