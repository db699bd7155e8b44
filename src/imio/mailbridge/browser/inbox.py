"""What came in, and what is left to decide? The list ``@@mailbridge-inbox`` for managers of mail."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.moment import readable_time
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound import decide
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.message.reason import REASONS
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.app.uuid.utils import uuidToCatalogBrain
from plone.batching import Batch
from Products.Five.browser import BrowserView
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.component import getUtility
from zope.schema.interfaces import IVocabularyFactory


PAGE = 25
MAX_AT_ONCE = 100
#: How many records a search looks at, the newest first.
MAX_LOOKED_AT = 5000
ACTIONS = {
    "replay": (decide.replay, _("The message was treated again.")),
    "accept": (decide.accept, _("The message is filed as you said.")),
    "discard": (decide.discard, _("The message is discarded; its original is kept.")),
}


class InboxView(BrowserView):
    """A table with filters by state, and the buttons replay, accept and discard."""

    def __call__(self):
        form = self.request.form
        if form.get("bulk") in ACTIONS:
            return self._act_on_many(form["bulk"])
        for name in ACTIONS:
            if name in form:
                return self._act(name, form[name])
        return self.index()

    def _act_on_many(self, name):
        """Carry out one decision for all that is ticked, each in its own savepoint; say how many it was."""
        if self.request.method != "POST":
            raise NotFound(name)
        ids = self.request.form.get("ids") or []
        action, _done = ACTIONS[name]
        count, refused = 0, 0
        for id in [ids] if isinstance(ids, str) else ids[:MAX_AT_ONCE]:
            record = inbox().get(id)
            try:
                if record is not None:
                    data = {name: self.request.form.get(name) or "" for name in ("service", "reason")}
                    action(record, data)
                    count += 1
            except decide.NotPossible:
                refused += 1
        api.portal.show_message(
            _("${count} messages: done. See their states below.", mapping={"count": str(count)}), self.request
        )
        if refused:
            api.portal.show_message(
                _("${count} were dealt with already.", mapping={"count": str(refused)}),
                self.request,
                "warning",
            )
        return self.request.response.redirect(self.here)

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
        return self.request.response.redirect(self.here)

    @property
    def here(self):
        """Return the address of this page with the filters that are chosen."""
        chosen = {"state": self.state, "reason": self.reason, "text": self.text}
        chosen = {name: value for name, value in chosen.items() if value}
        return f"{self.url}?{urlencode(chosen)}" if chosen else self.url

    @property
    def reason(self):
        """Return the chosen reason, or an empty string for all."""
        chosen = self.request.form.get("reason_code") or self.request.form.get("reason")
        return chosen if isinstance(chosen, str) and chosen in REASONS else ""

    @property
    def text(self):
        """Return what is searched for in author and subject."""
        text = self.request.form.get("text")
        return " ".join(text.split())[:100] if isinstance(text, str) else ""

    def reasons(self):
        """Return the reasons that a waiting record has, with a sentence."""
        box = inbox()
        found = {box.records[id].reason for id in box.newest_ids("quarantined", "failed")[:MAX_LOOKED_AT]}
        return [
            {"code": code, "title": translatable(reason_texts(code)[0]), "chosen": code == self.reason}
            for code in REASONS
            if code in found or code == self.reason
        ]

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
        box = inbox()
        ids = box.newest_ids(*([self.state] if self.state else []))
        if self.reason or self.text:
            wanted = self.text.lower()
            ids = [
                id
                for id in ids[:MAX_LOOKED_AT]
                if (record := box.records[id])
                and self.reason in ("", record.reason)
                and wanted in f"{record.author} {record.subject} {record.transferred_by}".lower()
            ]
        try:
            start = max(0, int(self.request.form.get("b_start", 0)))
        except (TypeError, ValueError):
            start = 0
        return Batch(ids, PAGE, start)

    def any_open(self):
        """Tell whether a record on this page waits for a decision."""
        return any(inbox().records[id].state in decide.OPEN for id in self.batch)

    def row(self, id):
        """Return what the table shows of a record."""
        record = inbox().get(id)
        sentence, remedy = reason_texts(record.reason)
        items = [brain for brain in map(uuidToCatalogBrain, record.items) if brain is not None]
        return {
            "id": id,
            "url": f"{self.context.absolute_url()}/@@mailbridge-inbox-message?id={id}",
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


class WaitingViewlet(ViewletBase):
    """How many incoming messages wait for a decision, for managers of mail."""

    def update(self):
        """Count once."""
        super().update()
        counts = inbox().counts()
        self.count = counts.get("quarantined", 0) + counts.get("failed", 0)
        self.url = f"{self.site_url}/@@mailbridge-inbox?state=quarantined"
