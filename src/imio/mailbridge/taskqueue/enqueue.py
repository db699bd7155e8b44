"""Adds a task with the transaction: what is not committed is never queued."""

from AccessControl import getSecurityManager
from imio.mailbridge.taskqueue import queue as queues
import logging
import transaction
import uuid


logger = logging.getLogger(__name__)


def add(
    url: str,
    method: str = "GET",
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    payload: str | None = None,
    queue: str = queues.NAME,
    delay: float = 0,
) -> str:
    """Queue a request to ``url`` when the current transaction commits; return the task id (sent as ``X-Task-Id``).

    ``url`` is a path from the Zope root (``/iadocs/@@view``); ``params`` go into the query string; ``payload`` is text, the body.
    The request runs as the current user, ``delay`` seconds after the commit at the earliest. Errors: ``ValueError`` for a queue
    that no worker reads. A queue that cannot be reached after the commit is logged, never raised: the commit is done, and the
    sweep finds the record.
    """
    if queue not in queues.WORKERS:
        raise ValueError(f"no worker reads the queue {queue!r}")
    if not url.startswith("/"):
        raise ValueError("the URL of a task is a path from the Zope root")
    task_id = str(uuid.uuid4())
    user = getSecurityManager().getUser()
    userid = user.getId() if user is not None else None
    args = (task_id, url, method, params or {}, headers or {}, payload or "", userid)
    transaction.get().addAfterCommitHook(_enqueue, args=(queue, delay, *args))
    return task_id


def _enqueue(committed, queue, delay, *args):
    if not committed:
        return
    try:
        queues.get_queue(queue).submit(delay, *args)
    except Exception:  # noqa: BLE001 - whatever the queue's client raises
        logger.exception(
            "task %s for %s could not be queued; the sweep will find its record", args[0], args[1]
        )
