"""Commits a change, and makes it again after a conflict."""

from collections.abc import Callable
from transaction.interfaces import TransientError
from typing import TypeVar
import random
import time
import transaction


TRIES = 20

T = TypeVar("T")


def committed(change: Callable[[], T]) -> T:
    """Run ``change`` and commit it, again after each conflict; return its result. An error undoes the change and is raised."""
    for attempt in range(TRIES):
        transaction.begin()
        try:
            result = change()
            transaction.commit()
        except TransientError:
            transaction.abort()
            if attempt + 1 == TRIES:
                raise
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 - not a secret
        except BaseException:
            transaction.abort()
            raise
        else:
            return result
    raise AssertionError("not reached")
