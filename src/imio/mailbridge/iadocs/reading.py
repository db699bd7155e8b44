"""Prepares a stored message for a reader: labels in the reader's language, dates and sizes in the notation of the site."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.rendition.html_document import head
from imio.mailbridge.message.rendition.html_document import Labels
from imio.mailbridge.settings.clock import readable_time
from plone import api
from zope.i18n import translate


#: Media types of a file that is a message.
MESSAGES = ("message/rfc822", "application/vnd.ms-outlook")

_LABELS = {
    "author": _("From"),
    "to": _("To"),
    "cc": _("Copy to"),
    "date": _("Date"),
    "subject": _("Subject"),
    "attachments": _("Attachments"),
    "quoted": _("Quoted text"),
    "blocked": _(
        "${count} images or other contents from the internet were left out.", mapping={"count": "%d"}
    ),
    "blocked_one": _("One image or other content from the internet was left out."),
    "empty": _("This message has no text."),
}


def labels(language=""):
    """Return the words of a rendition in ``language``, by default that of the reader."""
    language = language or api.portal.get_current_language()
    words = {name: translate(text, target_language=language) for name, text in _LABELS.items()}
    return Labels(language=language, **words)


def rows(message, words):
    """Return (label, text) of the header fields that a reader looks at."""
    return head(message, words, readable_time(message.date) if message.date is not None else "")


def files(message):
    """Return a line for each attachment: name, size in bytes and digest."""
    return [f"{file.filename} ({file.size} B, SHA-256 {file.sha256})" for file in message.attachments]


def read(file):
    """Return the message that a file of a document holds, or None when it holds no message."""
    blob = getattr(file, "file", None)
    if blob is None or (blob.contentType or "").partition(";")[0].strip().lower() not in MESSAGES:
        return None
    with blob.open() as stream:
        return parse(stream)
