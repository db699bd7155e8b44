"""Commits a change, and makes it again after a conflict."""

from collections.abc import Callable
from transaction.interfaces import TransientError
from typing import TypeVar
import logging
import random
import time
import transaction


TRIES = 20

T = TypeVar("T")

logger = logging.getLogger(__name__)


def committed(change: Callable[[], T]) -> T:
    """Run ``change`` and commit it, again after each conflict; return its result. An error undoes the change and is raised."""
    for attempt in range(TRIES):
        try:
            return _commit(change)
        except TransientError as conflict:
            logger.info("made again, try %d: %s", attempt + 1, conflict)
            if attempt + 1 == TRIES:
                raise
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 - not a secret
    raise AssertionError("not reached")


def _commit(change: Callable[[], T]) -> T:
    transaction.begin()
    try:
        result = change()
        transaction.commit()
    except BaseException:
        transaction.abort()
        raise
    return result
