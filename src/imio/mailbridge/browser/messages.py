"""What became of the e-mails written from this document? A viewlet, and the fragment that it reloads itself with."""

from imio.mailbridge.browser import message_view as shown
from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.outbox.permission import action_visible
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.permission import may_send
from imio.mailbridge.outbox.record import outbox
from plone.app.layout.viewlets.common import ViewletBase
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView


class Messages(shown.Buttons, BrowserView):
    """The list as a fragment of HTML: ``@@mailbridge-messages``."""

    def __call__(self):
        check_may_send(self.context)
        self.messages = [shown.message(record) for record in outbox().of_document(IUUID(self.context))]
        self.version = shown.version(self.messages)
        return self.index()

    def time(self, moment):
        """Return a time as a person reads it."""
        return readable_time(moment)


class MessagesViewlet(ViewletBase):
    """Shows the list below the title, and a button to write."""

    @property
    def available(self):
        """Only on pages that mail can be sent from, and where there is something to show."""
        return may_send(self.context) and (self.can_send or self.has_messages)

    @property
    def can_send(self):
        """Tell whether the button is shown."""
        return action_visible(self.context)

    @property
    def has_messages(self):
        """Tell whether any e-mail was written from here."""
        return bool(outbox().of_document(IUUID(self.context)))
