"""What is the text of a document in RTF, perhaps compressed as Outlook does it (MS-OXRTFCP)? Errors give no text."""

from compressed_rtf import decompress
from striprtf.striprtf import font_table_group
from striprtf.striprtf import rtf_to_text
import re
import struct


MAX_SIZE = 4_000_000
_MAX_FONTS = 50_000
_FIELD = re.compile(r"\\fldinst\{", re.IGNORECASE)


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
    # striprtf looks for links and fonts by expressions that take hours on some input: so it finds no link, and few fonts.
    rtf = _FIELD.sub(r"\\fldinst {", octets.decode("cp1252", "replace"))
    try:
        if len(font_table_group(rtf)) > _MAX_FONTS:  # type: ignore[no-untyped-call]
            rtf = rtf.replace("\\fonttbl", "\\fontemb")
        text: str = rtf_to_text(rtf, errors="replace")  # type: ignore[no-untyped-call]
        return text.strip()
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return ""
