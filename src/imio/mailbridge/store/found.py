"""What a list found: the ids of records, the newest first, read as they are shown."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import cached_property
from typing import Any
import heapq


class Found(Sequence[str]):
    """The ids of the records of ``store`` whose keys are in one of ``sets`` (each key in one), between ``low`` and ``high``.

    ``low`` and ``high`` are keys, both exclusive; None: no limit. ``size`` tells how many keys the sets hold, where that is known.
    """

    def __init__(
        self,
        store: Any,
        sets: list[Any],
        size: Callable[[], int] | None = None,
        low: int | None = None,
        high: int | None = None,
    ) -> None:
        self.store = store
        self._sets = sets
        self._size = size
        self._low, self._high = low, high
        self._read: list[int] = []

    @cached_property
    def _rest(self) -> Iterator[int]:
        """What was not read yet; begun when the first is read, since a set may not change while it is read."""
        return heapq.merge(*(self._range(each) for each in self._sets))

    def _range(self, keys: Any) -> Any:
        return keys.keys(self._low, self._high, self._low is not None, self._high is not None)

    @cached_property
    def _len(self) -> int:
        if self._size is not None and self._low is None and self._high is None:
            return self._size()
        return sum(len(self._range(each)) for each in self._sets)

    def __len__(self) -> int:
        return self._len

    def __bool__(self) -> bool:
        return bool(self.keys(1))

    def keys(self, number: int) -> list[int]:
        """Return the first keys, ``number`` at most."""
        for key in self._rest if number > len(self._read) else ():
            self._read.append(key)
            if len(self._read) >= number:
                break
        return self._read[:number]

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return [self.store.ids[key] for key in self.keys(max(start, stop))[start:stop:step]]
        place = at if at >= 0 else at + len(self)
        keys = self.keys(place + 1)
        if not 0 <= place < len(keys):
            raise IndexError(at)
        return self.store.ids[keys[place]]

    def __iter__(self) -> Iterator[str]:
        place = 0
        while len(keys := self.keys(place + 1)) > place:
            yield self.store.ids[keys[place]]
            place += 1

    def __contains__(self, id: object) -> bool:
        record = self.store.get(id)
        return record is not None and self._has(record.key)

    def _has(self, key: int) -> bool:
        is_between = (self._low is None or key > self._low) and (self._high is None or key < self._high)
        return is_between and any(key in each for each in self._sets)

    def index(self, id: str, *_limits: Any) -> int:
        """Return the place of an id. Errors: ``ValueError`` if it is not there."""
        if id not in self:
            raise ValueError(id)
        key = self.store.get(id).key
        return sum(len(each.keys(self._low, key, self._low is not None, True)) for each in self._sets)

    def records(self) -> Iterator[Any]:
        """Yield the records, each loaded when it is asked for."""
        return (self.store.records[id] for id in self)

    def since(self, key: int) -> "Found":
        """Return what is as old as ``key`` or older."""
        return Found(self.store, self._sets, self._size, key - 1, self._high)

    def after(self, id: str) -> str:
        """Return the id of the next older one than ``id``, else of the next newer one, else an empty string."""
        record = self.store.get(id)
        if record is None:
            return next(iter(self), "")
        older = Found(self.store, self._sets, None, record.key, self._high)
        if id := next(iter(older), ""):
            return id
        newer = [
            each.maxKey(record.key - 1)
            for each in self._sets
            if next(iter(each.keys(None, record.key, False, True)), None) is not None
        ]
        kept = [key for key in newer if self._low is None or key > self._low]
        return str(self.store.ids[max(kept)]) if kept else ""
