"""The page ``@@my-forwards``: what became of the messages that the current user forwarded."""

from AccessControl import Unauthorized
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.inbox_access import own_addresses
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.settings.clock import readable_time
from plone import api
from Products.Five.browser import BrowserView


PAGE = 25


class MyForwards(BrowserView):
    """The forwarded messages, newest first."""

    def __call__(self):
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your forwards.")
        return self.index()

    def batch(self):
        """Return the ids of one page."""
        return batch_of(inbox().forwarded_by(own_addresses()), PAGE, self.request)

    def row(self, id):
        """Return what the table shows of a record."""
        record = inbox().get(id)
        return {
            "url": f"{self.context.absolute_url()}/@@mailbridge-inbox-message?id={id}",
            "received": readable_time(record.created),
            "subject": masked(record.subject),
            "author": record.author,
            "state": titles.INCOMING[record.state],
            "colour": titles.colour(record.state),
            "sentence": translatable(reason_texts(record.reason, record.evidence)[0]),
        }
