"""Queues the delivery of stored messages for after the commit. The Outbox does it itself: nobody has to remember to."""

from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import add
from imio.mailbridge.taskqueue import add_once
from typing import Any
from zope.component.hooks import getSite


#: A task waits this long in the queue, in seconds; a longer wait is left to the sweep, which comes once a minute.
MAX_WAIT = 600
#: Seconds between two turns of a site that has much to send.
REST = 1


def queue_delivery(record: Any, delay: float = 0) -> None:
    """Queue the delivery of a record, ``delay`` seconds after the commit, and not before its next try."""
    wait = max(delay, (record.next_try - now()).total_seconds()) if record.next_try else delay
    if wait <= MAX_WAIT:
        _queue("mailbridge-deliver", delay=wait, params={"id": record.id})


def queue_sweep() -> None:
    """Queue a sweep of the Outbox: what was held may be able to leave."""
    _queue("mailbridge-sweep-outbox")


def queue_rest() -> None:
    """Queue the delivery of what is due, once the task that calls this has ended; once, whoever asks for it."""
    add_once("/".join(getSite().getPhysicalPath()) + "/@@mailbridge-sweep-due", delay=REST)


def _queue(view: str, **options: Any) -> None:
    add("/".join(getSite().getPhysicalPath()) + f"/@@{view}", "POST", **options)
