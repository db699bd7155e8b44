"""The sending port: what a content item offers to the e-mails that are written from it."""

from dataclasses import dataclass
from zope.interface import Attribute
from zope.interface import Interface


@dataclass(frozen=True)
class FileReference:
    """A file in the document that can be attached: ``size`` in bytes."""

    uid: str
    filename: str
    content_type: str
    size: int


class ISendByEmail(Interface):
    """Marker (by behavior): e-mails can be sent from this content."""


class ISendingContext(Interface):
    """What a content item offers to the e-mail written from it. Adapter of ``ISendByEmail`` content."""

    def defaults():
        """Return a dict with any of ``to``, ``cc``, ``bcc`` (lists of text), ``subject``, ``body`` (HTML),
        ``attachments`` (uids), ``sender`` (uid) to prefill the form."""

    def files():
        """Return the ``FileReference`` tuple of what the current user may view and attach."""

    def open(uid):
        """Return a binary stream of one of ``files()``."""

    def may_add_file():
        """Tell whether the current user may add a file to the document."""

    def add_file(filename, content_type, stream):
        """Add a file to the document and return its ``FileReference``; errors: ``Unauthorized``."""

    def known_addresses():
        """Return the set of the addr-specs, in lower case, of the contacts of the document; empty where it has none."""

    def facts(recipient):
        """Return what fields of templates stand for: name of a field (``document.…``, ``answered.…``, ``recipient.…``) → its
        texts, several where contacts of ``recipient`` (an ``Address`` or None) differ. The current user may view them all."""

    def write_status(sent, total, sent_at):
        """Write on the document that ``sent`` of ``total`` recipients were taken by the server (``sent_at``: aware datetime)."""

    def write_returned(returned):
        """Add to that status for how many recipients, of those whom readers may see, the e-mail came back."""

    def answered(transition):
        """Run a transition on each incoming e-mail that the document answers, where it can run: the first answer has left.

        Later answers run it no more.
        """

    def close():
        """Run the closing transition if the document has one that can run now."""

    thread = Attribute(
        "Message-IDs of the thread, the oldest first, the last that of the e-mail that this document answers"
    )
