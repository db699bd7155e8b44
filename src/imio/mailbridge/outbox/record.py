"""The Outbox and its records: what is stored of each outgoing message, and the indexes that find it.

Life of a recipient::

    scheduled ─→ queued ─→ sending ─→ sent ─→ bounced | replied
      undo,        ↑  ↑       ├─→ deferred ─→ sending …    next try after 1, 5, 15, 60 min, then hourly for 48 h, then failed
      send later   │  │       ├─→ failed                   the server refused for good; a person may retry
                   │  └── held ←── configuration error: the whole account waits, released by a probe that succeeds
                   └── retry by a person                   cancelled: by a person, before it was taken

A stored message queues its own delivery for after the commit, when it is added and whenever a recipient becomes ``queued``.
"""

from BTrees.LLBTree import LLSet
from BTrees.LLBTree import LLTreeSet
from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
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
from imio.mailbridge.outbox.states import DUE
from imio.mailbridge.outbox.states import LOST
from imio.mailbridge.outbox.states import message_state
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.store.found import Found
from imio.mailbridge.store.listing import Cell
from imio.mailbridge.store.listing import common
from imio.mailbridge.store.listing import Listing
from imio.mailbridge.store.listing import oldest_first
from imio.mailbridge.store.store import key_at
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
#: The facet of a message whose document does not say yet what became of it, and that of one which waits for no time.
UNWRITTEN, AT_ONCE = "unwritten", "at once"
#: Stands for all states of waiting in ``Outbox.by_user``.
OPEN = "open"


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

    #: whether its document does not say yet what became of it; see ``Outbox.to_write``
    unwritten = False
    #: where it stands in ``Outbox.later``: time and key, or nothing
    later: tuple[int, ...] = ()

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

    @property
    def facets(self) -> Cell:
        """Return its state, account and origin, and what the state does not tell, as other states in which recipients wait."""
        also = {state for state in self.recipients.values() if state in WAITING} - {self.state}
        if self.unwritten:
            also.add(UNWRITTEN)
        if self.next_try is None and self.in_state("deferred", "scheduled"):
            also.add(AT_ONCE)
        return (self.state, self.account, self.origin, *sorted(also))

    @property
    def searched(self) -> str:
        """Return the subject and the addresses."""
        return " ".join((self.subject, self.sender.author.addr_spec, *self.recipients))

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

    The facets of a message are its state, account, origin and, sorted, the states in which other recipients wait, ``UNWRITTEN`` and
    ``AT_ONCE``. ``by_document`` maps a content uid to keys, ``by_message_id`` a Message-ID to its message id; ``by_user`` lists
    what agents wrote by userid and state (``OPEN`` for all states of waiting). ``later`` maps the name of an account to
    (microseconds since the epoch, key) of the messages whose next try has a time. ``unseen`` maps a userid to the ids of
    messages that were lost since the user last looked. ``with_bytes`` holds the keys of messages whose bytes are kept.
    ``holds`` maps the name of a stopped account to the reason: a dict of ``at``, ``code``, ``text``, ``explanation``,
    ``remedy``, ``stage`` (of the answer that stopped it), ``tries`` and ``next_try`` (None: now). ``troubles`` maps the name of
    an account by which nothing has left since ``at`` to a dict of ``at``, ``code``, ``text``, ``explanation``, ``remedy``,
    ``told``. ``recent`` maps the name of an account with a rate to when its last messages were begun (seconds since the epoch).
    ``returned`` maps an address in lower case to the last messages that came back from it: pairs of a time (ISO 8601) and an
    id.
    """

    PASSING = WAITING | {UNWRITTEN}

    def __init__(self) -> None:
        super().__init__()
        self.unseen = OOBTree()
        self.holds = PersistentMapping()
        self.troubles = PersistentMapping()
        self.recent = OOBTree()
        self.returned = OOBTree()

    def begin(self) -> None:
        """Make the indexes, empty."""
        super().begin()
        self.by_document = OOBTree()
        self.by_user = Listing((OPEN,))
        self.by_message_id = OOBTree()
        self.with_bytes = LLTreeSet()
        self.later = OOBTree()

    def add(self, record: OutgoingMessage) -> None:
        """Store a new record and queue its delivery; errors: ``KeyError`` if there is one with this id."""
        super().add(record)
        queue_delivery(record)

    def index(self, record: OutgoingMessage) -> None:
        """Give a new record its place in the indexes."""
        super().index(record)
        self.by_message_id[record.message_id] = record.id
        if record.body is not None:
            self.with_bytes.insert(record.key)
        if record.document:
            if record.document not in self.by_document:
                self.by_document[record.document] = LLTreeSet()
            self.by_document[record.document].insert(record.key)

    def remove(self, record: OutgoingMessage) -> None:
        """Forget a record."""
        self.by_user.discard(_of_user(record, record.state), record.key)
        del self.by_message_id[record.message_id]
        if record.key in self.with_bytes:
            self.with_bytes.remove(record.key)
        if record.document:
            self.by_document[record.document].remove(record.key)
        if record.later:
            self.later[record.account].remove(record.later)
            record.later = ()
        super().remove(record)

    def reindex(self, record: OutgoingMessage) -> None:
        """Bring the indexes up to date with a record whose facets, account or next try may have changed."""
        before = _of_user(record, record.cell[0]) if record.cell else ()
        account = record.cell[1] if record.cell else ""
        super().reindex(record)
        if (after := _of_user(record, record.state)) != before:
            self.by_user.move(record.key, before, after)
        is_timed = record.next_try is not None and record.in_state(*DUE)
        later = (-key_at(record.next_try), record.key) if is_timed and record.next_try else ()
        if (later, record.account) != (record.later, account):
            if record.later:
                self.later[account].remove(record.later)
            if later:
                self.later.setdefault(record.account, OOTreeSet()).insert(later)
            if later != record.later:
                record.later = later

    def try_at(self, record: OutgoingMessage, at: datetime | None) -> None:
        """Let a message that waits be tried at a time, or at once."""
        record.next_try = at
        self.reindex(record)

    def of_document(self, uid: str) -> list[OutgoingMessage]:
        """Return the messages written from a document, the newest first."""
        return [self.records[self.ids[key]] for key in self.by_document.get(uid, ())]

    def newest_ids_of_user(self, userid: str, *states: str, since: datetime | None = None) -> Found:
        """Return the ids of the messages of a user in ``states`` (all if none is given), made since a time, the newest first."""
        wanted = {OPEN if state in WAITING else state for state in states}
        cells = self.by_user.cells(userid, where=lambda cell: not states or cell[1] in wanted)
        done, high = (
            [cell for cell in cells if cell[1] != OPEN],
            key_at(since) + 1 if since is not None else None,
        )
        if not states or OPEN not in wanted:
            return Found(self, self.by_user.of(cells), lambda: self.by_user.size(cells), None, high)
        in_state = self.listing.of(self._cells(tuple(state for state in states if state in WAITING)))
        waiting = common(self.by_user.of([(userid, OPEN)]), in_state)
        sets = [*self.by_user.of(done), waiting]
        return Found(self, sets, lambda: self.by_user.size(done) + len(waiting), None, high)

    def unseen_of(self, userid: str) -> int:
        """Return how many messages of a user failed or came back since the user last looked."""
        return len(self.unseen.get(userid, ()))

    def see(self, userid: str) -> None:
        """Note that a user looked at what was lost."""
        self.unseen.pop(userid, None)

    def sent_by_us(self, message_id: str) -> bool:
        """Tell whether this whole Message-ID, its unguessable part included, is one of ours."""
        return message_id in self.by_message_id

    def answered(self, message_id: str) -> OutgoingMessage:
        """Return the message of an agent that an answer to ``message_id`` is about: of a copy, the one whose answer was copied."""
        record: OutgoingMessage = self.records[self.by_message_id[message_id]]
        about: OutgoingMessage = self.records.get(record.about, record)
        return about

    def update(self, record: OutgoingMessage, states: dict[str, str], unwritten: bool = False) -> None:
        """Set the states of recipients and, from all of them, the state of the message; queue its delivery if any is ``queued``.

        ``unwritten``: its document does not say this yet.
        """
        record.unwritten = record.unwritten or unwritten
        was_waiting = bool(record.in_state(*WAITING))
        record.recipients = {**record.recipients, **states}
        self.set_state(record, message_state(record.recipients.values()))
        if record.origin == "agent":
            self._count_unseen(record, LOST.intersection(states.values()))
        if record.origin == "site" and was_waiting and not record.in_state(*WAITING):
            self.delete_bytes(record)
        if "queued" in states.values():
            queue_delivery(record)

    def let_write(self, record: OutgoingMessage) -> None:
        """Note that the document of a message does not say yet what became of it."""
        record.unwritten = True
        self.reindex(record)

    def is_written(self, record: OutgoingMessage) -> None:
        """Note that the document says what became of the message."""
        record.unwritten = False
        self.reindex(record)

    def to_write(self) -> list[str]:
        """Return the ids of messages whose document does not say yet what became of them, the oldest first."""
        return list(self._oldest_ids(self.listing.cells(where=lambda cell: UNWRITTEN in cell[3:])))

    def delete_bytes(self, record: OutgoingMessage) -> None:
        """Delete the bytes of a message, and what its agent entered."""
        if record.key in self.with_bytes:
            self.with_bytes.remove(record.key)
        record.body = record.written = None

    def _count_unseen(self, record: OutgoingMessage, lost: frozenset[str]) -> None:
        if lost:
            self.unseen.setdefault(record.userid, OOTreeSet()).insert(record.id)
        elif record.state not in LOST and record.id in self.unseen.get(record.userid, ()):
            self.unseen[record.userid].remove(record.id)

    def cells_waiting(self, *states: str, account: str | None = None) -> list[Cell]:
        """Return the cells of messages with a recipient in one of ``states``, all of them states of waiting, or of one account."""
        wanted = set(states or WAITING)

        def waits(cell: Cell) -> bool:
            return account in (None, cell[1]) and not wanted.isdisjoint((cell[0], *cell[3:]))

        return self.listing.cells(where=waits)

    def waiting_in(self, *states: str, account: str | None = None) -> Iterator[OutgoingMessage]:
        """Return the messages with a recipient in one of ``states`` (all of them states of waiting), the oldest first."""
        ids = self._oldest_ids(self.cells_waiting(*states, account=account))
        records = (self.records[id] for id in ids)
        return (record for record in records if record.in_state(*(states or WAITING)))

    def number_waiting(self, *states: str, account: str | None = None) -> int:
        """Return how many messages have a recipient in one of ``states`` (all states of waiting if none is given); loads none."""
        return self.listing.size(self.cells_waiting(*states, account=account))

    def oldest_waiting(self) -> datetime | None:
        """Return when the oldest message was made that still waits, or None."""
        return self.oldest_of(self.cells_waiting())

    def _oldest_ids(self, cells: list[Cell]) -> Iterator[str]:
        return (self.ids[key] for key in oldest_first(self.listing.of(cells)))

    def accounts_waiting(self) -> set[str]:
        """Return the names of the accounts by which a message is to leave, now or later."""
        return {cell[1] for cell in self.cells_waiting(*DUE)}

    def due_ids(self, account: str, at: datetime) -> Iterator[str]:
        """Return the ids of the messages of an account that wait for no time, or for one that has come, the oldest first."""

        def at_once(cell: Cell) -> bool:
            return "queued" in (cell[0], *cell[3:]) or AT_ONCE in cell[3:]

        cells = [cell for cell in self.cells_waiting(*DUE, account=account) if at_once(cell)]
        timed = self.later.get(account)
        due = LLSet(key for _at, key in timed.keys(None, (-key_at(at) + 1,))) if timed else LLSet()
        found = oldest_first([*self.listing.of(cells), due])
        return (self.ids[key] for key, _same in itertools.groupby(found))

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
        deferred = list(self.waiting_in("deferred", account=account))
        for record in deferred:
            self.try_at(record, None)
        if account in self.holds:
            self.holds[account] = {**self.holds[account], "tries": 0, "next_try": None}
        if deferred or account in self.holds:
            queue_sweep()


def _of_user(record: OutgoingMessage, state: str) -> Cell:
    """Return the cell of a message in the list of its agent's, or nothing where no agent wrote it."""
    return (record.userid, OPEN if state in WAITING else state) if record.origin == "agent" else ()


def outbox() -> Outbox:
    """Return the Outbox of the current site."""
    box: Outbox = site_store(KEY, Outbox)
    return box
