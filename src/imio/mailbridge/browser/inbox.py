"""What came in, and what is left to decide? The list ``@@mailbridge-inbox`` for managers of mail."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.moment import readable_time
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound import decide
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.source import source
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
from plone.batching import Batch
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.component import getUtility
from zope.schema.interfaces import IVocabularyFactory


PAGE = 25
ACTIONS = {
    "replay": (decide.replay, _("The message was treated again.")),
    "accept": (decide.accept, _("The message is filed as you said.")),
    "discard": (decide.discard, _("The message is discarded; its original is kept.")),
}


class InboxView(BrowserView):
    """A table with filters by state, and the buttons replay, accept and discard."""

    def __call__(self):
        form = self.request.form
        for name in ACTIONS:
            if name in form:
                return self._act(name, form[name])
        return self.index()

    def _act(self, name, id):
        if self.request.method != "POST":
            raise NotFound(name)
        record = inbox().get(id)
        if record is None:
            raise NotFound(id)
        action, done = ACTIONS[name]
        try:
            action(record, {"service": self.request.form.get("service", "")})
        except decide.NotPossible as error:
            api.portal.show_message(error.message, self.request, "warning")
        else:
            filed = name == "discard" or record.state == "filed"
            api.portal.show_message(
                done if filed else _("The message could not be filed; the list says why."), self.request
            )
        state = self.request.form.get("state", "")
        return self.request.response.redirect(
            f"{self.url}?state={state}" if state in titles.INCOMING else self.url
        )

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-inbox"

    @property
    def state(self):
        """Return the chosen state, or an empty string for all."""
        chosen = self.request.form.get("state")
        return chosen if chosen in titles.INCOMING else ""

    def services(self):
        """Return uid and name of the services that a message can be given to."""
        factory = getUtility(IVocabularyFactory, "imio.mailbridge.services")
        return [(term.value, term.title or term.token) for term in factory(self.context)]

    def filters(self):
        """Return the states that have records, with their counts."""
        counts = inbox().counts()
        yield {"state": "", "title": _("all"), "count": sum(counts.values()), "active": not self.state}
        for state, title in titles.INCOMING.items():
            if state in counts:
                yield {"state": state, "title": title, "count": counts[state], "active": state == self.state}

    @property
    def batch(self):
        """Return the page of record ids that is shown."""
        ids = inbox().newest_ids(*([self.state] if self.state else []))
        try:
            start = max(0, int(self.request.form.get("b_start", 0)))
        except (TypeError, ValueError):
            start = 0
        return Batch(ids, PAGE, start)

    def row(self, id):
        """Return what the table shows of a record."""
        record = inbox().get(id)
        sentence, remedy = reason_texts(record.reason)
        items = [brain for brain in map(uuidToCatalogBrain, record.items) if brain is not None]
        return {
            "id": id,
            "received": readable_time(record.created),
            "author": record.author,
            "subject": record.subject,
            "recipient": record.envelope_recipient,
            "size": readable_size(record.size),
            "state": titles.INCOMING[record.state],
            "colour": titles.colour(record.state),
            "transfer": titles.TRANSFER.get(record.transfer, ""),
            "transferred_by": record.transferred_by or record.source_mailbox,
            "reason": record.reason,
            "sentence": translatable(sentence),
            "remedy": translatable(remedy),
            "error": record.error,
            "documents": [{"url": brain.getURL() + "/view", "title": brain.Title} for brain in items],
            "source": f"{self.context.absolute_url()}/@@mailbridge-source?id={id}",
            "open": record.state in decide.OPEN,
        }


class Source(BrowserView):
    """The original bytes of a record."""

    def __call__(self):
        record = inbox().get(self.request.form.get("id", ""))
        if record is None:
            raise NotFound("id")
        return source(record, self.request.response)
