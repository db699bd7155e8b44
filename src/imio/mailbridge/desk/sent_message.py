"""Reads a message that was sent: ``@@mailbridge-sent-message``, its text in a frame, and its files as they left."""

from AccessControl import Unauthorized
from functools import cached_property
from imio.mailbridge.browser.message_summary import summary_of
from imio.mailbridge.browser.message_summary import SummaryPage
from imio.mailbridge.browser.preview import lock
from imio.mailbridge.browser.preview import preview
from imio.mailbridge.desk.attachments import FileLists
from imio.mailbridge.desk.attachments import kind_of
from imio.mailbridge.desk.attachments import media_type_of
from imio.mailbridge.desk.letter import text_heights
from imio.mailbridge.i18n import _
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.visibility import is_own
from imio.mailbridge.outbox.visibility import may_read
from imio.mailbridge.outbox.visibility import sees_all
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.store.blobs import is_readable
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from tempfile import TemporaryFile
from urllib.parse import quote
from zExceptions import NotFound
from ZPublisher.Iterators import filestream_iterator
import os


DELETED = _(
    "The text and the attachments were deleted at the end of the retention period for sent mail. What became of the e-mail is "
    "still known."
)
NEVER_SHOWN = _("The site wrote this message itself. It may hold secrets, so its text is never shown.")
LOST = _(
    "The text of this e-mail is lost: its bytes are missing on the server. Tell the administrators of the site."
)
_FIELDS = (("to", _("To")), ("cc", _("Copy to")), ("bcc", _("Blind copy to")))


def visible_message(request):
    """Return the message named by ``id`` in the address; errors: ``NotFound``, also where the user may not know of it."""
    if api.user.is_anonymous():
        raise Unauthorized("Log in to read what was sent.")
    id = request.form.get("id")
    record = outbox().get(id) if isinstance(id, str) else None
    if record is None or not may_read(record):
        raise NotFound("id")
    return record


def why_hidden(record):
    """Return a sentence where the text of a message cannot be shown, or an empty string."""
    if record.origin == "site":
        return NEVER_SHOWN
    if record.body is None:
        return DELETED
    return "" if is_readable(record.body) else LOST


class OfMessage(BrowserView):
    """Mixin of pages about one message."""

    @cached_property
    def record(self):
        """The message."""
        return visible_message(self.request)

    @cached_property
    def parsed(self):
        """The message as it left, or None where its text cannot be shown."""
        if why_hidden(self.record):
            return None
        with self.record.body.open() as stream:
            return parse(stream)


class StatePage(SummaryPage):
    """Mixin of pages that show what became of a message."""

    _states = ViewPageTemplateFile("templates/message_states.pt")

    def states(self, message, back):
        """Return the HTML of recipients, buttons and history; ``message`` is a summary, ``back`` as for ``buttons``."""
        return self._states(message=message, back=back)


class SentMessage(FileLists, StatePage, OfMessage):
    """Who wrote what to whom, what became of it, and the files that went along."""

    def __call__(self):
        self.message = {**summary_of(self.record), "mine": is_own(self.record)}
        return self.index()

    @property
    def rows(self):
        """Return (label, text) of the header fields; blind copies only for the sender and managers of mail."""
        record, fields = self.record, _FIELDS if sees_all(self.record) else _FIELDS[:2]
        rows = [(_("From"), str(record.sender.author))]
        if record.sender.reply_to:
            rows.append((_("Reply to"), str(record.sender.reply_to)))
        rows += [(label, ", ".join(map(str, getattr(record, name)))) for name, label in fields]
        return [(label, text) for label, text in [*rows, (_("Date"), self.time(record.created))] if text]

    @property
    def why_hidden(self):
        """Return a sentence where the text cannot be shown, or an empty string."""
        return why_hidden(self.record)

    @property
    def files(self):
        """Return name, kind in words, size and address of the files that went along."""
        found = self.parsed.attachments if self.parsed is not None else ()
        address = f"{api.portal.get().absolute_url()}/@@mailbridge-sent-file?id={self.record.id}&part="
        return [
            {
                "name": file.filename,
                "kind": kind_of(media_type_of(file.filename, file.content_type)),
                "size": readable_size(file.size),
                "url": f"{address}{number}",
                "is_lost": False,
                "shown_as": "",
            }
            for number, file in enumerate(found)
        ]

    @property
    def frame(self):
        """Return the address of the text."""
        return f"{api.portal.get().absolute_url()}/@@mailbridge-sent-text?id={self.record.id}"

    @property
    def heights(self):
        """Return how many lines the text is high, about, on a screen and on a phone."""
        written = self.record.written.data.get("body", "") if self.record.written is not None else ""
        return text_heights(str(written).encode("utf-8", "replace"))


class Frame(OfMessage):
    """The text of the message, as an HTML document that fetches nothing."""

    def __call__(self):
        if self.parsed is None:
            raise NotFound("mailbridge-sent-text")
        lock(self.request, max_age=300)
        return preview(self.parsed)


class File(OfMessage):
    """The download of the file ``part`` (from 0) as it left."""

    def __call__(self):
        part = self.request.form.get("part", "")
        files = self.parsed.attachments if self.parsed is not None else ()
        if not (isinstance(part, str) and part.isdecimal() and len(part) < 5 and int(part) < len(files)):
            raise NotFound("part")
        file, response = files[int(part)], self.request.response
        with TemporaryFile() as target:
            file.write_to(target)
            target.flush()
            size = target.tell()
            target.seek(0)
            stream = filestream_iterator(os.dup(target.fileno()), "rb")
        response.setHeader("Content-Type", "application/octet-stream")
        response.setHeader(
            "Content-Disposition", f"attachment; filename*=UTF-8''{quote(file.filename, errors='replace')}"
        )
        response.setHeader("X-Content-Type-Options", "nosniff")
        response.setHeader("Content-Length", str(size))
        return stream
