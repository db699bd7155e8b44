"""Makes the metrics of a site: its messages by state, what waits, what is stopped, the queue and its workers."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.restapi.status.oldest import oldest_waiting
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.workers import processes
from imio.mailbridge.taskqueue.workers import unserved
from prometheus_client.core import GaugeMetricFamily
from zope.component.hooks import getSite
import logging
import time


logger = logging.getLogger(__name__)


def families():
    """Return the metrics. A queue that cannot be reached is ``mailbridge_queue_up 0``, and what it would tell is missing."""
    made = [*_stores()]
    try:
        made += [*_queues(), *_workers()]
        is_up = True
    except Exception as error:  # noqa: BLE001 - the queue's client raises many kinds
        logger.warning("the metrics lack the queue: %s", error)
        made, is_up = [*_stores()], False
    return [*made, _gauge("queue_up", "Whether the queue can be reached.", {(): int(is_up)})]


def _stores():
    box = outbox()
    yield _gauge(
        "outbox_messages", "Outgoing messages that are stored, by state.", _by(box.counts()), "state"
    )
    yield _gauge(
        "inbox_messages", "Incoming messages that are stored, by state.", _by(inbox().counts()), "state"
    )
    oldest = oldest_waiting()
    age = time.time() - oldest.timestamp() if oldest else 0
    yield _gauge("oldest_waiting_seconds", "Age of the oldest message that waits, or 0.", {(): max(age, 0)})
    held = dict.fromkeys(((name,) for name in box.holds), 1)
    yield _gauge("account_held", "SMTP accounts that are stopped.", held, "account")
    troubled = dict.fromkeys(((name,) for name in box.troubles), 1)
    yield _gauge("account_troubled", "SMTP accounts that do not get through.", troubled, "account")


def _queues():
    site = "/".join(getSite().getPhysicalPath())
    hueys = {name: queues.get_queue(name).huey for name in queues.WORKERS}
    waiting = {(name,): huey.pending_count() for name, huey in hueys.items()}
    yield _gauge("queue_tasks", "Tasks that wait, of all sites.", waiting, "queue")
    scheduled = {(name,): huey.scheduled_count() for name, huey in hueys.items()}
    yield _gauge("queue_scheduled_tasks", "Tasks that wait for a time, of all sites.", scheduled, "queue")
    of_site = {(name,): huey.waiting(site) for name, huey in hueys.items()}
    yield _gauge("queue_site_tasks", "Tasks of this site that wait, about.", of_site, "queue")


def _workers():
    found = processes()
    without = unserved(found)
    served = {(name,): int(name not in without) for name in queues.WORKERS}
    yield _gauge("queue_served", "Whether a worker lives that takes the tasks.", served, "queue")
    alive = {(each.name, each.kind): int(each.is_alive) for each in found}
    yield _gauge("worker_alive", "Whether a process works.", alive, "worker", "kind")
    seen = {(each.name, each.kind): each.seen for each in found}
    yield _gauge("worker_last_seen_timestamp_seconds", "When it said so last.", seen, "worker", "kind")


def _by(counts):
    return {(state,): count for state, count in counts.items()}


def _gauge(name, text, values, *labels):
    gauge = GaugeMetricFamily(f"mailbridge_{name}", text, labels=labels)
    for key, value in sorted(values.items()):
        gauge.add_metric(key, value)
    return gauge
