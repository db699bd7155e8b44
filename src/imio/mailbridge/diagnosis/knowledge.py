"""Remembers what DNS answered about mail and what test messages showed, so that a page can foretell without asking anybody.

DNS is known by name and kind, a test message by the SMTP server and the domain in From: another server or domain is another entry,
and nothing has to follow when an account changes.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.message.authentication.domain_policy import aligned
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import site_store


KEY = "imio.mailbridge.forecast"

#: How many entries are kept; the oldest go first.
ENTRIES = 1000

#: Of one answer: how many texts are kept, and how many characters of each.
TEXTS, LENGTH = 20, 2000


@dataclass(frozen=True)
class Returned:
    """What a test message showed, see ``returned.Shown``; ``is_outside``: it went to another organization.

    ``is_newer``: not older than what is known of DNS.
    """

    at: datetime
    is_outside: bool
    is_newer: bool
    signers: tuple[str, ...]
    server: str
    envelope: str
    spf: str
    dkim: tuple[tuple[str, str], ...]

    @property
    def time(self):
        """Return when the message was looked at, in words."""
        return readable_time(self.at)


class Known:
    """A look-up in what is kept; ``oldest`` is the time of the oldest answer that was used, or None."""

    def __init__(self):
        self._store = existing_store(KEY)
        self.oldest = None

    def __call__(self, name, kind):
        """Return the texts that were answered last. Errors: ``Unreachable`` for what was never asked."""
        entry = self._store.get(("dns", name, kind))
        if entry is None:
            raise Unreachable("never asked")
        self.oldest = min(filter(None, (self.oldest, entry["at"])))
        return list(entry["texts"])

    def returned(self, host, author):
        """Return the ``Returned`` of the last test message by this server and for this domain in From, or None."""
        entry = self._store.get(("mail", host, author))
        return entry and Returned(is_newer=self.oldest is None or entry["at"] >= self.oldest, **entry)

    def agents(self, host):
        """Return the domains of agents that were tried with this server."""
        return [key[2] for key in self._store if key[0] == "agent" and key[1] == host]


def keep_answers(answers):
    """Keep what DNS answered, (name, kind) → texts."""
    for (name, kind), texts in answers.items():
        _keep(("dns", name, kind), texts=tuple(text[:LENGTH] for text in texts[:TEXTS]))


def keep_returned(host, shown, recipient):
    """Keep what a test message to the domain ``recipient`` showed."""
    if shown.author:
        values = asdict(shown)
        author = values.pop("author")
        _keep(("mail", host, author), is_outside=not aligned(author, recipient, "r"), **values)


def keep_agent(host, domain):
    """Keep the domain of an agent that was tried with a server."""
    _keep(("agent", host, domain))


def _keep(key, **values):
    store = site_store(KEY, OOBTree)
    store[key] = {"at": now(), **values}
    if len(store) > ENTRIES:
        for old in sorted(store, key=lambda each: store[each]["at"])[: len(store) - ENTRIES]:
            del store[old]
