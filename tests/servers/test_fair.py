"""Sites take turns: what one of them has queued delays the task of another by a few tasks, whatever stores the queue."""

from collections import Counter
from datetime import timedelta
from huey.consumer import Scheduler
from imio.mailbridge.taskqueue import fair
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.replay import now
from imio.mailbridge.taskqueue.worker import EmbeddedConsumer
from tests.servers.queues import KINDS
from tests.servers.queues import queue_url
from tests.servers.waiting import wait_for
import contextlib
import pytest
import threading


MANY = 10_000
THREADS = 2


@pytest.fixture(params=KINDS)
def queue(request, tmp_path, monkeypatch):
    """A queue whose tasks note their ids in ``ran``."""
    ran = []
    monkeypatch.setattr(queues, "publish", lambda *args: ran.append(args[0]))
    with queue_url(request.param, tmp_path) as url:
        queue = queues.connect(url, b"key", queues.FILING)
        queue.huey.ran = ran
        yield queue


def submit(queue, site, id, delay=0, view="@@process"):
    queue.submit(delay, id, f"/{site}/{view}", "POST", {}, {}, "", None, f"/{site}")


def fill(queue, site, count):
    """Queue tasks of a site."""
    for number in range(count):
        submit(queue, site, f"{site}{number}")


def work(queue, count=None, at=None):
    """Do what a worker does at the time ``at``, ``count`` times or until nothing is left."""
    done = 0
    while queue.huey.pending_count() and done != count:
        queue.huey.execute(queue.huey.dequeue(), at)
        done += 1


@contextlib.contextmanager
def workers(queue, threads=THREADS):
    """Run a real consumer."""
    consumer = EmbeddedConsumer(queue.huey, workers=threads, max_delay=0.1, shutdown_timeout=30)
    consumer.start()
    try:
        yield
    finally:
        consumer.stop(graceful=True)


def test_one_task_of_another_site_comes_next(queue):
    fill(queue, "a", 50)
    work(queue, 5)
    submit(queue, "b", "b0")
    work(queue, 2)
    assert queue.huey.ran[5:] == ["a5", "b0"]


def test_sites_take_turns_and_each_keeps_its_order(queue):
    for site in "abc":
        fill(queue, site, 4)
    work(queue)
    assert queue.huey.ran == [f"{site}{number}" for number in range(4) for site in "abc"]


def test_site_that_comes_later_has_saved_no_turns_and_owes_none(queue):
    fill(queue, "b", 30)
    work(queue)
    fill(queue, "a", 6)
    fill(queue, "b", 2)
    work(queue)
    assert queue.huey.ran[30:] == ["a0", "b0", "a1", "b1", "a2", "a3", "a4", "a5"]


def test_tasks_that_wait_for_a_time_take_their_turn_then(queue):
    for number in range(5):
        submit(queue, "a", f"late{number}", delay=60)
    work(queue)
    assert queue.huey.ran == [], "they are on the schedule"
    fill(queue, "a", 3)
    fill(queue, "b", 3)
    later = now() + timedelta(seconds=70)
    Scheduler(queue.huey, threading.Event(), 1, periodic=False).loop(later)
    submit(queue, "b", "b3")
    work(queue, at=later)
    assert queue.huey.ran[:8] == ["a0", "b0", "a1", "b1", "a2", "b2", "late0", "b3"]


def test_counter_knows_how_many_wait(queue):
    fill(queue, "a", 3)
    submit(queue, "a", "late", delay=60)
    assert queue.huey.waiting("/a") == 4
    work(queue)
    assert queue.huey.waiting("/a") == 0
    assert queue.huey.waiting("/b") == 0


def test_lost_counters_lose_no_task(queue):
    fill(queue, "a", 3)
    queue.huey.storage.flush_counters()
    submit(queue, "a", "after")
    work(queue)
    submit(queue, "b", "b0")
    work(queue)
    assert sorted(queue.huey.ran) == ["a0", "a1", "a2", "after", "b0"]


def test_workers_reach_the_task_of_b_soon_after_it_is_queued_behind_10_000_of_a(queue):
    fill(queue, "a", MANY)
    with workers(queue):
        wait_for(lambda: len(queue.huey.ran) > 20)
        submit(queue, "b", "b0")
        ran_before = len(queue.huey.ran)
        wait_for(lambda: "b0" in queue.huey.ran)
    between = queue.huey.ran[ran_before : queue.huey.ran.index("b0")]
    assert len(between) <= 2 * THREADS + 2


def test_busy_site_leaves_a_thread_to_the_others(queue, monkeypatch):
    """Two tasks of A never end: with a limit of two a third thread runs B's, and no other of A."""
    hang, begun = threading.Event(), []

    def publish(id, *_args):
        begun.append(id)
        if id.startswith("a"):
            hang.wait(120)

    monkeypatch.setattr(queues, "publish", publish)
    monkeypatch.setattr(fair, "PAUSE", 0.01)
    huey = queue.huey
    huey._limit = 2
    fill(queue, "a", 20)
    with workers(queue, 3):
        wait_for(lambda: len(begun) == 2)
        for number in range(3):
            submit(queue, "b", f"b{number}")
        wait_for(lambda: len(begun) == 5)
        assert begun[2:] == ["b0", "b1", "b2"]
        hang.set()
        wait_for(lambda: len(begun) == 23)
    assert Counter(begun) == Counter([f"a{number}" for number in range(20)] + ["b0", "b1", "b2"])


def test_one_sweep_of_a_site_runs_at_a_time(queue, monkeypatch):
    hang, begun, ended = threading.Event(), [], []

    def publish(_id, url, *_args):
        begun.append(url)
        if url == "/a/@@mailbridge-sweep-outbox":
            hang.wait(120)
        ended.append(url)

    monkeypatch.setattr(queues, "publish", publish)
    submit(queue, "a", None, view="@@mailbridge-sweep-outbox")
    with workers(queue, 2):
        wait_for(lambda: begun)
        for site, view in (("a", "outbox"), ("a", "outbox"), ("a", "inbox"), ("b", "outbox")):
            submit(queue, site, None, view=f"@@mailbridge-sweep-{view}")
        wait_for(lambda: len(ended) == 2)
        wait_for(lambda: not queue.huey.pending_count())
        hang.set()
    assert Counter(ended) == Counter(
        ["/a/@@mailbridge-sweep-outbox", "/a/@@mailbridge-sweep-inbox", "/b/@@mailbridge-sweep-outbox"]
    )
    submit(queue, "a", None, view="@@mailbridge-sweep-outbox")
    work(queue)
    assert len(ended) == 4, "the lease was released"


def test_sweep_that_outlives_its_lease_has_another_beside_it(queue, monkeypatch):
    """The records have leases of their own: tests/acceptance/test_several_processes."""
    hang, begun = threading.Event(), []
    monkeypatch.setattr(queues, "ALONE_FOR", -1)
    monkeypatch.setattr(queues, "publish", lambda _id, url, *_args: begun.append(url) or hang.wait(120))
    with workers(queue, 2):
        for number in (1, 2):
            submit(queue, "a", None, view="@@mailbridge-sweep-outbox")
            wait_for(lambda number=number: len(begun) == number)
        hang.set()
