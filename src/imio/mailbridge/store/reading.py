"""Lets searches find what came since the last sweep, step by step, each in a transaction of its own."""

from collections.abc import Callable
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import key_at
from imio.mailbridge.store.store import now
from imio.mailbridge.store.words import catch_up
from typing import Any


#: Steps of one sweep; the next one comes in a minute.
STEPS = 20


def read_words(store: Callable[[], Any]) -> None:
    """Read the words of the records of ``store()`` that no search knows yet. Commits by itself."""
    for _ in range(STEPS):
        if not committed(lambda: catch_up(store(), key_at(now()))):
            return
