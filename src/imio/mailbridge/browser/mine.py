"""What became of my e-mails? The page ``@@my-emails``, and the count of those that were lost in the header of every page."""

from AccessControl import Unauthorized
from imio.mailbridge.browser import message_view as shown
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.outbox.record import outbox
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.batching import Batch
from plone.protect.interfaces import IDisableCSRFProtection
from Products.Five.browser import BrowserView
from zope.interface import alsoProvides


PAGE = 25
#: What went wrong comes first.
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


class MyEmails(shown.Buttons, BrowserView):
    """The messages of the current user, the newest first, with a filter by state."""

    def __call__(self):
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your e-mails.")
        self.userid = api.user.get_current().getId()
        self.url = f"{self.context.absolute_url()}/@@my-emails"
        state = self.request.form.get("state")
        self.state = state if isinstance(state, str) and state in titles.OUTGOING else ""
        if outbox().unseen_of(self.userid):
            alsoProvides(self.request, IDisableCSRFProtection)  # that somebody looked is all that is written
            outbox().see(self.userid)
        return self.index()

    def filters(self):
        """Return the states with a count, what went wrong first; the first filter is none."""
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
        start = self.request.form.get("b_start")
        start = int(start) if isinstance(start, str) and start.isdecimal() and len(start) < 9 else 0
        return Batch(ids, PAGE, start)

    def message(self, id):
        """Return what is shown of a message; of its recipients what went wrong first."""
        found = shown.message(outbox().get(id))
        found["recipients"].sort(key=lambda each: ORDER.index(each["state"]))
        return found

    def time(self, moment):
        """Return a time as a person reads it."""
        return readable_time(moment)


class UnseenViewlet(ViewletBase):
    """How many own e-mails failed or came back since the user last opened the page."""

    def update(self):
        """Count once."""
        super().update()
        user = None if api.user.is_anonymous() else api.user.get_current().getId()
        self.count = outbox().unseen_of(user) if user else 0
        self.url = f"{self.site_url}/@@my-emails"
