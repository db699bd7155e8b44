"""The list of incoming messages, ``@@mailbridge-inbox``, and the count of those that wait for a decision."""

from collections import Counter
from contextlib import suppress
from email.utils import parseaddr
from functools import cached_property
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.inbox_list import InboxList
from imio.mailbridge.browser.inbox_list import review_url
from imio.mailbridge.browser.review_choices import DECISIONS
from imio.mailbridge.browser.review_choices import document_links
from imio.mailbridge.browser.review_choices import services
from imio.mailbridge.browser.review_choices import why_discarded
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.reasons import reason_label
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.summary import WAITING
from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.store.store import NotUpgraded
from imio.mailbridge.store.store import now
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from zExceptions import NotFound
from zope.component import getMultiAdapter


PAGE = 25
MAX_AT_ONCE = 100
#: How many messages that could not be dealt with are named one by one.
MAX_NAMED = 10
#: What the keys do; static/inbox.js carries it out.
KEYS = {
    "j": _("next message"),
    "k": _("previous message"),
    "a": _("file as proposed"),
    "e": _("discard: then choose why"),
    "o": _("open the message on a page of its own"),
    "?": _("show this help"),
}


class InboxView(ButtonPage):
    """The list with its filters, the message that is open beside it, and the decisions for all that are ticked.

    ``id`` in the address is the message that is open, ``done`` the one that was decided on before.
    """

    buttons = DECISIONS

    @cached_property
    def list(self):
        """The messages with the filters that are chosen."""
        return InboxList(self.request.form)

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
        """Carry out one decision for all messages that are ticked; say what became of them, and which it could not be done for."""
        whole_list = self.entered("all") == "1" and name != "restore"
        ids = self.list.waiting(self.entered("newest")) if whole_list else self.ticked
        records = _records(ids[:MAX_AT_ONCE])
        data = {"service": self.entered("service"), "reason": self.entered("discard_reason")}
        data["why"] = self.entered("why")
        action, refused = DECISIONS[name][0], []
        for record in records:
            try:
                action(record, data)
            except review.NotPossible as error:
                refused.append((record, error.message))
            else:
                if name == "accept" and record.state in OPEN:
                    refused.append((record, translatable(reason_texts(record.reason, record.evidence)[0])))
        if not records:
            self._say(_("Select the messages first."), "warning")
        elif len(records) > len(refused):
            self._say_what_became_of(records)
        if len(ids) > len(records) and records:
            left = _("At most ${count} messages are processed at a time. Press again for the rest.")
            self._say(_(left, mapping={"count": str(MAX_AT_ONCE)}), "warning")
        self._name(refused)

    def _say_what_became_of(self, records):
        states = Counter(record.state for record in records)
        waiting = sum(states[state] for state in OPEN)
        mapping = {"filed": str(states["filed"]), "waiting": str(waiting)}
        mapping["others"] = str(len(records) - states["filed"] - waiting)
        self._say(
            _(
                "Selected messages: filed ${filed}, still to decide ${waiting}, others ${others}.",
                mapping=mapping,
            )
        )

    def _name(self, refused):
        for record, why in refused[:MAX_NAMED]:
            mapping = {
                "subject": masked(record.subject) or "—",
                "why": api.portal.translate(why, lang=api.portal.get_current_language()),
            }
            self._say(_("“${subject}”: ${why}", mapping=mapping), "warning")
        if len(refused) > MAX_NAMED:
            more = len(refused) - MAX_NAMED
            words = plural(
                more, _("Nor could it be done for 1 other."), _("Nor could it be done for ${count} others.")
            )
            self._say(words, "warning")

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
        return f"{self.url}?{self.list.query}"

    def reasons(self):
        """Return the reasons of the messages in the chosen state, each with a label and a count."""
        found = Counter()
        for cell in self.list.of_state:
            found[cell[2]] += inbox().listing.size([cell])
        return [
            {
                "code": code,
                "title": translatable(reason_label(code)),
                "count": found[code],
                "chosen": code == self.list.reason,
            }
            for code in REASONS
            if found[code] or code == self.list.reason
        ]

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-inbox"

    def keys(self):
        """Return the keys of the list, each with what it does."""
        return list(KEYS.items())

    def services(self):
        """Return uid and name of the services that a message can be given to."""
        return services(self.context)

    def why_discarded(self):
        """Return code and words of the reasons to discard a message."""
        return why_discarded()

    def filters(self):
        """Return the states that have messages, with their counts."""
        counts = inbox().counts()
        filters = [("open", _("to decide"), waiting_count()), ("all", _("all"), sum(counts.values()))]
        filters += [
            (state, title, counts[state]) for state, title in titles.INCOMING.items() if state in counts
        ]
        return [
            {"state": state, "title": title, "count": count, "chosen": state == self.list.state}
            for state, title, count in filters
        ]

    @cached_property
    def batch(self):
        """One page of record ids, newest first: the one with the open message unless the address names another."""
        ids = self.list.ids
        if "b_start" not in self.request.form and self.opened in ids:
            self.request.form["b_start"] = str(ids.index(self.opened) // PAGE * PAGE)
        return batch_of(ids, PAGE, self.request)

    @property
    def opened(self):
        """Return the id of the message that the address opens, or an empty string."""
        id = self.entered("id")
        return id if id in inbox() else ""

    @cached_property
    def message(self):
        """The view of the message beside the list, the first of the page where the address names none; None without any."""
        id = self.opened or next(iter(self.batch), "")
        record = inbox().get(id) if id else None
        if record is None:
            return None
        view = getMultiAdapter((self.context, self.request), name="mailbridge-inbox-message")
        view.record = record
        view.list = self.list
        return view

    def done(self):
        """Return what the last decision made of its message: its state, where it is, whether it can be undone; or None."""
        record = inbox().get(self.entered("done"))
        if record is None:
            return None
        return {
            "id": record.id,
            "subject": masked(record.subject) or "—",
            "state": titles.INCOMING[record.state],
            "discarded": record.state == "discarded",
            "url": next((item["url"] for item in document_links(record.items)), review_url(record.id)),
            "action": review_url(record.id, self.list),
        }

    def bulk(self):
        """Return what can be done with ticked messages of this page: ``decide``, ``restore`` or nothing."""
        records = [inbox().records[id] for id in self.batch]
        if self.list.state == "discarded":
            return "restore" if any(record.raw is not None for record in records) else ""
        return "decide" if any(record.state in OPEN for record in records) else ""

    def beyond(self):
        """Return how many messages of the whole list wait, where that is more than this page shows; or 0."""
        count = len(self.list.waiting()) if len(self.list.ids) > PAGE else 0
        return count if self.bulk() == "decide" else 0

    def newest(self):
        """Return the id of the first message of the list: what arrives later is not meant by "all of this list"."""
        return next(iter(self.list.ids), "")

    def row(self, id):
        """Return what the list shows of a record."""
        record = inbox().get(id)
        name, address = parseaddr(record.author)
        return masked_data(
            {
                "id": id,
                "url": f"{self.here}&id={id}",
                "received": readable_time(record.created),
                "date": _short(record.created),
                "author": record.author,
                "name": name or address or record.author,
                "subject": record.subject or "—",
                "reason": translatable(reason_label(record.reason, record.evidence)),
                "state": titles.INCOMING[record.state],
                "colour": titles.colour(record.state),
                "service": self._service(record),
                "current": self.message is not None and self.message.record.id == id,
                "tickable": record.state in OPEN or (self.bulk() == "restore" and record.raw is not None),
            }
        )

    def rows(self):
        """Return what the list shows of the records of this page."""
        return [self.row(id) for id in self.batch]

    @cached_property
    def _names(self):
        return dict(self.services())

    def _service(self, record):
        """Return the name of the service that the mailbox or the mail-in address stands for, or an empty string."""
        row = self.settings.mailin_addresses.get(record.envelope_recipient)
        uid = self.settings.source_mailboxes.get(record.source_mailbox) or (row.service if row else "")
        return self._names.get(uid, "")


def _short(time):
    """Return the time of a message of today, the date of another, in the notation of the site."""
    local = local_time(time)
    today = local.date() == local_time(now()).date()
    return api.portal.get_localized_time(local.replace(tzinfo=None), time_only=today)


class WaitingViewlet(ViewletBase):
    """The count of incoming messages that wait for a decision, for managers of mail."""

    def update(self):
        """Count once."""
        super().update()
        self.count = 0
        with suppress(NotUpgraded):  # the page must show, so that somebody can upgrade
            self.count = waiting_count()
        self.url = f"{self.site_url}/@@mailbridge-inbox?state=open"


def waiting_count():
    """Return how many messages wait for a decision."""
    return inbox().count(*WAITING)


def _records(ids):
    return [record for id in ids if isinstance(id, str) and (record := inbox().get(id)) is not None]
