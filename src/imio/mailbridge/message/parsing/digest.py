"""Computes a digest of what the author wrote, which is the same for all copies of a message.

Author, date, subject, text and files count; line ends, transfer encodings, charsets and the headers that servers add do not.
"""

from datetime import UTC
from imio.mailbridge.message.parsing.attachment import Attachment
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
import hashlib


def content_digest(message: ParsedMessage) -> str:
    """Return the SHA-256 of what the author wrote, in hex. Never fails."""
    author = message.author.addr_spec.lower() if message.author else ""
    date = message.date.astimezone(UTC).isoformat() if message.date else ""
    text = message.text
    if text is None:
        text = "\n".join(html_lines(message.html)) if message.html else ""
    files = sorted(_file_digest(file) for file in message.attachments)
    written = (author, date, " ".join((message.subject or "").split()), " ".join(text.split()), *files)
    return hashlib.sha256("\0".join(written).encode("utf-8", "replace")).hexdigest()


def _file_digest(file: Attachment) -> str:
    """Return the digest of a file with LF line ends: in 7bit and quoted-printable, line ends change on the way."""
    digest, left = hashlib.sha256(), b""
    for chunk in file.pieces():
        chunk = left + chunk
        left = b"\r" if chunk.endswith(b"\r") else b""
        digest.update(chunk.removesuffix(left).replace(b"\r\n", b"\n"))
    digest.update(left)
    return digest.hexdigest()
