"""Keeps the text of a message beside its file, bounded, so that the catalog reads it without parsing the message."""

from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs import reading
from imio.mailbridge.message.rendition.written import plain_text
from persistent.mapping import PersistentMapping
from zope.annotation.interfaces import IAnnotations


#: Characters of a message that searches know.
MAX_TEXT = 100_000
KEY = "imio.mailbridge.text"


def keep(file, text):
    """Keep the text of the message that a file holds, in an object of its own: it is loaded to be indexed and never else."""
    IAnnotations(file)[KEY] = PersistentMapping(text=text[:MAX_TEXT])


def text_of(document):
    """Return the text of the messages in a document; one that was filed before texts were kept is parsed."""
    return "\n".join(
        _text_in(file) for file in document.objectValues() if file.portal_type == names.MAIN_FILE
    )[:MAX_TEXT]


def _text_in(file):
    kept = IAnnotations(file).get(KEY)
    if kept is not None:
        return kept["text"]
    message = reading.read(file)
    return plain_text(message, MAX_TEXT) if message is not None else ""
