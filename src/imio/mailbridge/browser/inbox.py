"""What came in, and what is left to decide? The list ``@@mailbridge-inbox`` for managers of mail."""

from collections import Counter
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.summary import WAITING
from imio.mailbridge.message.classification.reason import REASONS
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.app.uuid.utils import uuidToCatalogBrain
from plone.batching import Batch
from plone.protect import CheckAuthenticator
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
    "replay": (review.replay, _("The message was treated again.")),
    "accept": (review.accept, _("The message is filed as you said.")),
    "discard": (review.discard, _("The message is discarded; its original is kept.")),
}


class InboxView(BrowserView):
    """A table with filters by state, reason and text, and buttons for what is ticked; replay, accept, discard of one too."""

    def __call__(self):
        form = self.request.form
        name = next((name for name in ACTIONS if name in form or form.get("bulk") == name), None)
        if name is None:
            return self.index()
        if self.request.method != "POST":
            raise NotFound(name)
        CheckAuthenticator(self.request)
        if name in form:
            self._act(name, form[name])
        else:
            self._act_on_many(name)
        return self.request.response.redirect(self.here)

    def _act_on_many(self, name):
        """Carry out one decision for all that is ticked; say what became of them."""
        ids = self.request.form.get("ids") or []
        records = _records([ids] if isinstance(ids, str) else ids[:MAX_AT_ONCE])
        data = {"service": self._typed("service"), "reason": self._typed("discard_reason")}
        action, refused = ACTIONS[name][0], []
        for record in records:
            try:
                action(record, data)
            except review.NotPossible as error:
                refused.append(error.message)
        states = Counter(record.state for record in records)
        waiting = sum(states[state] for state in OPEN)
        if len(records) > len(refused):
            mapping = {"filed": str(states["filed"]), "waiting": str(waiting)}
            mapping["others"] = str(len(records) - states["filed"] - waiting)
            self._say(
                _(
                    "Of the ticked messages: filed ${filed}, still to decide ${waiting}, others ${others}.",
                    mapping=mapping,
                )
            )
        for message in dict.fromkeys(refused):
            self._say(message, "warning")
        if not records:
            self._say(_("Tick the messages first."), "warning")

    def _act(self, name, id):
        record = next(iter(_records([id])), None)
        if record is None:
            raise NotFound("id")
        action, done = ACTIONS[name]
        try:
            action(record, {"service": self._typed("service")})
        except review.NotPossible as error:
            self._say(error.message, "warning")
        else:
            filed = name == "discard" or record.state == "filed"
            self._say(done if filed else _("The message could not be filed; the list says why."))

    def _typed(self, name):
        """Return one value of the request, or an empty string for none and for several."""
        value = self.request.form.get(name)
        return value if isinstance(value, str) else ""

    def _say(self, message, type="info"):
        api.portal.show_message(message, self.request, type)

    @property
    def here(self):
        """Return the address of this page with the filters that are chosen."""
        chosen = {"state": self.state, "reason": self.reason, "text": self.text}
        chosen = {name: value for name, value in chosen.items() if value}
        return f"{self.url}?{urlencode(chosen)}" if chosen else self.url

    @property
    def state(self):
        """Return the chosen state, ``open`` for all that wait for a decision, or an empty string for all."""
        state = self._typed("state")
        return state if state == "open" or state in titles.INCOMING else ""

    @property
    def reason(self):
        """Return the chosen reason, or an empty string for all."""
        reason = self._typed("reason")
        return reason if reason in REASONS else ""

    @property
    def text(self):
        """Return what is searched for in author, subject and who forwarded."""
        return " ".join(self._typed("text").split())[:100]

    def reasons(self):
        """Return the reasons that messages of the chosen state have, with a sentence and how many they are."""
        box = inbox()
        found = Counter(box.records[id].reason for id in self._of_state()[:MAX_LOOKED_AT])
        return [
            {
                "code": code,
                "title": translatable(reason_texts(code)[0]),
                "count": found[code],
                "chosen": code == self.reason,
            }
            for code in REASONS
            if found[code] or code == self.reason
        ]

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-inbox"

    def services(self):
        """Return uid and name of the services that a message can be given to."""
        factory = getUtility(IVocabularyFactory, "imio.mailbridge.services")
        return [(term.value, term.title or term.token) for term in factory(self.context)]

    def filters(self):
        """Return the states that have messages, with their counts."""
        counts = inbox().counts()
        shown = [("", _("all"), sum(counts.values())), ("open", _("to decide"), waiting_count())]
        shown += [
            (state, title, counts[state]) for state, title in titles.INCOMING.items() if state in counts
        ]
        return [
            {"state": state, "title": title, "count": count, "active": state == self.state}
            for state, title, count in shown
        ]

    def _of_state(self):
        states = {"": (), "open": WAITING}.get(self.state, (self.state,))
        return inbox().newest_ids(*states)

    @property
    def batch(self):
        """Return the page of record ids that is shown, the newest first."""
        box, ids = inbox(), self._of_state()
        if self.reason or self.text:
            ids = [id for id in ids[:MAX_LOOKED_AT] if self._matches(box.records[id])]
        start = self._typed("b_start")
        return Batch(ids, PAGE, int(start) if start.isdecimal() and len(start) < 9 else 0)

    def _matches(self, record):
        searched = f"{record.author} {record.subject} {record.transferred_by} {record.source_mailbox}".lower()
        return self.reason in ("", record.reason) and self.text.lower() in searched

    def any_open(self):
        """Tell whether a record on this page waits for a decision."""
        return any(inbox().records[id].state in OPEN for id in self.batch)

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
            "open": record.state in OPEN,
        }


class WaitingViewlet(ViewletBase):
    """How many incoming messages wait for a decision, for managers of mail."""

    def update(self):
        """Count once."""
        super().update()
        self.count = waiting_count()
        self.url = f"{self.site_url}/@@mailbridge-inbox?state=open"


def waiting_count():
    """Return how many messages wait for a person."""
    return inbox().count(*WAITING)


def _records(ids):
    return [record for id in ids if isinstance(id, str) and (record := inbox().get(id)) is not None]
