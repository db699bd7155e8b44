"""The page ``@@my-emails``, and the count of failed e-mails in the header of every page."""

from AccessControl import Unauthorized
from contextlib import suppress
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.message_summary import summary_of
from imio.mailbridge.browser.message_summary import SummaryPage
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import NotUpgraded
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.protect.interfaces import IDisableCSRFProtection
from Products.Five.browser import BrowserView
from zope.interface import alsoProvides


PAGE = 25
#: Failures come first.
ORDER = (
    "failed",
    "bounced",
    "held",
    "deferred",
    "scheduled",
    "queued",
    "sending",
    "sent",
    "replied",
    "cancelled",
)


class MyEmails(SummaryPage, BrowserView):
    """The messages of the current user, newest first, with a filter by state."""

    def __call__(self):
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your e-mails.")
        self.userid = api.user.get_current().getId()
        self.url = f"{self.context.absolute_url()}/@@my-emails"
        state = self.request.form.get("state")
        self.state = state if isinstance(state, str) and state in titles.OUTGOING else ""
        if outbox().unseen_of(self.userid):
            alsoProvides(self.request, IDisableCSRFProtection)  # only notes that the user has looked
            outbox().see(self.userid)
        return self.index()

    def filters(self):
        """Return the states with their counts, failures first, after an entry for all states."""
        counts = {state: len(outbox().newest_ids_of_user(self.userid, state)) for state in ORDER}
        filters = [{"state": "", "title": None, "count": sum(counts.values()), "colour": "secondary"}] + [
            {"state": state, "title": titles.OUTGOING[state], "count": count, "colour": titles.colour(state)}
            for state, count in counts.items()
            if count
        ]
        return [{**each, "active": each["state"] == self.state} for each in filters]

    def batch(self):
        """Return the ids of one page."""
        ids = outbox().newest_ids_of_user(self.userid, *([self.state] if self.state else []))
        return batch_of(ids, PAGE, self.request)

    def message(self, id):
        """Return the summary of a message, with the recipients that it did not reach first."""
        found = summary_of(outbox().get(id))
        found["recipients"].sort(key=lambda each: ORDER.index(each["state"]))
        return found


class UnseenViewlet(ViewletBase):
    """How many of the user's e-mails failed or came back since they last opened the page."""

    def update(self):
        """Count once."""
        super().update()
        self.count = 0
        user = None if api.user.is_anonymous() else api.user.get_current().getId()
        with suppress(NotUpgraded):  # the page must show, so that somebody can upgrade
            self.count = outbox().unseen_of(user) if user else 0
        self.url = f"{self.site_url}/@@my-emails"
