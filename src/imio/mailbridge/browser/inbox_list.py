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

    @property
    def of_state(self):
        """The cells of all messages in the state."""
        states = {"all": (), "open": WAITING}.get(self.state, (self.state,))
        return inbox().listing.cells(where=lambda cell: not states or cell[0] in states)

    @cached_property
    def ids(self):
        """The ids of the messages, the newest first."""
        if self.state != "all" or self.reason:
            return self._in(self.of_state)
        return inbox().matching(self.text) if self.text else inbox().everything()

    @cached_property
    def open_ids(self):
        """The ids of those that wait for a decision, the newest first."""
        return self._in([cell for cell in self.of_state if cell[0] in OPEN])

    def waiting(self, newest=""):
        """Return the ids of those that wait for a decision, from the one with the id ``newest`` on, if it is among them."""
        return self.open_ids.since(inbox().get(newest).key) if newest in self.ids else self.open_ids

    def after(self, id):
        """Return the id of the message to decide on after this one: the next of the list, or else the one before; or empty."""
        return self.open_ids.after(id) if id in self.open_ids else next(iter(self.open_ids), "")

    def _in(self, cells):
        box, cells = inbox(), [cell for cell in cells if self.reason in ("", cell[2])]
        return box.matching(self.text, box.listing.of(cells)) if self.text else box.in_cells(cells)


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
