"""What is the text of a document in RTF, perhaps compressed as Outlook does it (MS-OXRTFCP)? Errors give no text."""

from compressed_rtf import decompress
from striprtf.striprtf import rtf_to_text
import struct


MAX_SIZE = 5_000_000


def decompressed(octets: bytes) -> bytes:
    """Return the RTF, or nothing for what cannot be read or would be too large."""
    if len(octets) < 16 or len(octets) > MAX_SIZE or struct.unpack_from("<I", octets, 4)[0] > MAX_SIZE:
        return b""
    try:
        return bytes(decompress(octets))
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return b""


def text_of(octets: bytes) -> str:
    """Return the text of a document, or an empty string."""
    if len(octets) > MAX_SIZE or not octets.lstrip().startswith(b"{\\rtf"):
        return ""
    try:
        text: str = rtf_to_text(octets.decode("cp1252", "replace"), errors="replace")  # type: ignore[no-untyped-call]
        return text.strip()
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return ""
