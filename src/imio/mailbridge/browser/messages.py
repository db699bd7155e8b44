"""The e-mails written from a document: a viewlet, and the fragment ``@@mailbridge-messages`` that it reloads."""

from imio.mailbridge.browser.message_summary import summary_of
from imio.mailbridge.browser.message_summary import SummaryPage
from imio.mailbridge.browser.message_summary import version_of
from imio.mailbridge.outbox.permission import action_visible
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.permission import may_send
from imio.mailbridge.outbox.record import outbox
from plone.app.layout.viewlets.common import ViewletBase
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView


class Messages(SummaryPage, BrowserView):
    """The list as a fragment of HTML: ``@@mailbridge-messages``."""

    def __call__(self):
        check_may_send(self.context)
        self.messages = [summary_of(record) for record in outbox().of_document(IUUID(self.context))]
        self.version = version_of(self.messages)
        return self.index()


class MessagesViewlet(ViewletBase):
    """The list below the title, and a button to write."""

    @property
    def available(self):
        """Tell whether the user may send from this page and there is something to show."""
        return may_send(self.context) and (self.can_send or self.has_messages)

    @property
    def can_send(self):
        """Tell whether the user is offered to write an e-mail."""
        return action_visible(self.context)

    @property
    def has_messages(self):
        """Tell whether any e-mail was written from here."""
        return bool(outbox().of_document(IUUID(self.context)))
