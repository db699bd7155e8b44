"""Remembers the addresses from which mail keeps coming back, until their recipient answers or a manager has dealt with them."""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import now


#: An address counts when as many messages came back or were refused within this time.
TIMES, WITHIN = 2, timedelta(days=180)
#: What is remembered of one address.
MOST = 20


@dataclass(frozen=True)
class Returned:
    """An address, how often mail to it came back, and the last time: when, and the id of the message."""

    address: str
    times: int
    at: datetime
    id: str


def note(address: str, id: str) -> None:
    """Note that the message ``id`` came back from an address, or that its server refused it for good; each message once."""
    tree, key = outbox().returned, address.lower()
    known = tree.get(key, ())
    if id not in (known_id for _at, known_id in known):
        tree[key] = (*known, (now().isoformat(), id))[-MOST:]


def forget(addresses: Iterable[str]) -> int:
    """Forget addresses; return how many were known."""
    tree = outbox().returned
    return sum(tree.pop(address.lower(), None) is not None for address in addresses)


def times_of(address: str) -> Returned | None:
    """Return what is known of an address, or None where mail to it did not come back often enough to say so."""
    return _returned(address.lower(), outbox().returned.get(address.lower(), ()))


def all_returned() -> list[Returned]:
    """Return the addresses from which mail keeps coming back, the most frequent first, of these the latest."""
    found: Iterator[Returned | None] = (_returned(*each) for each in outbox().returned.items())
    return sorted(filter(None, found), key=lambda each: (each.times, each.at), reverse=True)


def _returned(address: str, known: tuple[tuple[str, str], ...]) -> Returned | None:
    since = (now() - WITHIN).isoformat()
    recent = [each for each in known if each[0] >= since]
    if len(recent) < TIMES:
        return None
    at, id = recent[-1]
    return Returned(address, len(recent), datetime.fromisoformat(at), id)
