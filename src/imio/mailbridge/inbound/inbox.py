"""The Inbox: keeps each message that arrives, and what became of it.

Life of a record::

    received ─→ filed                a document, or several, were made of it
       │  ↑ ├─→ recorded             a report on a message of ours; noted there
       │  │ ├─→ quarantined ─→ …     with a reason; replay, accept or discard
       │  │ └─→ failed ─────→ …      filing raised; the exception is kept; replay or discard
       │  └──── replay by a person
       └─→ discarded ──→ …           by a person, with a reason; a person can take it back to what it was

The bytes stay, unless the town says for how long (``inbound/retention``): then those of a record that is filed, recorded or
discarded are deleted, and it stays in this state.
"""

from BTrees.LLBTree import LLTreeSet
from BTrees.LLBTree import multiunion
from BTrees.OOBTree import OOBTree
from collections.abc import Iterable
from datetime import timedelta
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.store.found import Found
from imio.mailbridge.store.listing import Cell
from imio.mailbridge.store.listing import common
from imio.mailbridge.store.listing import Listing
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import Record
from imio.mailbridge.store.store import site_store
from imio.mailbridge.store.store import Store
from typing import BinaryIO
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import hashlib


KEY = "imio.mailbridge.inbox"
CHUNK = 1 << 16

#: States in which a person can still decide.
OPEN = ("received", "quarantined", "failed")
#: States in which nothing is left to decide.
FINAL = ("filed", "recorded", "discarded")

#: How long mail for an address that was taken out of the settings is kept instead of refused.
RETIRED_FOR = timedelta(days=30)


class TooLarge(Exception):
    """The message is larger than the limit; nothing was kept."""


def record_id(sha256: str, envelope: Envelope) -> str:
    """Return the key of a record: the same bytes for the same recipient, or from the same person, are the same record."""
    return hashlib.sha256(f"{sha256} {envelope.key}".encode()).hexdigest()


def receive_bytes(stream: BinaryIO, max_size: int) -> tuple[Blob, str, int]:
    """Copy a stream into a new blob; return (blob, sha256 of the bytes in hex, size). Errors: ``TooLarge``."""
    digest, size, blob = hashlib.sha256(), 0, Blob()
    with blob.open("w") as target:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > max_size:
                raise TooLarge(size)
            digest.update(chunk)
            target.write(chunk)
    return blob, digest.hexdigest(), size


class InboundMessage(Record):
    """A message as it arrived, and what the bridge did with it. All values are plain.

    ``raw`` is the blob of its bytes, or None once the retention time is over.
    ``transfer`` and ``reason`` are empty until it is classified; ``items`` are content uids; ``error`` is the text of the
    exception of a failed filing; ``about`` is the id of the outgoing message that it reports on or answers, or empty.
    ``null_sender``: it came without an envelope sender, as reports do; an ``envelope_sender`` that is empty may be unknown.
    ``handed_in_by`` is the userid of who handed it in on a page; empty for mail.

    ``words`` is what the person who passed it on wrote beside the messages, as plain text.

    ``evidence`` holds (detector, what it saw, strength) tuples; ``proof`` is a value of ``Proof`` or empty, ``verdicts`` the dicts
    that led to it, ``signatures`` what DNS said (``inbound.signatures``) or None while it was not asked. ``authenticated`` holds
    verdicts that decided nothing, verified after it was filed; ``route`` (item uid, routing row, state row) where rows decided.
    ``not_before`` is when to verify what DNS did not answer, ``asked`` when the agent was told how to forward; both None or aware.
    """

    #: of records that are older than handing in
    handed_in_by = ""

    def __init__(self, id: str, raw: Blob, sha256: str, size: int, envelope: Envelope) -> None:
        super().__init__(id, "received")
        self.raw: Blob | None = raw
        self.sha256 = sha256
        self.size = size
        self.envelope_sender = envelope.envelope_sender
        self.envelope_recipient = envelope.envelope_recipient
        self.client_address = envelope.client_address
        self.null_sender = envelope.null_sender
        self.handed_in_by = envelope.handed_in_by
        self.transfer = self.reason = self.error = self.about = self.proof = ""
        self.words = self.author = self.subject = self.transferred_by = self.source_mailbox = ""
        self.evidence = self.verdicts = self.route = self.authenticated = self.items = ()
        self.signatures = self.not_before = self.asked = None
        self.note("received", by=envelope.handed_in_by)

    @property
    def facets(self) -> Cell:
        """Return its state, transfer and reason."""
        return (self.state, self.transfer, self.reason)

    @property
    def searched(self) -> str:
        """Return the author, the subject, and who or what passed it on."""
        return " ".join((self.author, self.subject, self.transferred_by, self.source_mailbox))

    @property
    def envelope(self) -> Envelope:
        """Return the ``Envelope`` that it came in."""
        return Envelope(
            self.envelope_recipient,
            self.envelope_sender,
            self.client_address,
            self.null_sender,
            self.handed_in_by,
        )

    def note(self, state: str, by: str = "", text: str = "", **more: str) -> None:
        """Add a line to the history: who or what brought the record into ``state``; ``more`` are further plain values.

        A msgid is stored as plain text.
        """
        self.history += ({"at": now(), "state": state, "by": by, "text": str(text), **more},)


class Inbox(Store):
    """All incoming messages of a site.

    The facets of a message are its state, transfer and reason; ``by_recipient`` lists what is dealt with by envelope recipient and
    what became of it: a state, or ``reply`` for one that was filed.
    ``retired`` maps a mail-in address that left the settings to when it did.
    ``by_original`` maps the name of an original message (Message-ID, author and date: ``sameness.name_of``) to its items, each a
    tuple of uid and ``sameness.Content``; ``name_of`` maps that uid to the name, ``by_item`` to the ids of the records that brought
    it, the first first, ``filed`` to the SHA-256, in hex, of the message that was filed.
    ``by_transferrer`` maps the address of a forwarding agent or mailbox to keys. ``with_bytes`` holds the keys of messages whose
    bytes are kept. ``recent`` maps an author's address to when the last messages came, in seconds since the epoch.
    ``unverified`` maps the ids of records whose signatures are still to be verified to how often that was tried. ``asked`` maps an
    agent's address to when the bridge last explained how to forward.
    ``summarised`` is the day of the last summary, in ISO 8601.
    """

    PASSING = BUSY = frozenset({"received"})

    def __init__(self) -> None:
        super().__init__()
        self.retired = OOBTree()
        self.by_original = OOBTree()
        self.name_of = OOBTree()
        self.by_item = OOBTree()
        self.filed = OOBTree()
        self.recent = OOBTree()
        self.asked = OOBTree()
        self.unverified = OOBTree()
        self.summarised = ""

    def begin(self) -> None:
        """Make the indexes, empty."""
        super().begin()
        self.by_recipient = Listing()
        self.by_transferrer = OOBTree()
        self.with_bytes = LLTreeSet()

    def index(self, record: InboundMessage) -> None:
        """Give a new record its place in the indexes."""
        super().index(record)
        if record.raw is not None:
            self.with_bytes.insert(record.key)
        self.index_transferrer(record)

    def remove(self, record: InboundMessage) -> None:
        """Forget a record."""
        if of_recipient := _of_recipient(record, record.cell):
            self.by_recipient.discard(of_recipient, record.key)
        if record.transferred_by:
            self.by_transferrer[record.transferred_by].remove(record.key)
        if record.key in self.with_bytes:
            self.with_bytes.remove(record.key)
        super().remove(record)

    def delete_bytes(self, record: InboundMessage) -> None:
        """Delete the bytes of a message."""
        if record.key in self.with_bytes:
            self.with_bytes.remove(record.key)
        record.raw = None

    def reindex(self, record: InboundMessage) -> None:
        """Bring the indexes up to date with a record whose facets may have changed."""
        before, after = _of_recipient(record, record.cell), _of_recipient(record, record.facets)
        super().reindex(record)
        if after != before:
            self.by_recipient.move(record.key, before, after)

    def index_transferrer(self, record: InboundMessage) -> None:
        """Note a record under the address that forwarded it."""
        if record.transferred_by:
            if record.transferred_by not in self.by_transferrer:
                self.by_transferrer[record.transferred_by] = LLTreeSet()
            self.by_transferrer[record.transferred_by].insert(record.key)

    def forwarded_by(self, addresses: Iterable[str], *states: str) -> Found:
        """Return the ids of what these addresses forwarded, the newest first, in ``states`` if any is given."""
        sets = list(filter(None, map(self.by_transferrer.get, {address.lower() for address in addresses})))
        if states:
            sets = [common(sets, self.listing.of(self._cells(states)))]
        return Found(self, sets if len(sets) == 1 else [multiunion(sets)])

    def counts_of(self, recipient: str) -> dict[str, int]:
        """Return state or ``reply`` → how many messages came to an address and ended so."""
        cells = self.by_recipient.cells(recipient)
        return {cell[1]: size for cell in cells if (size := self.by_recipient.size([cell]))}

    def last_to(self, recipient: str) -> str:
        """Return the id of the last message to an address that is dealt with, or an empty string."""
        return next(iter(Found(self, self.by_recipient.of(self.by_recipient.cells(recipient)))), "")

    def index_transfer(self, uid: str, record: InboundMessage) -> None:
        """Note that ``record`` brought the item ``uid``."""
        ids = self.by_item.get(uid, ())
        if record.id not in ids:
            self.by_item[uid] = (*ids, record.id)

    def transfers(self, uid: str) -> list[InboundMessage]:
        """Return the records that brought an item, the first one first."""
        return [self.records[id] for id in self.by_item.get(uid, ())]


def _of_recipient(record: InboundMessage, facets: Cell) -> Cell:
    """Return the cell of a message with these facets among those of its envelope recipient; nothing while it is not dealt with."""
    if not facets or facets[0] == "received":
        return ()
    is_reply = facets[:2] == ("filed", "reply")
    return (record.envelope_recipient, "reply" if is_reply else facets[0])


def inbox() -> Inbox:
    """Return the Inbox of the current site."""
    box: Inbox = site_store(KEY, Inbox)
    return box


def is_retired(address: str) -> bool:
    """Tell whether mail is still kept for an address that left the settings; writes nothing."""
    box = IAnnotations(getSite()).get(KEY)
    since = box.retired.get(address) if box is not None else None
    return since is not None and now() < since + RETIRED_FOR
