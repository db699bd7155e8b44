"""The Outbox and its records: what is stored of each outgoing message, and the indexes that find it.

Life of a recipient::

    scheduled ─→ queued ─→ sending ─→ sent ─→ bounced | replied
      undo,        ↑  ↑       ├─→ deferred ─→ sending …    next try after 1, 5, 15, 60 min, then hourly for 48 h, then failed
      send later   │  │       ├─→ failed                   the server refused for good; a person may retry
                   │  └── held ←── configuration error: the whole account waits, released by a probe that succeeds
                   └── retry by a person                   cancelled: by a person, before it was taken

A stored message queues its own delivery for after the commit, when it is added and whenever a recipient becomes ``queued``.
"""

from BTrees.OOBTree import intersection
from BTrees.OOBTree import OOTreeSet
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from datetime import UTC
from imio.mailbridge.message.composition.compose import Composition
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.outbox.delivery_task import queue_delivery
from imio.mailbridge.outbox.delivery_task import queue_sweep
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.plain import Plain
from imio.mailbridge.outbox.plain import plain_addresses
from imio.mailbridge.outbox.plain import plain_fallback
from imio.mailbridge.outbox.plain import plain_sender
from imio.mailbridge.outbox.plain import read_addresses
from imio.mailbridge.outbox.plain import read_fallback
from imio.mailbridge.outbox.plain import read_sender
from imio.mailbridge.outbox.states import LOST
from imio.mailbridge.outbox.states import message_state
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.store.store import Key
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import Record
from imio.mailbridge.store.store import site_store
from imio.mailbridge.store.store import Store
from persistent import Persistent
from persistent.mapping import PersistentMapping
from typing import Any
from ZODB.blob import Blob
import itertools


KEY = "imio.mailbridge.outbox"


class Written(Persistent):
    """What the agent entered, to edit and send again: field → text or list of texts. Not loaded with its message."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = {
            key: str(value) if isinstance(value, str) else [str(each) for each in value]
            for key, value in data.items()
        }


class OutgoingMessage(Record):
    """A message as it was submitted, the bytes without sender headers, and what became of each recipient.

    ``origin`` is ``agent`` (written from ``document``), ``copy`` (an answer to the message ``about``, for its agent), ``check``
    (of how a mailbox forwards), ``notice`` (to an agent or an administrator) or ``site`` (Plone's own mail). ``history`` is
    the timeline: dicts of ``at`` (aware datetime), ``recipient`` (or None for all), ``state``, ``code``, ``text``, ``explanation``
    (a msgid or an empty string), ``answer`` (name of a row of ``answers.ANSWERS``, or empty), ``follows`` (a msgid of what happens
    next, or empty), ``by`` (the userid of the person who did it, or empty), ``items`` (uids of what an answer was filed as).
    ``site_url`` is the address under which the agent saw the
    site. ``body`` and ``written`` are None once the retention time is over. Mail of the site holds secrets such as links that set a
    password: its ``body`` is never shown, and deleted once nobody is left to send it to.
    """

    #: whether its document does not say yet what became of it; see ``Outbox.waiting``
    unwritten = False

    sender = Plain(plain_sender, read_sender)
    fallback = Plain(plain_fallback, read_fallback)
    to = Plain(plain_addresses, read_addresses)
    cc = Plain(plain_addresses, read_addresses)
    bcc = Plain(plain_addresses, read_addresses)

    def __init__(self, draft: Draft) -> None:
        super().__init__(str(draft.id), "queued")
        self.userid = str(draft.userid)
        self.origin = str(draft.origin)
        self.document = str(draft.document)
        self.site_url = str(draft.site_url)
        self.about = str(draft.about)
        self.account = str(draft.account)
        self.message_id = str(draft.message_id)
        self.sender = draft.sender
        self.fallback = draft.fallback
        self.to, self.cc, self.bcc = draft.to, draft.cc, draft.bcc
        self.subject = masked(str(draft.subject))
        self.size = draft.size
        self.eight_bit, self.body = _written_to_blob(draft.body)
        self.written = Written(draft.written) if draft.written is not None else None
        self.lease_until: datetime | None = None
        self.told: tuple[str, ...] = ()  # the kinds of notices that its agent got
        first = "queued" if draft.send_at is None else "scheduled"
        addresses = [address.addr_spec for address in (*self.to, *self.cc, *self.bcc)]
        self.recipients: dict[str, str] = dict.fromkeys(addresses, first)  # replaced, never changed
        self.start_trying(draft.send_at)
        self.state = first
        self.note(None, first, by=self.userid)

    def start_trying(self, at: datetime | None = None) -> None:
        """Begin to count the tries, and the time after which they end, now or from ``at``."""
        self.next_try = at
        self.tries = 0
        self.trying_since = at or now()

    def note(
        self,
        recipient: str | None,
        state: str,
        code: int | None = None,
        text: str = "",
        explanation: str = "",
        answer: str = "",
        follows: str = "",
        by: str = "",
        items: Iterable[str] = (),
    ) -> None:
        """Add a line to the timeline. A msgid is stored as plain text, what a server says without secret parts of addresses."""
        line = {
            "at": now(),
            "recipient": recipient,
            "state": state,
            "code": code,
            "text": masked(str(text)),
            "explanation": str(explanation),
            "answer": answer,
            "follows": str(follows),
            "by": by,
            "items": tuple(map(str, items)),
        }
        self.history += (line,)

    def in_state(self, *states: str) -> list[str]:
        """Return the recipients in one of ``states``."""
        return [address for address, state in self.recipients.items() if state in states]

    @property
    def is_readable(self) -> bool:
        """Tell whether the message may be shown: its bytes are kept, and it is none of the site's, which hold secrets."""
        return self.body is not None and self.origin != "site"

    @property
    def open_recipients(self) -> dict[str, str]:
        """Return address → state of the recipients in To and Cc, whom everybody sees."""
        shown = {address.addr_spec for address in (*self.to, *self.cc)}
        return {address: state for address, state in self.recipients.items() if address in shown}


def _written_to_blob(body: bytes | Composition) -> tuple[bool, Any]:
    """Return whether the content of a message has 8-bit characters, and the blob that it was written to."""
    blob, eight_bit = Blob(), False
    with blob.open("w") as target:
        for number, block in enumerate([body] if isinstance(body, bytes) else body.blocks()):
            # addresses in the header, which the first block holds, need SMTPUTF8 and not 8BITMIME
            content = block if number else block.partition(b"\r\n\r\n")[2]
            eight_bit = eight_bit or not content.isascii()
            target.write(block)
    return eight_bit, blob


class Outbox(Store):
    """All outgoing messages of a site.

    ``by_document`` and ``by_user`` map a content uid, a userid (of what agents wrote) to message keys, ``by_message_id`` a
    Message-ID to its message id. ``unseen`` maps a userid to the ids of messages that were lost since the user last looked.
    ``with_bytes`` holds the keys of messages whose bytes are kept. ``waiting`` holds the keys of messages that the bridge has not
    done with: it still means to send to a recipient (the state of a message is its worst recipient's, so it does not tell), or
    the document does not say yet what became of it. ``holds`` maps the name of a stopped account to the reason: a dict of ``at``,
    ``code``, ``text``, ``explanation``, ``remedy``, ``stage`` (of the answer that stopped it), ``tries`` and ``next_try`` (None:
    now). ``troubles`` maps the name of an account by which nothing has left since ``at`` to a dict of ``at``, ``code``, ``text``,
    ``explanation``, ``remedy``, ``told``. ``recent`` maps the name of an account with a rate to when its last messages were begun
    (seconds since the epoch). ``returned`` maps an address in lower case to the last messages that came back from it: pairs of a
    time (ISO 8601) and an id.
    """

    def __init__(self) -> None:
        super().__init__()
        tree = type(self.records)
        self.by_document = tree()
        self.by_user = tree()
        self.by_message_id = tree()
        self.unseen = tree()
        self.with_bytes = OOTreeSet()
        self.waiting = OOTreeSet()
        self.holds = PersistentMapping()
        self.troubles = PersistentMapping()
        self.recent = tree()
        self.returned = tree()

    def add(self, record: OutgoingMessage) -> None:
        """Store a new record and queue its delivery; errors: ``KeyError`` if there is one with this id."""
        super().add(record)
        self.waiting.insert(record.sort_key)
        self._index(record)
        queue_delivery(record)

    def _index(self, record: OutgoingMessage) -> None:
        """Note a record under its Message-ID, its document and its user."""
        self.with_bytes.insert(record.sort_key)
        self.by_message_id[record.message_id] = record.id
        userid = record.userid if record.origin == "agent" else ""
        for index, key in ((self.by_document, record.document), (self.by_user, userid)):
            if key:
                if key not in index:
                    index[key] = OOTreeSet()
                index[key].insert(record.sort_key)

    def of_document(self, uid: str) -> list[OutgoingMessage]:
        """Return the messages written from a document, the newest first."""
        return self._newest(self.by_document.get(uid, ()))

    def newest_ids_of_user(self, userid: str, *states: str, since: datetime | None = None) -> list[str]:
        """Return the ids of the messages of a user in ``states`` (all if none is given), made since a time, the newest first."""
        keys = self.by_user.get(userid) or OOTreeSet()
        if since is not None:
            return [id for _created, id in reversed(list(keys.keys((since.astimezone(UTC).isoformat(),))))]
        found = [intersection(keys, self.listing[state]) for state in states if state in self.listing]
        return [id for _created, id in sorted(itertools.chain(*found) if states else keys, reverse=True)]

    def unseen_of(self, userid: str) -> int:
        """Return how many messages of a user failed or came back since the user last looked."""
        return len(self.unseen.get(userid, ()))

    def see(self, userid: str) -> None:
        """Note that a user looked at what was lost."""
        self.unseen.pop(userid, None)

    def _newest(self, keys: Iterable[Key]) -> list[OutgoingMessage]:
        return [self.records[id] for _created, id in reversed(list(keys))]

    def sent_by_us(self, message_id: str) -> bool:
        """Tell whether this whole Message-ID, its unguessable part included, is one of ours."""
        return message_id in self.by_message_id

    def answered(self, message_id: str) -> OutgoingMessage:
        """Return the message of an agent that an answer to ``message_id`` is about: of a copy, the one whose answer was copied."""
        record: OutgoingMessage = self.records[self.by_message_id[message_id]]
        about: OutgoingMessage = self.records.get(record.about, record)
        return about

    def update(self, record: OutgoingMessage, states: dict[str, str]) -> None:
        """Set the states of recipients and, from all of them, the state of the message; queue its delivery if any is ``queued``."""
        record.recipients = {**record.recipients, **states}
        self.set_state(record, message_state(record.recipients.values()))
        if record.origin == "agent":
            self._count_unseen(record, LOST.intersection(states.values()))
        if record.in_state(*WAITING):
            self.waiting.insert(record.sort_key)
        elif not record.unwritten and record.sort_key in self.waiting:
            self.waiting.remove(record.sort_key)
            if record.origin == "site":
                self.delete_bytes(record)
        if "queued" in states.values():
            queue_delivery(record)

    def let_write(self, record: OutgoingMessage) -> None:
        """Note that the document of a message does not say yet what became of it."""
        record.unwritten = True
        self.waiting.insert(record.sort_key)

    def is_written(self, record: OutgoingMessage) -> None:
        """Note that the document says what became of the message."""
        record.unwritten = False
        if not record.in_state(*WAITING):
            self.waiting.remove(record.sort_key)

    def to_write(self) -> list[str]:
        """Return the ids of messages whose document does not say yet what became of them, the oldest first."""
        return [id for _created, id in list(self.waiting) if self.records[id].unwritten]

    def delete_bytes(self, record: OutgoingMessage) -> None:
        """Delete the bytes of a message, and what its agent entered."""
        self.with_bytes.remove(record.sort_key)
        record.body = record.written = None

    def _count_unseen(self, record: OutgoingMessage, lost: frozenset[str]) -> None:
        if lost:
            self.unseen.setdefault(record.userid, OOTreeSet()).insert(record.id)
        elif record.state not in LOST and record.id in self.unseen.get(record.userid, ()):
            self.unseen[record.userid].remove(record.id)

    def waiting_in(self, *states: str) -> Iterator[OutgoingMessage]:
        """Return the messages with a recipient in one of ``states`` (all of them states of waiting), the oldest first."""
        records = (self.records[id] for _created, id in list(self.waiting))
        return (record for record in records if record.in_state(*states))

    def hold_of(self, account: str = DEFAULT) -> dict[str, Any] | None:
        """Return why an account is stopped, or None."""
        hold: dict[str, Any] | None = self.holds.get(account)
        return hold

    def hold(
        self, account: str, code: int | None, text: str, explanation: str, remedy: str, stage: str = ""
    ) -> None:
        """Stop an account, or note why it still is; ``explanation`` and ``remedy`` are msgids."""
        self.holds[account] = {
            "at": now(),
            "tries": 0,
            "next_try": None,
            **self.holds.get(account, {}),
            "code": code,
            "text": str(text),
            "explanation": str(explanation),
            "remedy": str(remedy),
            "stage": str(stage),
        }

    def retry_held(self) -> None:
        """Let the stopped accounts be tried at once: their settings changed."""
        for name in list(self.holds):
            self.wake(name)

    def wake(self, account: str) -> None:
        """Let an account be tried at once if it is stopped, and send what was put off: it has another server or login."""
        deferred = [record for record in self.waiting_in("deferred") if record.account == account]
        for record in deferred:
            record.next_try = None
        if account in self.holds:
            self.holds[account] = {**self.holds[account], "tries": 0, "next_try": None}
        if deferred or account in self.holds:
            queue_sweep()


def outbox() -> Outbox:
    """Return the Outbox of the current site."""
    box: Outbox = site_store(KEY, Outbox)
    return box
