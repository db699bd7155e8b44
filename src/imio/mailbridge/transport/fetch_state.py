"""Remembers which messages of a folder need nothing more, by UID, as long as the server's UIDVALIDITY stays the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from itertools import groupby
from typing import Any
from typing import NamedTuple
import math
import time


#: Outcomes: the site has the message; it had no use for it and left it where it is; it refused it for good.
KEPT, LEFT, REFUSED = "kept", "left", "refused"
OUTCOMES = (KEPT, LEFT, REFUSED)
#: Seconds until a message that the site could not take is tried again: doubled each time.
FIRST_WAIT, LONGEST_WAIT = 60, 3600


class Failure(NamedTuple):
    """Why a message could not be handed over: ``text`` is a sentence on one line, ``not_before`` in seconds since the epoch.

    ``subject`` and ``author`` are those of the message in the mailbox, as far as they are known.
    """

    tries: int
    not_before: float
    text: str
    subject: str = ""
    author: str = ""


@dataclass
class FetchState:
    """``settled`` maps a UID to its outcome, ``failed`` to why it could not be handed over so far."""

    uidvalidity: int = 0
    settled: dict[int, str] = field(default_factory=dict)
    failed: dict[int, Failure] = field(default_factory=dict)

    def is_reset_by(self, uidvalidity: int) -> bool:
        """Forget everything when the UIDs mean other messages than before; tell whether anything could be forgotten."""
        changed = self.uidvalidity not in (0, uidvalidity)
        if self.uidvalidity != uidvalidity:
            self.uidvalidity, self.settled, self.failed = uidvalidity, {}, {}
        return changed

    def due(self, present: Iterable[int]) -> list[int]:
        """Return which of the UIDs in the folder are to be fetched, those that failed last; forget those that are gone."""
        here, now = set(present), time.time()
        self.settled = {uid: outcome for uid, outcome in self.settled.items() if uid in here}
        self.failed = {uid: failure for uid, failure in self.failed.items() if uid in here}
        waits = {uid for uid, failure in self.failed.items() if failure.not_before > now}
        return sorted(here - self.settled.keys() - waits, key=lambda uid: (self._tries(uid), uid))

    def seconds_to_next(self) -> float:
        """Return the seconds until a message that could not be handed over is due again, at least one; infinite without one."""
        return max(min((each.not_before for each in self.failed.values()), default=math.inf) - time.time(), 1)

    def settle(self, uid: int, outcome: str) -> None:
        """Note the outcome of a message."""
        self.settled[uid] = outcome
        self.failed.pop(uid, None)

    def fail(self, uid: int, text: str, subject: str = "", author: str = "") -> None:
        """Note that a message could not be handed over; it is tried again later."""
        tries = self._tries(uid) + 1
        wait = min(FIRST_WAIT * 2 ** min(tries - 1, 10), LONGEST_WAIT)
        words = (each[:500] for each in (text, subject, author))
        self.failed[uid] = Failure(tries, time.time() + wait, *words)

    def _tries(self, uid: int) -> int:
        return self.failed[uid].tries if uid in self.failed else 0

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain values, for ``from_json``."""
        settled = {
            outcome: sequence_set(uid for uid, each in self.settled.items() if each == outcome)
            for outcome in sorted(set(self.settled.values()))
        }
        failed = {str(uid): list(failure) for uid, failure in self.failed.items()}
        return {"uidvalidity": self.uidvalidity, "settled": settled, "failed": failed}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FetchState":
        """Return the state that ``as_json`` gave. Errors: ``ValueError``, ``TypeError``, ``KeyError`` for anything else."""
        settled = {
            uid: outcome
            for outcome, text in data["settled"].items()
            if outcome in OUTCOMES
            for uid in uids_in(text)
        }
        failed = {
            int(uid): Failure(int(tries), float(at), str(text), str(subject), str(author))
            for uid, (tries, at, text, subject, author) in data["failed"].items()
        }
        return cls(int(data["uidvalidity"]), settled, failed)


def sequence_set(uids: Iterable[int]) -> str:
    """Return UIDs as a sequence set (RFC 9051): ``1:3,7``."""
    runs = (
        [uid for _index, uid in group]
        for _key, group in groupby(enumerate(sorted(uids)), key=lambda pair: pair[1] - pair[0])
    )
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}:{run[-1]}" for run in runs)


def uids_in(text: str) -> Iterable[int]:
    """Yield the UIDs of a sequence set."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)
