"""Lists the files of a document for its readers, and shows those that run nothing in a browser: PDF and images."""

from imio.mailbridge.browser.preview import lock
from imio.mailbridge.browser.readable import has_readable_file
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.message.syntax.filename import content_kind
from imio.mailbridge.message.syntax.filename import type_by_name
from imio.mailbridge.settings.size import readable_size
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import quote
from zExceptions import NotFound
from ZODB.POSException import POSKeyError
from zope.i18n import translate
from ZPublisher.Iterators import filestream_iterator


PDF = "application/pdf"
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
#: Larger files are downloaded, in bytes.
MAX_SHOWN = 30_000_000
#: How a media type begins → what a person calls such a file; the narrower first.
_KINDS = (
    (PDF, _("PDF")),
    ("image/", _("Image")),
    ("audio/", _("Audio")),
    ("video/", _("Video")),
    ("message/", _("E-mail")),
    ("application/vnd.ms-outlook", _("E-mail")),
    ("text/calendar", _("Appointment")),
    ("text/vcard", _("Contact card")),
    ("text/html", _("Web page")),
    ("text/", _("Text")),
    ("application/rtf", _("Text document")),
    ("application/msword", _("Text document")),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml", _("Text document")),
    ("application/vnd.oasis.opendocument.text", _("Text document")),
    ("application/vnd.ms-excel", _("Spreadsheet")),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml", _("Spreadsheet")),
    ("application/vnd.oasis.opendocument.spreadsheet", _("Spreadsheet")),
    ("application/vnd.ms-powerpoint", _("Presentation")),
    ("application/vnd.openxmlformats-officedocument.presentationml", _("Presentation")),
    ("application/vnd.oasis.opendocument.presentation", _("Presentation")),
    ("application/zip", _("Archive")),
    ("application/x-7z-compressed", _("Archive")),
    ("application/vnd.rar", _("Archive")),
)
_OFFICE = ("application/msword", "application/rtf", "application/vnd.")
_OTHER = _("File")
NOT_SHOWN = _(
    "This file cannot be shown here: it is not what its name says. Download it, and open it with care."
)
#: A PDF viewer is a page of the browser's own: it needs its styles, nothing else.
_PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_IMAGE_POLICY = "default-src 'none'; frame-ancestors 'self'; sandbox"


def files_of(document):
    """Return the content of a document that holds a file and that the current user may view, in the order of the folder."""
    return [
        child
        for child in document.objectValues()
        if getattr(child, "file", None) is not None and api.user.has_permission("View", obj=child)
    ]


def described(files):
    """Return what a page says of files: name, kind in words, size, address, how (``pdf``, ``image`` or not) and where shown."""
    by_name = {file.file.filename: file for file in files}
    return [_described(file, by_name) for file in files]


def kind_of(media_type):
    """Return what a person calls a file of this media type."""
    return next((words for beginning, words in _KINDS if media_type.startswith(beginning)), _OTHER)


def media_type_of(filename, declared):
    """Return the media type that the name of a file stands for, or else the one that is declared."""
    return type_by_name(filename or "") or (declared or "").lower()


def is_appendix(file):
    """Tell whether a file came with its message and is not the message itself."""
    return file.portal_type != names.MAIN_FILE


class FileLists:
    """Mixin of pages that list files."""

    _files_template = ViewPageTemplateFile("templates/files.pt")

    def file_list(self, files):
        """Return the HTML of files that ``described`` returned, or that have the same keys."""
        return self._files_template(files=files)


def _described(file, by_name):
    name, url = file.file.filename or file.getId(), file.absolute_url()
    media_type, size = media_type_of(name, file.file.contentType), _size(file)
    shown = file if media_type == PDF or media_type in IMAGES else None
    if shown is None and media_type.startswith(_OFFICE):
        shown = by_name.get(f"{name.rpartition('.')[0]}.pdf")
    if shown is not None and not 0 < (_size(shown) or 0) <= MAX_SHOWN:
        shown = None
    return {
        "id": file.getId(),
        "name": name,
        "kind": kind_of(media_type),
        "size": readable_size(size) if size is not None else "",
        "is_lost": size is None,
        "url": f"{url}/@@download/file",
        "shown_as": ("image" if media_type in IMAGES else "pdf") if shown is not None else "",
        "preview": f"{shown.absolute_url()}/@@mailbridge-preview" if shown is not None else "",
        "is_added": file.getId().startswith(names.ADDED),
    }


def _size(file):
    """Return the size in bytes, or None where the bytes are lost."""
    try:
        return file.file.getSize()
    except POSKeyError:
        return None


class Preview(BrowserView):
    """The file of this content, for a frame of our pages; what it is stands in its bytes, whatever its name says."""

    def __call__(self):
        if not has_readable_file(self.context):
            raise NotFound("mailbridge-preview")
        blob = self.context.file
        with blob.open() as stream:
            kind = content_kind(stream.read(4096))
        if kind not in (PDF, *IMAGES) or blob.getSize() > MAX_SHOWN:
            lock(self.request)
            words = translate(NOT_SHOWN, target_language=api.portal.get_current_language())
            return f"<!DOCTYPE html><meta charset='utf-8'><title>–</title><p>{words}</p>".encode()
        for name, value in (
            ("Content-Type", kind),
            (
                "Content-Disposition",
                f"inline; filename*=UTF-8''{quote(blob.filename or 'file', errors='replace')}",
            ),
            ("Content-Security-Policy", _PDF_POLICY if kind == PDF else _IMAGE_POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "private, max-age=300"),
            ("Content-Length", str(blob.getSize())),
        ):
            self.request.response.setHeader(name, value)
        return filestream_iterator(blob._blob.committed(), "rb")
