"""Undoes the Content-Transfer-Encoding of body parts (RFC 2045 §6), damaged ones included."""

from collections.abc import Iterator
from mmap import mmap
import binascii
import re


_COMMENT = re.compile(r"\([^()]*\)")
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]")
_BASE64_ONLY = re.compile(rb"[A-Za-z0-9+/=\s]*")
#: The bytes that are no characters of base64.
NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
#: A line of words, and a line that goes on with base64.
_WORDS = re.compile(rb"\n[^\n]{0,400}?[^\s][ \t]{1,3}[^\s]")
_BASE64_LINE = re.compile(rb"\n[A-Za-z0-9+/]{40,}={0,2}\r?(?:\n|\Z)")
_MAX_SEGMENTS = 1000
#: Names of the encoding.
BASE64 = ("base64", "b64", "base-64")
_QUOTED_PRINTABLE = ("quoted-printable", "quoted_printable", "qp")
_UUENCODE = ("x-uuencode", "uuencode", "x-uue", "uue")
_PIECE = 1 << 18
_MAX_LINE = 1 << 20
_UU_BEGIN = re.compile(rb"^begin [^\n]*\n", re.MULTILINE)
_UU_FILE = re.compile(
    r"^begin [0-7]{3,4} (\S[^\n]{0,200})\n((?:[ -`]{1,62}\n)+)(?:`\n)?end[ \t]*$", re.MULTILINE
)


def encoding_name(value: str) -> str:
    """Return the encoding that a field value names, in lower case, without comments, quotation marks and spaces."""
    words = _COMMENT.sub(" ", value).replace('"', " ").replace(";", " ").split()
    return words[0].lower() if words else ""


def decode_body(raw: bytes | mmap, start: int, end: int, encoding: str) -> bytes:
    """Return the decoded octets of ``raw[start:end]``; an unknown ``encoding`` leaves them as they are."""
    if encoding in BASE64:
        return _base64(raw, start, _end_of_base64(raw, start, end))
    if encoding in _QUOTED_PRINTABLE:
        return binascii.a2b_qp(raw[start:end])
    if encoding in _UUENCODE:
        return _uuencode(raw, start, end)
    return raw[start:end]


def decode_chunks(raw: bytes | mmap, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """Yield what ``decode_body`` returns piece by piece, so that a large body is never in memory as a whole."""
    if encoding in BASE64:
        end = _end_of_base64(raw, start, end)
    if encoding in BASE64 and not _goes_on_after_padding(raw, start, end):
        yield from _base64_chunks(raw, start, end)
    elif encoding in _QUOTED_PRINTABLE:
        for first, last in _pieces(raw, start, end, at_line_ends=True):
            yield binascii.a2b_qp(raw[first:last])
    elif encoding in _UUENCODE:
        yield from _uuencode_chunks(raw, start, end)
    elif encoding in BASE64:
        yield decode_body(raw, start, end, encoding)
    else:
        for first, last in _pieces(raw, start, end):
            yield raw[first:last]


def _pieces(raw: bytes | mmap, start: int, end: int, at_line_ends: bool = False) -> Iterator[tuple[int, int]]:
    while start < end:
        last = min(start + _PIECE, end)
        if at_line_ends and last < end:
            last = (raw.find(b"\n", last, end) + 1) or end
        yield start, last
        start = last


def _base64_chunks(raw: bytes | mmap, start: int, end: int) -> Iterator[bytes]:
    left = b""
    for first, last in _pieces(raw, start, end):
        clean = left + raw[first:last].translate(None, delete=NOT_BASE64)
        whole = len(clean) // 4 * 4
        left = clean[whole:]
        yield binascii.a2b_base64(clean[:whole])
    if left:
        yield decode_base64(left)


def _end_of_base64(raw: bytes | mmap, start: int, end: int) -> int:
    """Return where clear text begins that a server wrote behind base64, or ``end``; base64 that is only damaged has no end."""
    if raw.find(b" ", start, end) < 0:
        return end
    while start < end and raw[start : start + 1].isspace():
        start += 1
    words = _WORDS.search(raw, start, end)
    if words is None or _BASE64_LINE.search(raw, words.end(), end):
        return end
    return words.start()


def _goes_on_after_padding(raw: bytes | mmap, start: int, end: int) -> bool:
    padding = raw.find(b"=", start, end)
    return padding >= 0 and _ALPHABET.search(raw, padding, end) is not None


def ends_in_group(raw: bytes | mmap, start: int, end: int) -> bool:
    """Tell whether base64 in ``raw[start:end]`` ends inside a group of four characters and without padding: its end is missing."""
    end = _end_of_base64(raw, start, end)
    while end > start and raw[end - 1 : end].isspace():
        end -= 1
    begin = max(raw.rfind(b"\n", start, end) + 1, start, end - _MAX_LINE)
    last = raw[begin:end]
    return b"=" not in last and len(last.translate(None, delete=NOT_BASE64)) % 4 != 0


def decode_base64(content: bytes) -> bytes:
    """Return the decoded ``content``, ignoring foreign characters and wrong padding."""
    clean = content.translate(None, delete=NOT_BASE64)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _base64(raw: bytes | mmap, start: int, end: int) -> bytes:
    if _goes_on_after_padding(raw, start, end):
        padding = raw.find(b"=", start, end)
        # Several padded runs in a row are one file; anything else after the padding is the footer of a mailing list.
        if not _BASE64_ONLY.fullmatch(raw, padding, end):
            return decode_base64(raw[start:padding])
        return b"".join(decode_base64(run) for run in raw[start:end].split(b"=", _MAX_SEGMENTS))
    try:
        return binascii.a2b_base64(memoryview(raw)[start:end])
    except binascii.Error:
        return decode_base64(raw[start:end])


def uuencoded_files(text: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Return the text without the uuencoded files in it, and (name, content) of each file; yEnc is left alone."""
    if "\nend" not in text:
        return text, ()
    files: list[tuple[str, bytes]] = []

    def take(match: re.Match[str]) -> str:
        octets = match[0].encode("ascii", "ignore")
        content = _uuencode(octets, 0, len(octets))
        if len(files) >= 100 or not content:
            return match[0]
        files.append((match[1].strip(), content))
        return ""

    left = _UU_FILE.sub(take, text)
    return left, tuple(files)


def _uuencode(raw: bytes | mmap, start: int, end: int) -> bytes:
    return b"".join(_uuencode_chunks(raw, start, end))


def _uuencode_chunks(raw: bytes | mmap, start: int, end: int) -> Iterator[bytes]:
    begin = _UU_BEGIN.search(raw, start, end)
    if begin is None:
        for first, last in _pieces(raw, start, end):
            yield raw[first:last]
        return
    for first, last in _pieces(raw, begin.end(), end, at_line_ends=True):
        decoded: list[bytes] = []
        for line in raw[first:last].splitlines():
            if line.strip() in (b"end", b"`", b""):
                yield b"".join(decoded)
                return
            decoded.append(_uuencoded_line(line))
        yield b"".join(decoded)


def _uuencoded_line(line: bytes) -> bytes:
    # Some programs write more characters on a line than its length says.
    for octets in (line, line[: (((line[0] - 32) & 63) * 4 + 5) // 3]):
        try:
            return binascii.a2b_uu(octets)
        except binascii.Error:
            continue
    return b""
