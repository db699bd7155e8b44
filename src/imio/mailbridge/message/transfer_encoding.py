"""What are the octets of a body part without its Content-Transfer-Encoding (RFC 2045 §6)? Damaged ones included."""

import binascii
import re


_COMMENT = re.compile(r"\([^()]*\)")
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]")
_BASE64_ONLY = re.compile(rb"[A-Za-z0-9+/=\s]*")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)
_MAX_SEGMENTS = 1000


def encoding_name(value: str) -> str:
    """Return the encoding that a field value names, in lower case; comments, quotes and spaces do not count."""
    words = _COMMENT.sub(" ", value).replace('"', " ").replace(";", " ").split()
    return words[0].lower() if words else ""


def decode_body(raw: bytes, start: int, end: int, encoding: str) -> bytes:
    """Return the decoded octets of ``raw[start:end]``; an unknown ``encoding`` leaves them as they are."""
    if encoding in ("base64", "b64", "base-64"):
        return _base64(raw, start, end)
    if encoding in ("quoted-printable", "quoted_printable", "qp"):
        return binascii.a2b_qp(raw[start:end])
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uuencode(raw[start:end])
    return raw[start:end]


def decode_base64(content: bytes) -> bytes:
    """Return what ``content`` holds, without regard to foreign characters and wrong padding."""
    clean = content.translate(None, delete=_NOT_BASE64)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _base64(raw: bytes, start: int, end: int) -> bytes:
    padding = raw.find(b"=", start, end)
    if padding >= 0 and _ALPHABET.search(raw, padding, end):
        # Several padded runs one after the other are one file; anything else after the padding is a footer of a list.
        if not _BASE64_ONLY.fullmatch(raw, padding, end):
            return decode_base64(raw[start:padding])
        return b"".join(decode_base64(run) for run in raw[start:end].split(b"=", _MAX_SEGMENTS))
    try:
        return binascii.a2b_base64(memoryview(raw)[start:end])
    except binascii.Error:
        return decode_base64(raw[start:end])


def _uuencode(content: bytes) -> bytes:
    lines = content.splitlines()
    begins = [number for number, line in enumerate(lines) if line.startswith(b"begin ")]
    if not begins:
        return content
    decoded: list[bytes] = []
    for line in lines[begins[0] + 1 :]:
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded.append(binascii.a2b_uu(line[:wanted]))
            except binascii.Error:
                continue
    return b"".join(decoded)
