"""The sending port of any content with the behavior ``imio.mailbridge.send_by_email``."""

from AccessControl import getSecurityManager
from AccessControl import Unauthorized
from Acquisition import aq_base
from imio.mailbridge.ports.sending import FileReference
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.ports.sending import ISendingContext
from plone.namedfile.interfaces import INamedBlobFile
from plone.uuid.interfaces import IUUID
from Products.CMFCore.interfaces import IFolderish
from Products.CMFCore.permissions import View
from zope.component import adapter
from zope.component import queryAdapter
from zope.interface import implementer


@adapter(ISendByEmail)
@implementer(ISendingContext)
def sending_context(content):
    """Return the adapter named after the portal type, or the one that offers files alone."""
    return queryAdapter(content, ISendingContext, name=content.portal_type) or ContentSendingContext(content)


@implementer(ISendingContext)
class ContentSendingContext:
    """Sending from content without e-mail fields: its title is the subject, nothing is written back."""

    thread = ()

    def __init__(self, content):
        self.content = content

    def defaults(self):
        """Return the title as subject."""
        return {"subject": self.content.Title()}

    def files(self):
        """Return the files in the content that the current user may view, in the order of the folder."""
        return tuple(map(file_reference, self._children()))

    def open(self, uid):
        """Return a stream on the blob; errors: ``KeyError`` for a uid that is not one of ``files()``."""
        for child in self._children():
            if IUUID(child) == uid:
                return child.file.open()
        raise KeyError(uid)

    def may_add_file(self):
        """Return that nobody may: this content has no type of files."""
        return False

    def add_file(self, filename, content_type, stream):
        """Refuse, for the same reason."""
        raise Unauthorized("Files cannot be added here.")

    def known_addresses(self):
        """Return nothing: this content has no contacts."""
        return frozenset()

    def facts(self, recipient):
        """Return the title."""
        return {"document.title": (self.content.Title(),)}

    def write_status(self, sent, total, sent_at):
        """Keep the content as it is: the outbox shows what became of the message."""

    def write_returned(self, returned):
        """Keep the content as it is: the outbox shows what came back."""

    def answered(self, transition):
        """Keep all as it is: this content answers nothing."""

    def close(self):
        """Keep the state: this content has no closing transition."""

    def _children(self):
        if not IFolderish.providedBy(self.content):
            return
        user = getSecurityManager()
        for child in self.content.objectValues():
            if INamedBlobFile.providedBy(getattr(aq_base(child), "file", None)) and user.checkPermission(
                View, child
            ):
                yield child


def file_reference(content):
    """Return the ``FileReference`` of content that holds a file."""
    return FileReference(
        uid=IUUID(content),
        filename=content.file.filename or content.getId(),
        content_type=content.file.contentType or "application/octet-stream",
        size=content.file.getSize(),
    )
