"""Works through many records in steps, each in a transaction of its own, so that none is large and a fault undoes little."""

from collections.abc import Callable
from functools import partial
from imio.mailbridge.store.commit import committed


#: Records in one transaction.
STEP = 100
#: Records that one sweep changes; the next one comes in a minute.
MOST = 2000


def in_steps(keys: list[int], change: Callable[[list[int]], int]) -> int:
    """Call ``change`` with some keys at a time, until it has changed ``MOST`` records; return how many. Commits by itself."""
    count = 0
    for at in range(0, len(keys), STEP):
        count += committed(partial(change, keys[at : at + STEP]))
        if count >= MOST:
            break
    return count
