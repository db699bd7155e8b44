"""Shows the message of a document in a sandboxed frame that fetches nothing, with its PDF and its original.

The viewlet above the fields, ``@@mailbridge-frame``, ``@@rendition.pdf`` and ``@@mailbridge-render-again``.
"""

from AccessControl import Unauthorized
from Acquisition import aq_base
from Acquisition import aq_inner
from Acquisition import aq_parent
from imio.mailbridge.browser import evidence
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.preview import lock
from imio.mailbridge.browser.review_choices import document_links
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs import reading
from imio.mailbridge.iadocs.rendition import NONE_YET
from imio.mailbridge.iadocs.rendition import outline_of
from imio.mailbridge.iadocs.rendition import rendition
from imio.mailbridge.iadocs.rendition import request as request_pdf
from imio.mailbridge.iadocs.rendition import TEXTS
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.inbound.apply import NOT_A_RECIPIENT
from imio.mailbridge.inbound.decide import UNPROVEN_AUTHOR
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.syntax.filename import message_filename
from imio.mailbridge.settings.size import name_and_size
from imio.mailbridge.store.blobs import is_readable
from itertools import chain
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from urllib.parse import quote
from zExceptions import NotFound
from zope.interface import implementer
from zope.interface import Interface
from ZPublisher.Iterators import filestream_iterator
from ZPublisher.Iterators import IStreamIterator
import os


class IShowsMessage(Interface):
    """A page that shows the message of its document in its own way."""


@implementer(IStreamIterator)
class _Stream:
    """Bytes around those of a file, read piece by piece after the database connection is closed."""

    def __init__(self, first, path, last):
        self._length = len(first) + os.path.getsize(path) + len(last)
        self._pieces = chain((first,), filestream_iterator(path, "rb"), (last,))

    def __len__(self):
        return self._length

    def __iter__(self):
        return self._pieces

    def __next__(self):
        return next(self._pieces)


def mail_of(context):
    """Return the file of a document that holds its message, or None; ``context`` may be that file."""
    candidates = [context] if context.portal_type == names.MAIN_FILE else context.objectValues()
    for file in candidates:
        if file.portal_type == names.MAIN_FILE and api.user.has_permission("View", obj=file):
            kind = getattr(getattr(file, "file", None), "contentType", "") or ""
            if kind.lower() in reading.MESSAGES:
                return file
    return None


def has_readable_file(content):
    """Tell whether content holds a file whose bytes can be read."""
    blob = getattr(aq_base(content), "file", None)
    return blob is not None and is_readable(blob)


def may_request_pdf(file):
    """Tell whether the user may edit the document that a file stands in: nobody may edit the message itself."""
    return api.user.has_permission("Modify portal content", obj=aq_parent(aq_inner(file)))


class Frame(BrowserView):
    """The body of the message that this file holds."""

    def __call__(self):
        message = reading.read(self.context) if has_readable_file(self.context) else None
        if message is None:
            raise NotFound("mailbridge-frame")
        made = rendition(self.context)
        outline = outline_of(made)
        lock(self.request, max_age=300 if outline is not None else 0)
        if outline is None:
            return reading.text_alone(message, made is not None and made.state == "waiting")
        first, last = reading.around(message, outline)
        stream = _Stream(first, made.html.committed(), last)
        self.request.response.setHeader("Content-Length", str(len(stream)))
        return stream


class Pdf(BrowserView):
    """The PDF of the message that this file holds."""

    def __call__(self):
        made = rendition(self.context)
        if made is None or made.state != "done":
            raise NotFound("rendition.pdf")
        response = self.request.response
        response.setHeader("Content-Type", "application/pdf")
        message = reading.read(self.context)
        name = message_filename(message.subject if message is not None else None, ".pdf")
        response.setHeader("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name)}")
        response.setHeader("X-Content-Type-Options", "nosniff")
        response.setHeader("Content-Length", str(made.size))
        return filestream_iterator(made.pdf.committed(), "rb")


class RequestPdf(ButtonPage):
    """``POST @@mailbridge-render-again`` has the PDF made."""

    buttons = {"render": "_render"}

    def _pressed(self):
        return "render"

    def _find_target(self, name):
        if not may_request_pdf(self.context):
            raise Unauthorized("This needs the right to edit the document.")

    def _give_back(self):
        return self.request.response.redirect(self.next_url)

    @property
    def next_url(self):
        """Return the page of the file."""
        return f"{self.context.absolute_url()}/view"

    def _render(self):
        request_pdf(self.context)
        self._say(_("The PDF will be there in a moment."))


def is_unproven(document):
    """Tell whether a document was made of a message that nothing proves to be of the agent in whose name it is."""
    return _has_evidence(document, UNPROVEN_AUTHOR)


def is_by_other(document):
    """Tell whether a document was made of what came to the reply address of an e-mail from somebody else than its recipients."""
    return _has_evidence(document, NOT_A_RECIPIENT)


def _has_evidence(document, name):
    first = next(iter(inbox().transfers(IUUID(document))), None)
    return first is not None and any(each[0] == name for each in first.evidence)


class ReadableViewlet(ViewletBase):
    """The message of a document, above its fields; pages that show it themselves are not concerned."""

    def update(self):
        """Find the message; only on the view of the document itself."""
        super().update()
        kinds = (names.MAIN_FILE, names.INCOMING_EMAIL)
        is_ours = getattr(self.context, "portal_type", "") in kinds and not IShowsMessage.providedBy(
            self.view
        )
        self.file = mail_of(self.context) if is_ours else None
        readable = self.file is not None and is_readable(self.file.file)
        self.message = reading.read(self.file) if readable else None
        self.unproven = self.message is not None and is_unproven(self.document)
        self.by_other = self.message is not None and is_by_other(self.document)
        self.made = rendition(self.file) if self.file is not None else None

    def others(self):
        """Return url and title of each other document that was made of a message of this name, with other content."""
        return document_links(duplicates.others(IUUID(self.document)))

    def render(self):
        """Return nothing where there is no message."""
        return super().render() if self.message is not None else ""

    def rows(self):
        """Return the header fields that a reader looks at."""
        return reading.rows(self.message, reading.labels())

    def attachments(self):
        """Return name and size of each attachment, from the files beside the message: nothing is decoded."""
        return self._files(added=False)

    def added(self):
        """Return the same of the files of whoever passed the message on."""
        return self._files(added=True)

    def _files(self, added):
        return [
            name_and_size(file.file.filename, file.get_size())
            for file in self.document.objectValues()
            if file.portal_type == names.APPENDIX_FILE
            and file.file is not None
            and file.id.startswith(names.ADDED) is added
        ]

    def words(self):
        """Return who passed the message on with words, and these line by line."""
        return evidence.words_beside(self.document)

    @property
    def document(self):
        """Return the document of the message."""
        return aq_parent(aq_inner(self.file))

    def urls(self):
        """Return the addresses of the frame, the original and the PDF."""
        url = self.file.absolute_url()
        return {
            "frame": f"{url}/@@mailbridge-frame",
            "original": f"{url}/@@download/file",
            "pdf": f"{url}/@@rendition.pdf" if self.made is not None and self.made.state == "done" else "",
            "render": f"{url}/@@mailbridge-render-again",
        }

    def pdf_text(self):
        """Return the state of the PDF in words, or an empty string when it is there."""
        return TEXTS.get(self.made.state, "") if self.made is not None else NONE_YET

    def may_request_pdf(self):
        """Tell whether there is no PDF and the user may have it made."""
        failed = self.made is None or self.made.state in ("failed", "off")
        return failed and may_request_pdf(self.file)
