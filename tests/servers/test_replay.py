"""A signed task runs once, in its own queue, and not when it is old: whoever puts a copy back gains nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from huey import crontab
from huey.consumer import Scheduler
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import replay
from imio.mailbridge.taskqueue.serializer import UntrustedTask
from tests.servers.redis import redis_server
import logging
import pytest
import threading


@pytest.fixture(params=["sqlite", "redis"])
def connect(request, tmp_path, monkeypatch):
    """``connect(name)`` is another connection to a queue whose tasks note their first argument in ``connect.ran``."""
    ran = []
    monkeypatch.setattr(queues, "publish", lambda *args: ran.append(args[0]))

    def connection(name=queues.NAME):
        return queues.connect(url, b"key", name)

    connection.ran = ran
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/queue.sqlite"
        yield connection
    else:
        with redis_server(tmp_path) as url:
            yield connection


def submit(queue, id, delay=0):
    """Queue a task; return its bytes, as somebody who reads the store sees them."""
    queue.submit(delay, id, "/x", "GET", {}, {}, "", None)
    (data,) = queue.huey.storage.enqueued_items()
    return bytes(data)


def work(queue):
    """Do what a worker does until nothing is left."""
    while queue.huey.pending_count():
        queue.huey.execute(queue.huey.dequeue())


def schedule(queue):
    """Do what the scheduler of a worker does, once."""
    Scheduler(queue.huey, threading.Event(), 1, periodic=False).loop()


def warnings(caplog):
    """Return the lines of the log that an operator sees; there is no traceback among them."""
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not any(record.exc_info for record in lines)
    return [record.getMessage() for record in lines]


def test_copy_that_is_put_back_does_nothing(connect, caplog):
    queue = connect()
    copy = submit(queue, "once")
    work(queue)
    assert connect.ran == ["once"]
    assert warnings(caplog) == []
    queue.huey.storage.enqueue(copy)
    work(connect())
    assert connect.ran == ["once"]
    (line,) = warnings(caplog)
    assert "cancelled by ran-before" in line
    submit(queue, "new")
    work(queue)
    assert connect.ran == ["once", "new"]


def test_copies_beside_the_original_run_once_whoever_comes_first(connect):
    queue = connect()
    copy = submit(queue, "once")
    for _ in range(15):
        queue.huey.storage.enqueue(copy)
    start = threading.Barrier(8)

    def worker(_number):
        mine = connect()
        start.wait()
        for _ in range(2):
            mine.huey.execute(mine.huey.dequeue())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(worker, range(8)))
    assert queue.huey.pending_count() == 0
    assert connect.ran == ["once"]


def test_copy_on_the_schedule_does_nothing(connect, caplog):
    queue = connect()
    copy = submit(queue, "once")
    work(queue)
    queue.huey.storage.add_to_schedule(copy, replay.now() - timedelta(days=300))
    schedule(queue)
    assert queue.huey.pending_count() == 1
    work(queue)
    assert connect.ran == ["once"]
    assert len(warnings(caplog)) == 1


def test_delayed_task_runs_once_after_its_time(connect):
    queue = connect()
    copy = submit(queue, "later", delay=0.01)
    task = queue.huey.dequeue()
    assert task.expires_resolved - task.eta == replay.MAX_AGE
    queue.huey.add_schedule(task)
    scheduled = bytes(queue.huey.storage.scheduled_items()[0])
    while not queue.huey.pending_count():
        schedule(queue)
    work(queue)
    assert connect.ran == ["later"]
    for again in (copy, scheduled):
        queue.huey.storage.enqueue(again)
        queue.huey.storage.add_to_schedule(again, replay.now() - timedelta(days=300))
    schedule(queue)
    work(queue)
    assert connect.ran == ["later"]


def test_old_task_does_nothing_and_the_scheduler_makes_it_no_younger(connect, caplog, monkeypatch):
    queue = connect()
    with monkeypatch.context() as patch:
        patch.setattr(replay, "MAX_AGE", timedelta(seconds=-1))
        copy = submit(queue, "old")
    work(queue)
    queue.huey.storage.add_to_schedule(copy, replay.now() - timedelta(days=300))
    schedule(queue)
    work(queue)
    assert connect.ran == []
    assert ["is too old" in line for line in warnings(caplog)] == [True, True]


def test_what_ran_is_forgotten_once_its_copies_are_too_old(connect):
    queue = connect()
    queue.huey.put("heartbeat", 1.5)
    submit(queue, "young")
    work(queue)
    for name, age in (("old", replay.SKEW * 2), ("maybe old for another clock", replay.SKEW / 2)):
        queue.huey.storage.put_if_empty(replay.KEY + name, (replay.now() - age).isoformat().encode())
    assert queue.huey.result_count() == 4
    (forget,) = [
        task for task in queue.huey.read_periodic(replay.now().replace(minute=7)) if task.name == "forget"
    ]
    queue.huey.enqueue(forget)
    work(queue)
    assert not queue.huey.storage.has_data_for_key(replay.KEY + "old")
    assert queue.huey.get("heartbeat", peek=True) == 1.5
    assert queue.huey.result_count() == 4, "the task that forgot is remembered"


def test_task_of_one_queue_means_nothing_in_another(connect):
    copy = submit(connect(queues.NETWORK), "network")
    queue = connect()
    queue.huey.storage.enqueue(copy)
    with pytest.raises(UntrustedTask):
        queue.huey.dequeue()
    assert queue.huey.pending_count() == 0
    work(connect(queues.NETWORK))
    assert connect.ran == ["network"]


def test_what_cannot_be_remembered_does_not_run(connect, monkeypatch):
    queue = connect()
    submit(queue, "unsure")
    monkeypatch.setattr(queue.huey.storage, "put_if_empty", lambda *_: 1 / 0)
    work(queue)
    assert connect.ran == []


def test_periodic_tasks_run_each_time(connect):
    queue = connect()
    task = queue.huey.periodic_task(crontab(minute="*"), name="tick")(lambda: connect.ran.append("tick"))
    for _ in range(2):
        queue.huey.enqueue(task.task_class())
        work(queue)
    assert connect.ran == ["tick", "tick"]
