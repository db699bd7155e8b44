"""Makes the names under which the files of a message are kept: valid on every operating system, with an extension, not too long."""

from imio.mailbridge.message.syntax.header import clean
from urllib.parse import unquote
import re
import unicodedata


MAX_LENGTH = 150

_MAX_SUBJECT = 120
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]+')
#: Letters that are not in ASCII as some programs write them, without saying so (RFC 2231 would).
_PERCENT = re.compile(r"(?:%[C-F][0-9A-F](?:%[89AB][0-9A-F]){1,3})+", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
_EXTENSION = re.compile(r"\.(?:[A-Za-z][A-Za-z0-9]{0,4}|[a-z]{6,8})")
_TYPES = {
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/pjpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/rtf": ".rtf",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/directory": ".vcf",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "application/vnd.ms-outlook": ".msg",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/xml": ".xml",
    "application/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/pkcs7-mime": ".p7m",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/svg+xml": ".svg",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/amr": ".amr",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/ogg": ".ogg",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/3gpp": ".3gp",
    "text/xml": ".xml",
}

_OLE = rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _wide(text: str) -> bytes:
    return re.escape(text.encode("utf-16-le"))


#: How files begin, the narrower first.
_SIGNATURES = (
    ("application/pdf", rb"\s{0,9}%PDF-"),
    ("image/png", rb"\x89PNG\r\n"),
    ("image/jpeg", rb"\xff\xd8\xff"),
    ("image/gif", rb"GIF8[79]a"),
    ("image/tiff", rb"II\*\0|MM\0\*"),
    ("image/webp", rb"RIFF....WEBP"),
    ("image/heic", rb"....ftyp(?:hei[cxms]|hevc|mif1|msf1)"),
    ("video/mp4", rb"....ftyp"),
    ("application/rtf", rb"\{\\rtf"),
    (
        "application/vnd.oasis.opendocument.text",
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.text",
    ),
    (
        "application/vnd.oasis.opendocument.spreadsheet",
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.spreadsheet",
    ),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", rb"PK\x03\x04.*?word/"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", rb"PK\x03\x04.*?xl/"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", rb"PK\x03\x04.*?ppt/"),
    ("application/zip", rb"PK\x03\x04"),
    ("application/vnd.ms-outlook", _OLE + rb".*?" + _wide("__nameid_version1.0")),
    ("application/msword", _OLE + rb".*?" + _wide("WordDocument")),
    ("application/vnd.ms-excel", _OLE + rb".*?" + _wide("Workbook")),
    ("text/calendar", rb"\s{0,9}BEGIN:VCALENDAR\b"),
    ("text/vcard", rb"\s{0,9}BEGIN:VCARD\b"),
    ("application/xml", rb"\s{0,9}<\?xml\b"),
)


def safe_filename(name: str, content_type: str = "", beginning: bytes = b"") -> str:
    """Return the last part of the path ``name``, shortened to ``MAX_LENGTH`` characters but with its extension.

    Where it has no extension it gets that of ``content_type``, or else of what its ``beginning`` is. Where nothing usable is
    left it is called ``attachment``.
    """
    written = _PERCENT.sub(lambda found: _letters(found[0]), name)
    path = _unquoted(clean(written).replace("\\", "/").rstrip("/ ")).rpartition("/")[2]
    base = _valid(_DRIVE.sub("", path)).rstrip(". ")
    if not base.strip(".") or base.lower() in _TYPES.values():
        base = f"attachment{base.rstrip('.')}"
    stem, suffix = _split(base)
    if not suffix:
        suffix = extension(content_type) or extension(content_kind(beginning))
    return stem[: MAX_LENGTH - len(suffix)].rstrip() + suffix


def message_filename(subject: str | None, extension: str = ".eml") -> str:
    """Return the name of a file that holds a message with this ``subject``."""
    return (_valid(clean(subject or ""))[:_MAX_SUBJECT].strip(". ") or "message") + extension


def has_extension(name: str) -> bool:
    """Tell whether ``name`` ends as the name of a kind of file does."""
    return bool(_split(name.strip())[1])


def whole_name(*names: str) -> str:
    """Return the first name that is not empty, or the one that continues it: programs cut one of two names of a file."""
    first = next(filter(None, names), "")
    return max((name for name in names if name.startswith(first)), key=len, default="")


def content_kind(beginning: bytes) -> str:
    """Return the media type of a file by how it begins, or an empty string."""
    return next((kind for kind, signature in _SIGNATURES if re.match(signature, beginning, re.DOTALL)), "")


def _letters(percent: str) -> str:
    try:
        return unquote(percent, errors="strict")
    except UnicodeDecodeError:
        return percent


def _unquoted(name: str) -> str:
    """Return ``name`` without the single quotes around it, which are none to RFC 2045."""
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] == "'" else name


def _valid(name: str) -> str:
    """Return ``name`` composed (NFC), with a space for what some operating system forbids in a name."""
    return " ".join(_NOT_IN_NAMES.sub(" ", unicodedata.normalize("NFC", name)).split())


def _split(base: str) -> tuple[str, str]:
    stem, dot, suffix = base.rpartition(".")
    return (stem, dot + suffix) if stem and _EXTENSION.fullmatch(dot + suffix) else (base, "")


def extension(content_type: str) -> str:
    """Return the usual extension of a media type with its dot, or an empty string."""
    return _TYPES.get(content_type, "")


def type_by_name(filename: str) -> str:
    """Return the media type that the extension of ``filename`` stands for, for files that declare none."""
    end = filename.lower().rpartition(".")[2]
    return next((kind for kind, known in _TYPES.items() if known == f".{end}"), "application/octet-stream")
