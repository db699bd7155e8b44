"""Collects what the page of an incoming e-mail shows of its message, from what is stored: nothing is parsed where that suffices."""

from imio.mailbridge.browser import evidence
from imio.mailbridge.browser.readable import has_readable_file
from imio.mailbridge.browser.readable import is_by_other
from imio.mailbridge.browser.readable import is_unproven
from imio.mailbridge.browser.readable import mail_of
from imio.mailbridge.browser.readable import may_request_pdf
from imio.mailbridge.browser.review_choices import document_links
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import reading
from imio.mailbridge.iadocs.rendition import NONE_YET
from imio.mailbridge.iadocs.rendition import outline_of
from imio.mailbridge.iadocs.rendition import rendition
from imio.mailbridge.iadocs.rendition import TEXTS
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.store.blobs import is_readable
from plone.uuid.interfaces import IUUID
import re


NO_MESSAGE = _("This document holds no e-mail: only its fields are known.")
LOST = _(
    "The message of this document is lost: its bytes are missing on the server. Tell the administrators of the site."
)
#: Bytes of the prepared text that are looked at to guess its height.
_LOOKED_AT = 1 << 16
_BREAK = re.compile(rb"<(?:br|/p|/div|/tr|/li|/h\d|/table|hr)\b|\n", re.IGNORECASE)
_TAG = re.compile(rb"<[^>]*>")
#: Characters of a line on a screen and on a phone.
_WIDE, _NARROW = 95, 42
_MIN_LINES, _MAX_LINES = 5, 40
#: Lines that a note above the text takes.
_NOTE = 3


class Letter:
    """The message of a document: ``file`` holds it, or is None; ``problem`` is a msgid where it cannot be shown."""

    def __init__(self, document):
        self.document = document
        self.file = mail_of(document)
        self.made = rendition(self.file) if self.file is not None else None
        self.problem = ""
        if self.file is None:
            self.problem = NO_MESSAGE
        elif not has_readable_file(self.file):
            self.problem = LOST
        self.url = self.file.absolute_url() if self.file is not None else ""

    @property
    def rows(self):
        """Return (label, text) of the header fields and of when it was received."""
        kept = self.made.head if self.made is not None else None
        if kept is None and not self.problem:
            kept = reading.head_of(reading.read(self.file))
        rows = reading.stored_rows(kept) if kept is not None else self._rows_of_fields()
        received = self.document.reception_date
        if received is not None:
            rows.append((_("Received on"), readable_time(received.replace(tzinfo=site_zone()))))
        return rows

    def _rows_of_fields(self):
        rows = [(_("From"), self.document.orig_sender_email or "")]
        return [(label, text) for label, text in rows if text]

    @property
    def is_unproven(self):
        """Tell whether nothing proves that the message is of the agent in whose name it is."""
        return is_unproven(self.document)

    @property
    def is_by_other(self):
        """Tell whether it came to the reply address of an e-mail from somebody else than its recipients."""
        return is_by_other(self.document)

    @property
    def others(self):
        """Return url and title of each other document that was made of a message of this name, with other content."""
        return document_links(duplicates.others(IUUID(self.document)))

    @property
    def words(self):
        """Return who passed the message on with words, and these line by line."""
        return evidence.words_beside(self.document)

    @property
    def heights(self):
        """Return how many lines the text is high, about, on a screen and on a phone."""
        html = self.made.html if self.made is not None else None
        if html is None or not is_readable(html):
            return 15, 20
        outline = outline_of(self.made)
        above = _NOTE * (len(reading.notes(outline, "en")) + len(outline.invitations))
        with html.open() as stream:
            return text_heights(stream.read(_LOOKED_AT), above)

    @property
    def pdf(self):
        """Return the address of the PDF, or an empty string."""
        return f"{self.url}/@@rendition.pdf" if self.made is not None and self.made.state == "done" else ""

    @property
    def pdf_text(self):
        """Return the state of the PDF in words, or an empty string when it is there."""
        return TEXTS.get(self.made.state, "") if self.made is not None else NONE_YET

    @property
    def may_request_pdf(self):
        """Tell whether there is no PDF and the user may have it made."""
        failed = self.made is None or self.made.state in ("failed", "off")
        return failed and may_request_pdf(self.file)


def text_heights(html, above=0):
    """Return how many lines an HTML text takes, about, on a screen and on a phone, between bounds of comfort.

    ``above``: lines of what stands above it.
    """
    lines = [len(_TAG.sub(b"", line).strip()) for line in _BREAK.split(html)]
    counted = [
        sum(1 + length // width for length in lines if length) * 1.5 + 5 + above for width in (_WIDE, _NARROW)
    ]
    if b"data:image" in html:
        counted = [count + 12 for count in counted]
    return tuple(round(min(max(count, _MIN_LINES), _MAX_LINES)) for count in counted)
