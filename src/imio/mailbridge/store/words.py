"""Finds records by the words in what lists show of them: beginnings of words, without regard to case and accents.

A sweep reads the words of new records in steps (``catch_up``); a search looks through those that it has not reached one by one.
So no delivery writes to the sets of frequent words, and none waits for another there.
"""

from BTrees.Length import Length
from BTrees.LLBTree import difference
from BTrees.LLBTree import LLSet
from BTrees.LLBTree import LLTreeSet
from BTrees.LLBTree import multiunion
from BTrees.OOBTree import OOBTree
from collections.abc import Iterable
from imio.mailbridge.store.listing import common
from itertools import islice
from persistent import Persistent
from typing import Any
import re
import unicodedata


#: Words of a record, and characters of a word, that count.
MAX_WORDS, MAX_LENGTH = 1000, 64
#: A shorter word of a search is looked for as it is: too many begin with it.
BEGINNING = 3
#: Sorts behind each word.
_LAST = "\U0010ffff"
#: Records of one step, and how many are worth one: frequent words are written once a step.
STEP, WORTH = 500, 100
#: A word that one of so many records has is frequent.
FREQUENT = 10
#: Records younger than this, in microseconds, are left to the next pass: their transactions may not be visible yet.
YOUNG = 120_000_000

_WORD = re.compile(r"\w+")
_ADDRESS = re.compile(r"[^\s<>\"',;]+@[^\s<>\"',;]*")


def words_of(text: str) -> set[str]:
    """Return the words of a text and the addresses in it, in the form in which they are compared."""
    plain = _plain(text)
    return set(
        islice((word[:MAX_LENGTH] for form in (_ADDRESS, _WORD) for word in form.findall(plain)), MAX_WORDS)
    )


def terms_of(text: str) -> set[str]:
    """Return what a search looks for: addresses as a whole, and words."""
    plain = _plain(text)
    words = _WORD.findall(_ADDRESS.sub(" ", plain))
    return {term[:MAX_LENGTH] for term in (*_ADDRESS.findall(plain), *words)}


def matches(words: set[str], terms: Iterable[str]) -> bool:
    """Tell whether each term is one of the words or, if it is long enough, the beginning of one."""
    return all(
        term in words or (len(term) >= BEGINNING and any(word.startswith(term) for word in words))
        for term in terms
    )


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


class Words(Persistent):
    """Word → keys of records.

    ``known`` holds the keys whose words are here, ``size`` of them; all records from ``reached`` on (older ones) are. ``sizes``
    holds how many keys a frequent word has, so that nobody counts them.
    """

    def __init__(self) -> None:
        self.sets = OOBTree()
        self.sizes = OOBTree()
        self.known = LLTreeSet()
        self.size = Length()
        self.reached = 0

    def add(self, records: Iterable[Any]) -> None:
        """Read the words of records; what was read before is not written again."""
        by_word: dict[str, list[int]] = {}
        records = list(records)
        for record in records:
            self.size.change(self.known.insert(record.key))
            for word in words_of(record.searched):
                by_word.setdefault(word, []).append(record.key)
        for word, keys in sorted(by_word.items()):
            found = self.sets.get(word)
            if found is None:
                found = self.sets[word] = LLTreeSet()
            added = sum(found.insert(key) for key in keys)
            if word in self.sizes:
                self.sizes[word] += added
            elif len(keys) > max(10, len(records) // FREQUENT):
                self.sizes[word] = len(found)

    def find(self, terms: Iterable[str]) -> list[Any]:
        """Return the keys of the known records that have all terms, as sets that have none in common."""
        found = [self._sets(term) for term in terms]
        first, *others = sorted(found, key=_size) if len(found) > 1 else found
        for sets in others:
            first = [common(first, sets)]
        return first if len(first) == 1 else [multiunion(first)]

    def size_of(self, keys: Any, terms: Iterable[str]) -> int:
        """Return how many keys there are in a set that ``find`` returned for these terms."""
        known = [self.sizes[term] for term in terms if term in self.sizes and keys is self.sets[term]]
        return known[0] if known else len(keys)

    def _sets(self, term: str) -> list[Any]:
        high = term + _LAST if len(term) >= BEGINNING else term
        return list(self.sets.values(term, high))


def _size(sets: list[Any]) -> int:
    """Return a number to sort by: how many keys there are, or a thousand where there are more."""
    return sum(1 for _key in islice((key for each in sets for key in each), 1000))


def search(store: Any, text: str) -> list[tuple[Any, int]]:
    """Return the keys of the records of a store that ``text`` finds: pairs of a set and its size, with no key in common."""
    terms = terms_of(text)
    if not terms:
        return []
    newer = _newer(store, None, store.words.reached)
    fresh = (store.records[store.ids[key]] for key in newer)
    seen = LLSet(each.key for each in fresh if matches(words_of(each.searched), terms))
    sets = store.words.find(terms)
    return [(seen, len(seen)), *((keys, store.words.size_of(keys, terms)) for keys in sets)]


def catch_up(store: Any, at: int) -> bool:
    """Read the words of the oldest records that are not known, a step of them; return whether there may be more.

    ``at`` is the key of the present moment. Before each step, what is known is compared with what there is, so that no record stays
    unread that was committed late.
    """
    words = store.words
    keys = list(_newer(store, at + YOUNG, words.reached))[-STEP:]
    if len(keys) < WORTH:
        return False
    is_doubtful = words.reached and len(store) - len(_newer(store, None, words.reached)) != words.size()
    if is_doubtful and _mend(store, words.reached):
        return True
    words.add(store.records[store.ids[key]] for key in keys)
    words.reached = keys[0]
    return len(keys) == STEP


def _newer(store: Any, first: int | None, reached: int) -> Any:
    """Return the keys from ``first`` on that are not reached."""
    return store.ids.keys(first, reached, False, True) if reached else store.ids.keys(first)


def _mend(store: Any, reached: int) -> bool:
    """Forget what is gone, and read a step of what was passed over; return whether there was any."""
    words, present = store.words, LLSet(store.ids.keys(reached))
    gone, missing = difference(words.known, present), difference(present, words.known)
    for key in gone:
        words.known.remove(key)
        words.size.change(-1)
    words.add(store.records[store.ids[key]] for key in islice(missing, STEP))
    return bool(gone or missing)
