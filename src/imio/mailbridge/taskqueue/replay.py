"""Runs each task once, and only while it is young: the copy of a signed task that somebody puts back does nothing.

::

    queued ── signed with its end ── run: its id is remembered ── end ── SKEW ── its id is forgotten
                                     └─ a copy does nothing ─────┘└─ a copy is too old

The end is a part of the task, which the scheduler signs anew as it is. What ran is remembered in the storage of its queue. Somebody
who deletes it there can have a copy run until its end; a task that finds its record done does nothing even then.
"""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from huey import CancelExecution
from huey import crontab
from huey.signals import SIGNAL_EXPIRED
import logging


#: From when a task was queued, or from the time that it waits for. The sweep finds the record of one that was dropped.
MAX_AGE = timedelta(days=1)
#: How far the clocks of two workers may differ.
SKEW = timedelta(hours=1)
KEY = "ran:"

logger = logging.getLogger(__name__)


def now():
    """Return the time as huey has it: UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


def end(eta):
    """Return until when a task may run that is queued now, for ``eta`` if that is not None."""
    return (eta or now()) + MAX_AGE


def run_once(huey):
    """Have each task of ``huey`` run once; those that ran are forgotten in time."""

    @huey.signal(SIGNAL_EXPIRED)
    def warn(signal, task):
        logger.warning("task %s is too old and was not run", task)

    @huey.pre_execute(name="ran-before")
    def remember(task):
        try:
            is_first = huey.storage.put_if_empty(KEY + task.id, task.expires_resolved.isoformat().encode())
        except Exception as error:  # whatever the client of the storage raises
            logger.exception("task %s was not run: the queue cannot remember it", task)
            raise CancelExecution from error
        if not is_first:
            raise CancelExecution  # huey logs it

    @huey.periodic_task(crontab(minute="7"), name="forget")
    def forget():
        before = (now() - SKEW).isoformat().encode()
        for key, until in huey.storage.result_items().items():
            if key.startswith(KEY) and bytes(until) < before:
                huey.storage.delete_data(key)
