"""Sorts the parts of a message into its text, the images shown in it, and what a person would call attachments."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from imio.mailbridge.message.parsing.shown_image import is_shown
from imio.mailbridge.message.syntax.charset import Decoded
from imio.mailbridge.message.syntax.charset import read_text
from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.transfer_encoding import BASE64
from imio.mailbridge.message.syntax.transfer_encoding import decode_body
from mmap import mmap
from urllib.parse import unquote
import re


#: Octets of all plain text together, and of all HTML; a book has one million.
MAX_TEXT = 8_000_000
#: Bytes of all images in the text together, in base64, each as often as it is shown; those beyond are attachments.
MAX_IMAGES = 28_000_000

_CID = re.compile(r"cid:([^\s\"'<>)]{1,250})", re.IGNORECASE)
_IMAGE_NAME = re.compile(r".*\.(?:png|jpe?g|gif|bmp|webp|svg|tiff?)", re.IGNORECASE)
_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_TECHNICAL = frozenset(
    {
        "application/applefile",
        "application/pgp-encrypted",
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/global-disposition-notification",
    }
)
_BODIES = ("text/plain", "text/html")
#: Kinds of text that are files.
_FILES = ("text/calendar", "text/rtf")
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Sorted:
    """The parts of a message by what they are to a reader, in the order of the message."""

    text: tuple[Part, ...]
    html: tuple[Part, ...]
    inline: tuple[Part, ...]
    attached: tuple[Part, ...]


def sort_parts(raw: bytes | mmap, root: Part) -> Sorted:
    """Return the parts of ``root`` sorted, without those that only programs read (signatures, report fields)."""
    text: list[Part] = []
    html: list[Part] = []
    others: list[Part] = []
    calendars: list[Part] = []
    _collect(root, None, text, html, others, calendars)
    if not any(is_calendar(part) for part in others):
        others += calendars[:1]
    text, html = _in_bounds(text, others), _in_bounds(html, others)
    source = "\n".join(read_part(raw, part).text for part in html)
    cids = Counter(unquote(match[1]).lower() for match in _CID.finditer(source))
    inline: list[Part] = []
    attached: list[Part] = []
    left = MAX_IMAGES
    for part in others:
        if source and _is_image(part) and _is_named(part, source, cids) and is_shown(raw, part):
            left -= _base64_size(part) * max(cids[content_id(part).lower()], 1)
            (inline if left >= 0 else attached).append(part)
        else:
            attached.append(part)
    return Sorted(tuple(text), tuple(html), tuple(inline), tuple(attached))


def read_part(raw: bytes | mmap, part: Part) -> Decoded:
    """Return the text of a part with ``\\n`` line ends and without control characters."""
    octets = decode_body(raw, part.body, part.end, part.encoding)
    text, guessed = read_text(octets, part.parameter("charset") or None)
    return Decoded(_NOT_IN_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")), guessed)


def content_id(part: Part) -> str:
    """Return the Content-ID without its angle brackets, or an empty string."""
    return "".join(part.first("content-id").split()).strip("<>")


def _base64_size(part: Part) -> int:
    size = part.end - part.body
    return size if part.encoding in BASE64 else size * 4 // 3


def _collect(
    part: Part,
    parent: Part | None,
    text: list[Part],
    html: list[Part],
    others: list[Part],
    calendars: list[Part],
) -> None:
    if part.maintype == "multipart" and part.parts:
        for child in part.parts:
            _collect(child, part, text, html, others, calendars)
        return
    container = parent.content_type if parent is not None else ""
    if _is_body(part, parent):
        (html if part.content_type == "text/html" else text).append(part)
    elif (
        part.content_type in _TECHNICAL
        or container == "multipart/encrypted"  # the message itself, RFC 3156
        or part.content_type in _SIGNATURES
        and container == "multipart/signed"
    ):
        return
    elif container == "multipart/alternative" and part.maintype == "text" and not part.filename:
        if part.content_type == "text/calendar":
            calendars.append(part)  # an invitation: a file, unless the message holds it as a file too
        return  # else another form of the same text, for watches or AMP
    elif container == "multipart/report" and part.content_type in (
        "text/rfc822-headers",
        "message/global-headers",
    ):
        return
    elif part.end > part.body or part.filename:
        others.append(part)


def _in_bounds(parts: list[Part], others: list[Part]) -> list[Part]:
    """Return the parts that are read as text; those beyond ``MAX_TEXT`` become files, neither read nor lost."""
    within: list[Part] = []
    left = MAX_TEXT
    for part in parts:
        left -= part.end - part.body
        (within if left >= 0 else others).append(part)
    return within


def is_calendar(part: Part) -> bool:
    """Tell whether a part is a calendar: an invitation or the answer to one."""
    return part.content_type in ("text/calendar", "application/ics") or part.filename.lower().endswith(".ics")


def _is_body(part: Part, parent: Part | None) -> bool:
    if part.disposition == "attachment":
        return False
    if part.maintype == "multipart":  # declared, but without any delimiter
        return True
    if part.content_type not in _BODIES:
        # In a message of one part, text of any other type is still its text.
        return parent is None and part.maintype == "text" and part.content_type not in _FILES
    return parent is None or not part.filename or parent.content_type == "multipart/alternative"


def _is_image(part: Part) -> bool:
    if part.maintype == "image":
        return True
    return part.content_type == "application/octet-stream" and bool(_IMAGE_NAME.fullmatch(part.filename))


def _is_named(part: Part, html: str, cids: Collection[str]) -> bool:
    if content_id(part).lower() in cids:
        return True
    location = part.first("content-location")
    return bool(location) and (f'"{location}"' in html or f"'{location}'" in html)
