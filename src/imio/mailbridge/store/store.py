"""Keeps records by id and lists them by state and time: what the Outbox and the Inbox have in common.

``records`` maps id → record, ``ids`` the key of a record → its id, the newest first; ``listing`` finds keys by the facets of
their records, ``words`` by what a person remembers of them. So a page loads the records that it shows, however many there are.
BTrees merge what concurrent requests write to different keys; the same key twice is a conflict, which the publisher retries,
and the second try finds the record of the first.

What is stored are persistent classes of our own, blobs, and plain values: strings, numbers, booleans, None, datetimes, tuples and
dicts. No other class of ours is pickled, so that it can be renamed without breaking a database.
"""

from Acquisition import aq_base
from BTrees.LOBTree import LOBTree
from BTrees.OOBTree import OOBTree
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.store.found import Found
from imio.mailbridge.store.listing import Cell
from imio.mailbridge.store.listing import common
from imio.mailbridge.store.listing import Listing
from imio.mailbridge.store.listing import oldest_first
from imio.mailbridge.store.words import search
from imio.mailbridge.store.words import Words
from persistent import Persistent
from typing import Any
from zope.annotation.attribute import AttributeAnnotations
from zope.component.hooks import getSite


#: The layout of what a store holds, written into each store when it is made. A change of the layout raises it, and its upgrade step
#: converts the stores whose ``schema`` is lower. The version of the profile does not tell: stores outlive an uninstalled profile.
SCHEMA = 3

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class NotUpgraded(Exception):
    """A store has the layout of an earlier version: the upgrade step of the add-on has still to run."""


def now() -> datetime:
    """Return the present time, aware, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def key_at(time: datetime) -> int:
    """Return the key of a record that was created at an aware time; that of a later one is smaller."""
    return -((time - _EPOCH) // _MICROSECOND)


def time_at(key: int) -> datetime:
    """Return when the record with a key was created, aware, in UTC."""
    return _EPOCH - key * _MICROSECOND


class Record(Persistent):
    """One message: ``id``, ``created`` (aware datetime), ``state`` and a ``history``, a tuple of dicts that only grows.

    ``key`` is its place in lists, ``cell`` that in the listing of its store.
    """

    key = 0
    cell: Cell = ()

    def __init__(self, id: str, state: str) -> None:
        self.id = id
        self.created = datetime.now(UTC)
        self.state = state
        self.history: tuple[dict[str, Any], ...] = ()

    @property
    def facets(self) -> Cell:
        """Return what the record can be found by, its state first."""
        return (self.state,)

    @property
    def searched(self) -> str:
        """Return the text that a search looks through."""
        return ""


class Store(Persistent):
    """Records of one kind in one site; ``schema`` is the layout that it was made with (``SCHEMA``)."""

    #: Facets of records that are not done with; there are few of these.
    PASSING: frozenset[str] = frozenset()
    #: Those of them that many records enter and leave at once.
    BUSY: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.schema = SCHEMA
        self.records = OOBTree()
        self.begin()

    def begin(self) -> None:
        """Make the indexes, empty."""
        self.ids = LOBTree()
        self.listing = Listing(self.PASSING, self.BUSY)
        self.words = Words()

    def __len__(self) -> int:
        return self.listing.size(self.listing.cells())

    def __contains__(self, id: str) -> bool:
        return id in self.records

    def get(self, id: str) -> Any:
        """Return the record or None."""
        return self.records.get(id)

    def add(self, record: Any) -> None:
        """Keep a new record; errors: ``KeyError`` if there is one with this id."""
        if not self.records.insert(record.id, record):
            raise KeyError(record.id)
        self.index(record)

    def index(self, record: Any) -> None:
        """Give a new record its place in the indexes."""
        record.key = key_at(record.created)
        while not self.ids.insert(record.key, record.id):
            record.key -= 1  # made in the same microsecond
        self.reindex(record)

    def remove(self, record: Any) -> None:
        """Forget a record."""
        self.listing.discard(record.cell, record.key)
        record.cell = ()
        del self.ids[record.key]
        del self.records[record.id]

    def set_state(self, record: Any, state: str) -> None:
        """Change the state of a record and the indexes with it."""
        record.state = state
        self.reindex(record)

    def reindex(self, record: Any) -> None:
        """Bring the indexes up to date with a record whose facets may have changed."""
        if (facets := record.facets) != record.cell:
            self.listing.move(record.key, record.cell, facets)
            record.cell = facets
        if self.words.reached and record.key >= self.words.reached:
            self.words.add([record])

    def oldest_of(self, cells: list[Cell]) -> datetime | None:
        """Return when the oldest record in these cells was made, or None."""
        oldest = [each.maxKey() for each in self.listing.of(cells) if each]
        return time_at(max(oldest)) if oldest else None

    def oldest(self, *states: str) -> datetime | None:
        """Return when the oldest record in these states was made, or None."""
        return self.oldest_of(self._cells(states))

    def oldest_first(self, *states: str, before: datetime) -> Iterator[Any]:
        """Return the records in these states that were made before a time, the oldest first."""
        keys = oldest_first(self.listing.of(self._cells(states)), key_at(before))
        return (self.records[self.ids[key]] for key in keys)

    def counts(self) -> dict[str, int]:
        """Return how many records are in each state that has any."""
        found: dict[str, int] = {}
        for cell in self.listing.cells():
            if size := self.listing.size([cell]):
                found[cell[0]] = found.get(cell[0], 0) + size
        return found

    def count(self, *states: str) -> int:
        """Return how many records are in these states; the others are not looked at."""
        return self.listing.size(self._cells(states))

    def _cells(self, states: tuple[str, ...]) -> list[Cell]:
        return [cell for state in states for cell in self.listing.cells(state)]

    def everything(self, low: int | None = None, high: int | None = None) -> Found:
        """Return the ids of all records, the newest first, between two keys (exclusive) if these are given."""
        return Found(self, [self.ids], self.__len__, low, high)

    def newest_ids(self, *states: str) -> Found:
        """Return the ids of the records in ``states`` (all if none is given), the newest first."""
        return self.in_cells(self._cells(states)) if states else self.everything()

    def in_cells(self, cells: list[Cell], low: int | None = None, high: int | None = None) -> Found:
        """Return the ids of the records in these cells, the newest first, between two keys (exclusive) if these are given."""
        return Found(self, self.listing.of(cells), lambda: self.listing.size(cells), low, high)

    def matching(
        self, text: str, *selections: list[Any], low: int | None = None, high: int | None = None
    ) -> Found:
        """Return the ids of the records that ``text`` finds and whose keys are in each of ``selections``, lists of sets."""
        found = search(self, text)
        if not selections:
            return Found(
                self, [keys for keys, _size in found], lambda: sum(size for _keys, size in found), low, high
            )
        sets = [keys for keys, _size in found]
        for selection in selections:
            sets = [common(sets, selection)]
        return Found(self, sets, None, low, high)


def _annotations() -> Any:
    """Return the annotations of the current site; no adapter is looked up, as this is asked several times for each message."""
    return AttributeAnnotations(aq_base(getSite()))


def site_store(key: str, factory: Callable[[], Any]) -> Any:
    """Return the store under the annotation ``key`` of the current site, made with ``factory`` on first use.

    Errors: ``NotUpgraded``.
    """
    annotations = _annotations()
    store = annotations.get(key)
    if store is None:
        store = annotations[key] = factory()
    if getattr(store, "schema", SCHEMA) < SCHEMA:
        raise NotUpgraded(key)
    return store


def former_store(key: str, schema: int) -> Any:
    """Return the store under ``key`` if it has this layout or an earlier one, for the upgrade step that converts it; or None."""
    store = _annotations().get(key)
    return store if store is not None and store.schema <= schema else None


def existing_store(key: str) -> Any:
    """Return the store under the annotation ``key`` of the current site, or an empty dict; writes nothing."""
    return _annotations().get(key) or {}


def discard_empty(key: str) -> int:
    """Remove the store under ``key`` if it holds nothing; return how many records it holds."""
    annotations = _annotations()
    held = len(annotations.get(key) or ())
    if not held:
        annotations.pop(key, None)
    return held
