"""Keeps records by id and lists them by state and time: what the Outbox and the Inbox have in common.

``records`` maps id → record; ``listing`` maps state → ordered set of (created, id), so that a page of a list loads only the
records that it shows. BTrees merge what concurrent requests write to different keys; the same key twice is a conflict, which the
publisher retries, and the second try finds the record of the first.

What is stored are persistent classes of our own, blobs, and plain values: strings, numbers, booleans, None, datetimes, tuples and
dicts. No other class of ours is pickled, so that it can be renamed without breaking a database.
"""

from Acquisition import aq_base
from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from collections.abc import Callable
from datetime import datetime
from datetime import UTC
from persistent import Persistent
from typing import Any
from zope.annotation.attribute import AttributeAnnotations
from zope.component.hooks import getSite
import heapq


#: The layout of what a store holds, written into each store when it is made. A change of the layout raises it, and its upgrade step
#: converts the stores whose ``schema`` is lower. The version of the profile does not tell: stores outlive an uninstalled profile.
SCHEMA = 2

#: When a record was created, and its id.
Key = tuple[str, str]


def now() -> datetime:
    """Return the present time, aware, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


class Record(Persistent):
    """One message: ``id``, ``created`` (aware datetime), ``state`` and a ``history``, a tuple of dicts that only grows."""

    def __init__(self, id: str, state: str) -> None:
        self.id = id
        self.created = datetime.now(UTC)
        self.state = state
        self.history: tuple[dict[str, Any], ...] = ()

    @property
    def sort_key(self) -> Key:
        """Return what lists are ordered by."""
        return (self.created.isoformat(), self.id)


class Store(Persistent):
    """Records of one kind in one site; ``schema`` is the layout that it was made with (``SCHEMA``)."""

    def __init__(self) -> None:
        self.schema = SCHEMA
        self.records = OOBTree()
        self.listing = OOBTree()

    def __len__(self) -> int:
        return sum(self.counts().values())

    def __contains__(self, id: str) -> bool:
        return id in self.records

    def get(self, id: str) -> Any:
        """Return the record or None."""
        return self.records.get(id)

    def add(self, record: Any) -> None:
        """Keep a new record; errors: ``KeyError`` if there is one with this id."""
        if not self.records.insert(record.id, record):
            raise KeyError(record.id)
        self._set(record.state).insert(record.sort_key)

    def remove(self, record: Any) -> None:
        """Forget a record."""
        self._set(record.state).remove(record.sort_key)
        del self.records[record.id]

    def set_state(self, record: Any, state: str) -> None:
        """Change the state of a record and the index with it."""
        if state != record.state:
            self._set(record.state).remove(record.sort_key)
            record.state = state
            self._set(state).insert(record.sort_key)

    def _set(self, state: str) -> Any:
        found = self.listing.get(state)
        if found is None:
            found = self.listing[state] = OOTreeSet()
        return found

    def counts(self) -> dict[str, int]:
        """Return how many records are in each state that has any."""
        return {state: len(keys) for state, keys in self.listing.items() if len(keys)}

    def count(self, *states: str) -> int:
        """Return how many records are in these states; the others are not looked at."""
        return sum(len(self.listing[state]) for state in states if state in self.listing)

    def keys(self, *states: str) -> list[Key]:
        """Return the (created, id) keys of the records in ``states`` (all if none is given), the oldest first."""
        sets = [self.listing[state] for state in states or self.listing if state in self.listing]
        return list(heapq.merge(*sets))

    def newest_ids(self, *states: str) -> list[str]:
        """Return the ids of the records in ``states`` (all if none is given), the newest first."""
        return [id for _created, id in reversed(self.keys(*states))]


def _annotations() -> Any:
    """Return the annotations of the current site; no adapter is looked up, as this is asked several times for each message."""
    return AttributeAnnotations(aq_base(getSite()))


def site_store(key: str, factory: Callable[[], Any]) -> Any:
    """Return the store under the annotation ``key`` of the current site, made with ``factory`` on first use."""
    annotations = _annotations()
    store = annotations.get(key)
    if store is None:
        store = annotations[key] = factory()
    return store


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
