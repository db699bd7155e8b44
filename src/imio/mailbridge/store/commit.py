"""How is something written that must not be lost to a conflict?"""

from transaction.interfaces import TransientError
import random
import time
import transaction


TRIES = 20


def committed(change):
    """Run ``change`` and commit it, again after each conflict; return its result."""
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
        else:
            return result
    raise AssertionError("not reached")
