"""Adds a task with the transaction: what is not committed is never queued."""

from AccessControl import getSecurityManager
from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue import queue as queues
from zope.component.hooks import getSite
import logging
import transaction
import uuid


#: Seconds after which a task is taken for lost of which one is enough, and queued again.
WAITS_FOR = 300

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
    args = (task_id, url, method, params or {}, headers or {}, payload or "", userid, _site(url))
    transaction.get().addAfterCommitHook(_enqueue, args=(queue, delay, *args))
    return task_id


def add_once(url: str, delay: float = 0) -> None:
    """Queue a request of which one is enough as ``add`` does, unless one waits (``queue.ALONE``)."""
    transaction.get().addAfterCommitHook(_enqueue_once, args=(url, delay))


def _enqueue_once(committed, url, delay):
    try:
        queue = queues.get_queue()
        if committed and lease.acquire(queue.huey.storage, queues.waits(url), WAITS_FOR) is not None:
            queue.submit(delay, None, url, "POST", {}, {}, "", None, url.rpartition("/@@")[0])
    except Exception:  # noqa: BLE001 - whatever the queue's client raises
        logger.exception("%s could not be queued; it is tried again in a minute", url)


def _site(url):
    """Return the path of the current site if ``url`` is below it; else what ``url`` is a view of."""
    path = "/".join(getSite().getPhysicalPath()) if getSite() is not None else ""
    return path if path and url.startswith(f"{path}/") else url.rpartition("/@@")[0]


def _enqueue(committed, queue, delay, *args):
    if not committed:
        return
    try:
        queues.get_queue(queue).submit(delay, *args)
    except Exception:  # noqa: BLE001 - whatever the queue's client raises
        logger.exception(
            "task %s for %s could not be queued; the sweep will find its record", args[0], args[1]
        )
