"""Which incoming messages a list shows, by state, reason and text, and which of them is next: the place that addresses keep."""

from functools import cached_property
from imio.mailbridge.browser import titles
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.summary import WAITING
from imio.mailbridge.message.classification.reason import REASONS
from plone import api
from urllib.parse import parse_qsl
from urllib.parse import urlencode


#: How many records a search looks at, the newest first.
MAX_LOOKED_AT = 5000


class InboxList:
    """The messages with the ``state``, ``reason`` and ``text`` of ``form``, a mapping; what makes no sense there counts as absent.

    ``state`` is one of a record's, ``open`` for all that wait for a decision, which is what a list begins with, or ``all``.
    """

    def __init__(self, form):
        state, reason, text = (_text(form, name) for name in ("state", "reason", "text"))
        known = state in ("open", "all") or state in titles.INCOMING
        # an address without a state is where the page opens; the empty state is that of old bookmarks
        self.state = state if known else "all" if form.get("state") == "" else "open"
        self.reason = reason if reason in REASONS else ""
        self.text = " ".join(text.split())[:100]

    @classmethod
    def from_query(cls, query):
        """Return the list that ``query``, an earlier ``query`` of a list, stands for."""
        return cls(dict(parse_qsl(query[:2000], keep_blank_values=True)))

    @property
    def query(self):
        """Return the filters as they stand in an address."""
        chosen = {"state": self.state, "reason": self.reason, "text": self.text}
        return urlencode({name: value for name, value in chosen.items() if value})

    @cached_property
    def of_state(self):
        """The ids of all messages in the state, the newest first."""
        states = {"all": (), "open": WAITING}.get(self.state, (self.state,))
        return inbox().newest_ids(*states)

    @cached_property
    def ids(self):
        """The ids of the messages, the newest first."""
        if not (self.reason or self.text):
            return self.of_state
        records = inbox().records
        return [id for id in self.of_state[:MAX_LOOKED_AT] if self._matches(records[id])]

    def waiting(self, newest=""):
        """Return the ids of those that wait for a decision, from the one with the id ``newest`` on, if it is among them."""
        ids = self.ids[self.ids.index(newest) :] if newest in self.ids else self.ids
        undecided = set(inbox().newest_ids(*OPEN))  # from the index: no record is loaded
        return [id for id in ids if id in undecided]

    def after(self, id):
        """Return the id of the message to decide on after this one: the next of the list, or else the one before; or empty."""
        waiting = self.waiting()
        if id not in waiting:
            return next(iter(waiting), "")
        place = waiting.index(id)
        return next(iter(waiting[place + 1 :] or waiting[:place][-1:]), "")

    def _matches(self, record):
        searched = f"{record.author} {record.subject} {record.transferred_by} {record.source_mailbox}".lower()
        return self.reason in ("", record.reason) and self.text.lower() in searched


def review_url(id, list=None):
    """Return the address of the page of a message, where its buttons lead too; ``list`` is the one that it was opened from."""
    query = {"id": id} | ({"list": list.query} if list is not None else {})
    return f"{api.portal.get().absolute_url()}/@@mailbridge-inbox-message?{urlencode(query)}"


def list_url(list, **more):
    """Return the address of a list; ``more`` are the messages that are open and that were done."""
    return f"{api.portal.get().absolute_url()}/@@mailbridge-inbox?{list.query}&{urlencode(more)}".rstrip("&")


def _text(form, name):
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
