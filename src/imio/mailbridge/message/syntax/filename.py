"""Makes the names under which the files of a message are kept: no path, no invisible character, not too long."""

from imio.mailbridge.message.syntax.header import clean
import re


MAX_LENGTH = 150

_MAX_SUBJECT = 120
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]+')
_DRIVE = re.compile(r"^[A-Za-z]:")
_TYPES = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "application/zip": ".zip",
    "application/xml": ".xml",
    "application/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/pkcs7-mime": ".p7m",
    "image/heic": ".heic",
    "image/webp": ".webp",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "video/mp4": ".mp4",
    "text/xml": ".xml",
}


def safe_filename(name: str, content_type: str = "") -> str:
    """Return the last part of the path ``name``, shortened to ``MAX_LENGTH`` characters but with its extension.

    Where nothing usable is left: ``attachment`` with the extension of ``content_type``.
    """
    base = clean(name).replace("\\", "/").rstrip("/ ").rpartition("/")[2]
    base = " ".join(_DRIVE.sub("", base).split()).rstrip(". ")
    if not base.strip("."):
        return f"attachment{extension(content_type)}"
    if len(base) <= MAX_LENGTH:
        return base
    stem, dot, suffix = base.rpartition(".")
    if not dot or not stem or len(suffix) > 10:
        return base[:MAX_LENGTH].rstrip()
    return f"{stem[: MAX_LENGTH - len(suffix) - 1].rstrip()}.{suffix}"


def message_filename(subject: str | None, extension: str = ".eml") -> str:
    """Return a name, valid on every operating system, for a file that holds a message with this ``subject``."""
    base = " ".join(_NOT_IN_NAMES.sub(" ", clean(subject or "")).split())[:_MAX_SUBJECT].strip(". ")
    return (base or "message") + extension


def extension(content_type: str) -> str:
    """Return the usual extension of a media type with its dot, or an empty string."""
    return _TYPES.get(content_type, "")


def type_by_name(filename: str) -> str:
    """Return the media type that the extension of ``filename`` stands for, for files that declare none."""
    end = filename.lower().rpartition(".")[2]
    return next((kind for kind, known in _TYPES.items() if known == f".{end}"), "application/octet-stream")
