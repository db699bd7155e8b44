"""The list of incoming messages, ``@@mailbridge-inbox``, and the count of those that wait for a decision."""

from collections import Counter
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.review_choices import DECISIONS
from imio.mailbridge.browser.review_choices import document_links
from imio.mailbridge.browser.review_choices import services
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.summary import WAITING
from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.size import readable_size
from plone.app.layout.viewlets.common import ViewletBase
from urllib.parse import urlencode
from zExceptions import NotFound


PAGE = 25
MAX_AT_ONCE = 100
#: How many records a search looks at, the newest first.
MAX_LOOKED_AT = 5000


class InboxView(ButtonPage):
    """A table with filters by state, reason and text, and the decisions for one message or for all that are ticked."""

    buttons = DECISIONS

    @property
    def next_url(self):
        """Return this page with the filters that are chosen."""
        return self.here

    def _pressed(self):
        name = super()._pressed() or self.entered("bulk")
        return name if name in self.buttons else None

    def _press(self, name):
        if name in self.request.form:
            self._decide(name)
        else:
            self._decide_on_ticked(name)

    def _decide_on_ticked(self, name):
        """Carry out one decision for all messages that are ticked; say what became of them."""
        records = _records(self.ticked[:MAX_AT_ONCE])
        data = {"service": self.entered("service"), "reason": self.entered("discard_reason")}
        action, refused = DECISIONS[name][0], []
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

    def _decide(self, name):
        record = inbox().get(self.entered(name))
        if record is None:
            raise NotFound("id")
        action, done = DECISIONS[name]
        try:
            action(record, {"service": self.entered("service")})
        except review.NotPossible as error:
            self._say(error.message, "warning")
        else:
            filed = name == "discard" or record.state == "filed"
            self._say(done if filed else _("The message could not be filed; the list says why."))

    @property
    def here(self):
        """Return the address of this page with the filters that are chosen."""
        chosen = {"state": self.state, "reason": self.reason, "text": self.text}
        chosen = {name: value for name, value in chosen.items() if value}
        return f"{self.url}?{urlencode(chosen)}" if chosen else self.url

    @property
    def state(self):
        """Return the chosen state, ``open`` for all that wait for a decision, or an empty string for all."""
        state = self.entered("state")
        return state if state == "open" or state in titles.INCOMING else ""

    @property
    def reason(self):
        """Return the chosen reason, or an empty string for all."""
        reason = self.entered("reason")
        return reason if reason in REASONS else ""

    @property
    def text(self):
        """Return what is searched for in author, subject and forwarder."""
        return " ".join(self.entered("text").split())[:100]

    def reasons(self):
        """Return the reasons of the messages in the chosen state, each with a sentence and a count."""
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
        return services(self.context)

    def filters(self):
        """Return the states that have messages, with their counts."""
        counts = inbox().counts()
        filters = [("", _("all"), sum(counts.values())), ("open", _("to decide"), waiting_count())]
        filters += [
            (state, title, counts[state]) for state, title in titles.INCOMING.items() if state in counts
        ]
        return [
            {"state": state, "title": title, "count": count, "active": state == self.state}
            for state, title, count in filters
        ]

    def _of_state(self):
        states = {"": (), "open": WAITING}.get(self.state, (self.state,))
        return inbox().newest_ids(*states)

    @property
    def batch(self):
        """Return one page of record ids, newest first."""
        box, ids = inbox(), self._of_state()
        if self.reason or self.text:
            ids = [id for id in ids[:MAX_LOOKED_AT] if self._matches(box.records[id])]
        return batch_of(ids, PAGE, self.request)

    def _matches(self, record):
        searched = f"{record.author} {record.subject} {record.transferred_by} {record.source_mailbox}".lower()
        return self.reason in ("", record.reason) and self.text.lower() in searched

    def any_open(self):
        """Tell whether a record on this page waits for a decision."""
        return any(inbox().records[id].state in OPEN for id in self.batch)

    def row(self, id):
        """Return what the table shows of a record."""
        record = inbox().get(id)
        sentence, remedy = reason_texts(record.reason, record.evidence)
        return masked_data(
            {
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
                "documents": document_links(record.items),
                "source": f"{self.context.absolute_url()}/@@mailbridge-source?id={id}",
                "open": record.state in OPEN,
            }
        )


class WaitingViewlet(ViewletBase):
    """The count of incoming messages that wait for a decision, for managers of mail."""

    def update(self):
        """Count once."""
        super().update()
        self.count = waiting_count()
        self.url = f"{self.site_url}/@@mailbridge-inbox?state=open"


def waiting_count():
    """Return how many messages wait for a decision."""
    return inbox().count(*WAITING)


def _records(ids):
    return [record for id in ids if isinstance(id, str) and (record := inbox().get(id)) is not None]
