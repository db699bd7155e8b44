"""Computes the hash of a body for DKIM (RFC 6376 §3.4.3, §3.4.4) piece by piece, whatever the size of the body.

dkimpy copies a body several times, and takes hours over one with megabytes of spaces.
"""

from mmap import mmap
import hashlib
import re


_PIECE = 1 << 20
_BLANK = b" \t\r\n"
_SPACES = re.compile(rb"[\t ]{2,}|\t")


def body_hash(octets: bytes | mmap, start: int, relaxed: bool, piece: int = _PIECE) -> bytes:
    """Return the SHA-256 digest of ``octets[start:]`` canonicalised as ``relaxed`` or ``simple``; LF counts as CRLF."""
    digest = hashlib.sha256()
    waiting = b""
    anything = False
    for position in range(start, len(octets), piece):
        text = waiting + octets[position : position + piece]
        # Blanks at the end may continue in the next piece, or end the body and not count.
        kept = text.rstrip(_BLANK)
        waiting = text[len(kept) :]
        if kept:
            anything = True
            digest.update(_canonical(kept, relaxed))
    rest = _canonical(waiting, relaxed)
    end = len(rest)
    while rest.endswith(b"\r\n", 0, end):
        end -= 2
    if anything or end or not relaxed:
        digest.update(rest[:end] + b"\r\n")
    return digest.digest()


def _canonical(text: bytes, relaxed: bool) -> bytes:
    text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return _SPACES.sub(b" ", text).replace(b" \r\n", b"\r\n") if relaxed else text
