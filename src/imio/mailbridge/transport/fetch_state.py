"""Which messages of a folder need nothing more? Known by UID, for as long as the server's UIDVALIDITY stays the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from itertools import groupby
from typing import Any
import time


KEPT, LEFT, REFUSED = "kept", "left", "refused"
#: Seconds until a message that the site could not take is tried again: doubled each time.
FIRST_WAIT, LONGEST_WAIT = 60, 3600


@dataclass
class State:
    """``settled`` maps a UID to ``KEPT``, ``LEFT`` or ``REFUSED``; ``failed`` to (tries, not before, text), the time in seconds of
    the epoch.
    """

    uidvalidity: int = 0
    settled: dict[int, str] = field(default_factory=dict)
    failed: dict[int, tuple[int, float, str]] = field(default_factory=dict)

    def opened(self, uidvalidity: int) -> bool:
        """Forget everything when the UIDs mean other messages than before; tell whether that was so."""
        renewed = self.uidvalidity not in (0, uidvalidity)
        if self.uidvalidity != uidvalidity:
            self.uidvalidity, self.settled, self.failed = uidvalidity, {}, {}
        return renewed

    def open_ones(self, present: Iterable[int]) -> list[int]:
        """Return what is to be fetched of the UIDs in the folder, in their order; those that are gone are forgotten."""
        here, now = set(present), time.time()
        self.settled = {uid: word for uid, word in self.settled.items() if uid in here}
        self.failed = {uid: failure for uid, failure in self.failed.items() if uid in here}
        waits = {uid for uid, (_tries, at, _text) in self.failed.items() if at > now}
        return sorted(here - self.settled.keys() - waits)

    def settle(self, uid: int, word: str) -> None:
        """Note what became of a message."""
        self.settled[uid] = word
        self.failed.pop(uid, None)

    def fail(self, uid: int, text: str) -> None:
        """Note that a message could not be handed over; it is tried again later."""
        tries = self.failed.get(uid, (0, 0.0, ""))[0] + 1
        wait = min(FIRST_WAIT * 2 ** min(tries - 1, 10), LONGEST_WAIT)
        self.failed[uid] = (tries, time.time() + wait, text[:500])

    def as_json(self) -> dict[str, Any]:
        """Return what ``State.read`` takes, of plain values."""
        words = {
            word: numbers(uid for uid, each in self.settled.items() if each == word)
            for word in sorted(set(self.settled.values()))
        }
        failed = {str(uid): list(failure) for uid, failure in self.failed.items()}
        return {"uidvalidity": self.uidvalidity, "settled": words, "failed": failed}

    @classmethod
    def read(cls, data: dict[str, Any]) -> "State":
        """Return the state that ``as_json`` gave. Errors: ``ValueError``, ``TypeError``, ``KeyError`` for what is none."""
        settled = {
            uid: word for word, text in data["settled"].items() if word in WORDS for uid in uids_of(text)
        }
        failed = {
            int(uid): (int(tries), float(at), str(text)) for uid, (tries, at, text) in data["failed"].items()
        }
        return cls(int(data["uidvalidity"]), settled, failed)


WORDS = (KEPT, LEFT, REFUSED)


def numbers(uids: Iterable[int]) -> str:
    """Return UIDs as a sequence set (RFC 9051): ``1:3,7``."""
    runs = (
        [uid for _index, uid in group]
        for _key, group in groupby(enumerate(sorted(uids)), key=lambda pair: pair[1] - pair[0])
    )
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}:{run[-1]}" for run in runs)


def uids_of(text: str) -> Iterable[int]:
    """Yield the UIDs of a sequence set."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)
