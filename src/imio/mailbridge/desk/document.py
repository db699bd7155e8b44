"""The page of an incoming e-mail or of an outgoing mail: its text first, the conversation, and its fields beside them."""

from functools import cached_property
from imio.mailbridge.browser.readable import IShowsMessage
from imio.mailbridge.desk.attachments import described
from imio.mailbridge.desk.attachments import FileLists
from imio.mailbridge.desk.attachments import files_of
from imio.mailbridge.desk.attachments import is_appendix
from imio.mailbridge.desk.conversation import messages_of
from imio.mailbridge.desk.draft import Draft
from imio.mailbridge.desk.fields import Panel
from imio.mailbridge.desk.letter import Letter
from imio.mailbridge.desk.reply import new_press
from imio.mailbridge.desk.reply import reply_visible
from imio.mailbridge.iadocs import names
from imio.mailbridge.outbox.permission import action_visible
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from zope.interface import implementer


@implementer(IShowsMessage)
class DocumentView(FileLists, BrowserView):
    """The default view of both types."""

    def __call__(self):
        self.request.set(
            "disable_plone.leftcolumn", 1
        )  # text and panel need the width; the breadcrumbs lead up
        return self.index()

    @cached_property
    def letter(self):
        """The message that came in, or None on an outgoing mail."""
        return Letter(self.context) if self.context.portal_type == names.INCOMING_EMAIL else None

    @cached_property
    def draft(self):
        """The e-mail in the fields of an outgoing mail, or None."""
        if self.context.portal_type == names.INCOMING_EMAIL:
            return None
        draft = Draft(self.context)
        return draft if draft.exists else None

    @cached_property
    def messages(self):
        """What was sent from the document."""
        return messages_of(self.context)

    @cached_property
    def status(self):
        """What the e-mail field says of sending where the bridge sent nothing: else the conversation tells it, per recipient."""
        status = getattr(self.context, "email_status", None) or ""
        return status if not self.messages else ""

    @cached_property
    def panel(self):
        """The fields beside the text."""
        return Panel(self.context)

    @property
    def contacts(self):
        """The contacts that the mail came from or goes to."""
        return self.panel.contacts("sender" if self.letter is not None else "recipients")

    @cached_property
    def _files(self):
        return files_of(self.context)

    @cached_property
    def files(self):
        """The files that came or go with the message."""
        uids = self.draft.attachments if self.draft is not None else ()
        files = [file for file in self._files if is_appendix(file)]
        shown = described(files)
        for file, each in zip(files, shown, strict=True):
            each["goes_along"] = IUUID(file) in uids
        return shown

    @property
    def has_archive(self):
        """Tell whether there are several files to download at once."""
        return len(self._files) > 1

    @property
    def others(self):
        """Return the content that holds no file, as brains would describe it."""
        held = {file.getId() for file in self._files}
        listing = (
            self.context.restrictedTraverse("@@contentlisting")() if len(self.context) > len(held) else ()
        )
        files = {names.MAIN_FILE, names.OUTGOING_MAIN_FILE, names.APPENDIX_FILE}
        return [item for item in listing if item.getId() not in held and item.portal_type not in files]

    @property
    def may_write(self):
        """Tell whether the user is offered to write an e-mail."""
        return action_visible(self.context)

    @cached_property
    def may_reply(self):
        """Tell whether the user is offered to answer in an outgoing mail of its own."""
        return reply_visible(self.context)

    @property
    def press(self):
        """Return a name for this page: two presses on it make one answer."""
        return new_press()
