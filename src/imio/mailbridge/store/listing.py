"""Finds keys by cell: each key is in one set, that of the facets of its record, and the sizes of large sets are known.

A key is a negative number of microseconds since the epoch: the newest is the first of each set, so that a list reads no more than
what it shows. A cell is a tuple of strings, such as ``("sent", "default", "agent")``.
"""

from BTrees.Length import Length
from BTrees.LLBTree import intersection
from BTrees.LLBTree import LLSet
from BTrees.LLBTree import LLTreeSet
from BTrees.LLBTree import multiunion
from BTrees.OOBTree import OOBTree
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from persistent import Persistent
from typing import Any
import heapq


Cell = tuple[str, ...]

#: Up to so many keys are looked up one by one; more are intersected as sets.
FEW = 2000
#: In front of each key of a set that is anchored.
ANCHOR = -(2**63)
#: Sorts behind each facet.
_LAST = "\U0010ffff"


class Listing(Persistent):
    """Sets of keys by cell.

    The size of a set is kept beside it and written with each change, but not where a facet is one of ``uncounted``: these sets hold
    what records only pass through, and are counted when somebody asks.

    Sets whose first facet is one of ``anchored`` are written by many at once, and read seldom. Two changes of a set conflict where
    one takes its first key or its last one out, so that these sets keep a first key that belongs to nobody.
    """

    anchored: Cell = ()

    def __init__(self, uncounted: Iterable[str] = (), anchored: Iterable[str] = ()) -> None:
        self.uncounted = tuple(sorted(uncounted))
        self.anchored = tuple(sorted(anchored))
        self.sets = OOBTree()
        self.sizes = OOBTree()

    def add(self, cell: Cell, key: int) -> None:
        """Put a key into a cell."""
        found = self.sets.get(cell)
        if found is None:
            found = self.sets[cell] = LLTreeSet([ANCHOR] if cell[0] in self.anchored else [])
            if not any(facet in self.uncounted for facet in cell):
                self.sizes[cell] = Length()
        if found.insert(key) and cell in self.sizes:
            self.sizes[cell].change(1)

    def discard(self, cell: Cell, key: int) -> None:
        """Take a key out of a cell, if it is there."""
        found = self.sets.get(cell)
        if found is not None and key in found:
            found.remove(key)
            if cell in self.sizes:
                self.sizes[cell].change(-1)

    def move(self, key: int, before: Cell, after: Cell) -> None:
        """Put a key into another cell; an empty tuple is none."""
        if before:
            self.discard(before, key)
        if after:
            self.add(after, key)

    def cells(self, *begins: str, where: Callable[[Cell], bool] | None = None) -> list[Cell]:
        """Return the cells whose first facets are ``begins`` and for which ``where`` is true."""
        found = self.sets.keys(begins, (*begins, _LAST)) if begins else self.sets.keys()
        return [cell for cell in found if where is None or where(cell)]

    def size(self, cells: Iterable[Cell]) -> int:
        """Return how many keys are in these cells."""
        return sum(
            self.sizes[cell]() if cell in self.sizes else len(self._keys(cell))
            for cell in cells
            if cell in self.sets
        )

    def of(self, cells: Iterable[Cell]) -> list[Any]:
        """Return the sets of these cells."""
        return [self._keys(cell) for cell in cells if cell in self.sets]

    def _keys(self, cell: Cell) -> Any:
        found = self.sets[cell]
        return LLSet(found.keys(ANCHOR + 1)) if cell[0] in self.anchored else found


def oldest_first(sets: Iterable[Any], before: int | None = None) -> Iterator[int]:
    """Yield the keys in sets, the oldest first: those behind ``before``, a key; the sets may change meanwhile."""
    return heapq.merge(*(_descending(each, before) for each in sets), reverse=True)


def _descending(keys: Any, before: int | None) -> Iterator[int]:
    with suppress(ValueError):  # there is no more
        key = keys.maxKey()
        while before is None or key > before:
            yield key
            key = keys.maxKey(key - 1)


def common(left: list[Any], right: list[Any]) -> Any:
    """Return the keys that are in one of the sets ``left`` and in one of ``right``; a small side spares the other."""
    for few, many in ((left, right), (right, left)):
        keys = list(islice((key for each in few for key in each), FEW + 1))
        if len(keys) <= FEW:
            return LLSet(key for key in keys if any(key in each for each in many))
    return intersection(multiunion(left), multiunion(right))
