"""The Inbox: keeps each message that arrives, and what became of it.

Life of a record::

    received ─→ filed                a document, or several, were made of it
       │  ↑ ├─→ recorded             a report on a message of ours; noted there
       │  │ ├─→ quarantined ─→ …     with a reason; replay, accept or discard
       │  │ └─→ failed ─────→ …      filing raised; the exception is kept; replay or discard
       │  └──── replay by a person
       └─→ discarded ──→ …           by a person, with a reason; the bytes stay, and a person can take it back to what it was
"""

from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from collections.abc import Iterable
from datetime import timedelta
from imio.mailbridge.inbound.envelope import Envelope
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
        self.raw = raw
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

    ``retired`` maps a mail-in address that left the settings to when it did.
    ``by_original`` maps the name of an original message (Message-ID, author and date: ``sameness.name_of``) to its items, each a
    tuple of uid and ``sameness.Content``; ``name_of`` maps that uid to the name, ``by_item`` to the ids of the records that brought
    it, the first first, ``filed`` to the SHA-256, in hex, of the message that was filed.
    ``by_transferrer`` maps the address of a forwarding agent or mailbox to (created, id) keys. ``recent`` maps an author's address
    to when the last messages came, in seconds since the epoch. ``unverified`` maps the ids of records whose signatures are still to
    be verified to how often that was tried. ``asked`` maps an agent's address to when the bridge last explained how to forward.
    ``summarised`` is the day of the last summary, in ISO 8601.
    """

    def __init__(self) -> None:
        super().__init__()
        self.retired = OOBTree()
        self.by_original = OOBTree()
        self.name_of = OOBTree()
        self.by_item = OOBTree()
        self.filed = OOBTree()
        self.by_transferrer = OOBTree()
        self.recent = OOBTree()
        self.asked = OOBTree()
        self.unverified = OOBTree()
        self.summarised = ""

    def index_transferrer(self, record: InboundMessage) -> None:
        """Note a record under the address that forwarded it."""
        if record.transferred_by:
            if record.transferred_by not in self.by_transferrer:
                self.by_transferrer[record.transferred_by] = OOTreeSet()
            self.by_transferrer[record.transferred_by].insert(record.sort_key)

    def forwarded_by(self, addresses: Iterable[str]) -> list[str]:
        """Return the ids of what these addresses forwarded, the newest first."""
        keys = {key for address in addresses for key in self.by_transferrer.get(address.lower(), ())}
        return [id for _created, id in sorted(keys, reverse=True)]

    def index_transfer(self, uid: str, record: InboundMessage) -> None:
        """Note that ``record`` brought the item ``uid``."""
        ids = self.by_item.get(uid, ())
        if record.id not in ids:
            self.by_item[uid] = (*ids, record.id)

    def transfers(self, uid: str) -> list[InboundMessage]:
        """Return the records that brought an item, the first one first."""
        return [self.records[id] for id in self.by_item.get(uid, ())]


def inbox() -> Inbox:
    """Return the Inbox of the current site."""
    box: Inbox = site_store(KEY, Inbox)
    return box


def is_retired(address: str) -> bool:
    """Tell whether mail is still kept for an address that left the settings; writes nothing."""
    box = IAnnotations(getSite()).get(KEY)
    since = box.retired.get(address) if box is not None else None
    return since is not None and now() < since + RETIRED_FOR
