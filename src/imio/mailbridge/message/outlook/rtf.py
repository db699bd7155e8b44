"""Extracts the text of RTF documents, which Outlook may have compressed (MS-OXRTFCP).

compressed_rtf and striprtf do the work, in one to two seconds for the largest allowed document. One that cannot be read has
no text.
"""

from compressed_rtf import decompress
from imio.mailbridge.message.syntax.limits import TooComplex
from striprtf.striprtf import font_table_group
from striprtf.striprtf import rtf_to_text
import re
import struct


MAX_SIZE = 4_000_000
#: Decompression makes it at most 8.5 times as large.
MAX_COMPRESSED = 1_000_000
_MAX_FONTS = 50_000
_FIELD = re.compile(r"\\fldinst\{", re.IGNORECASE)


def decompressed(octets: bytes) -> bytes:
    """Return the RTF. Errors: ``TooComplex`` when it declares to be, or could be, too large."""
    if len(octets) < 16:
        return b""
    if len(octets) > MAX_COMPRESSED or struct.unpack_from("<I", octets, 4)[0] > MAX_SIZE:
        raise TooComplex("decompressed size of RTF")
    try:
        return bytes(decompress(octets))
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return b""


def is_rtf(octets: bytes) -> bool:
    """Tell whether these bytes begin like an RTF document."""
    return octets[:64].lstrip().startswith(b"{\\rtf")


def text_of(octets: bytes) -> str:
    """Return the text of a document, or an empty string."""
    if len(octets) > MAX_SIZE or not is_rtf(octets):
        return ""
    # striprtf looks for links and fonts with expressions that take hours on some input: hide links and long font tables.
    rtf = _FIELD.sub(r"\\fldinst {", octets.decode("cp1252", "replace"))
    try:
        if len(font_table_group(rtf)) > _MAX_FONTS:  # type: ignore[no-untyped-call]
            rtf = rtf.replace("\\fonttbl", "\\fontemb")
        text: str = rtf_to_text(rtf, errors="replace")  # type: ignore[no-untyped-call]
        return text.strip()
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return ""
