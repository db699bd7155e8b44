"""Processes that share a queue work in turn; none waits for ever, and none is stopped by a queue that fails."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import turn as turns
from imio.mailbridge.taskqueue.turn import Turn
from tests.servers.queues import KINDS
from tests.servers.queues import queue_url
from tests.servers.waiting import TIMEOUT
from zope.component.hooks import setSite
import pytest
import threading
import time


class Town:
    """A site as far as a turn knows it."""

    def __init__(self, name):
        self.name = name

    def getPhysicalPath(self):
        return ("", self.name)

    def getSiteManager(self):
        return None


@pytest.fixture
def town():
    """The current site of this thread."""
    setSite(Town("iadocs"))
    yield
    setSite(None)


@pytest.fixture(params=[kind for kind in KINDS if kind != "sqlite"])
def queue(request, tmp_path, monkeypatch, town):
    """The queue of all that ask; the storage that holds the leases."""
    with queue_url(request.param, tmp_path) as url:
        monkeypatch.setenv(queues.URL, url)
        monkeypatch.setenv(queues.KEY, "key")
        queues.get_queue.cache_clear()
        yield queues.get_queue().huey.storage
        queues.get_queue.cache_clear()


def holders(*entered):
    """Run each of these turns in a thread of its own, some times over; return how many were at work at once, at most."""
    at_work, most, lock = 0, 0, threading.Lock()

    def work(turn):
        nonlocal at_work, most
        setSite(Town("iadocs"))
        for _count in range(5):
            with turn:
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                time.sleep(0.01)
                with lock:
                    at_work -= 1

    with ThreadPoolExecutor(len(entered)) as pool:
        list(pool.map(work, entered))
    return most


def test_threads_of_several_processes_work_one_after_the_other(queue):
    one, two = Turn("filing"), Turn("filing")  # as two processes have them
    assert holders(one, one, two, two) == 1


def test_sites_do_not_wait_for_each_other(queue):
    with Turn("filing"):
        setSite(Town("another"))
        with Turn("filing"):
            held = [lease.acquire(queue, f"filing:/{name}", 1) for name in ("iadocs", "another")]
    assert held == [None, None]


def test_a_turn_ends_with_an_error(queue):
    turn = Turn("filing")
    with pytest.raises(ZeroDivisionError), turn:
        1 / 0  # noqa: B018
    assert lease.acquire(queue, "filing:/iadocs", 1)
    assert holders(turn, turn) == 1


def test_the_turn_of_a_process_that_died_ends_by_itself(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 60)
    assert lease.acquire(queue, "filing:/iadocs", 0.2)
    with Turn("filing"):
        assert lease.acquire(queue, "filing:/iadocs", 1) is None


def test_who_waits_for_long_works_beside_and_ends_no_other_turn(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    assert lease.acquire(queue, "filing:/iadocs", 60)
    with Turn("filing"):
        pass
    assert lease.acquire(queue, "filing:/iadocs", 1) is None


def test_without_its_queue_a_process_takes_turns_among_its_threads(monkeypatch, town, caplog):
    monkeypatch.setenv(queues.URL, "redis://127.0.0.1:1/0")
    monkeypatch.setenv(queues.KEY, "key")
    queues.get_queue.cache_clear()
    turn = Turn("filing")
    assert holders(turn, turn) == 1
    assert "no turn for filing" in caplog.text
    queues.get_queue.cache_clear()


def test_a_queue_of_one_process_holds_no_lease(monkeypatch, tmp_path, town):
    monkeypatch.setenv(queues.URL, f"sqlite:///{tmp_path}/queue.sqlite")
    queues.get_queue.cache_clear()
    with Turn("filing"):
        assert lease.acquire(queues.get_queue().huey.storage, "filing:/iadocs", 1)
    queues.get_queue.cache_clear()


def test_a_thread_that_hangs_in_its_turn_holds_up_nobody_for_ever(monkeypatch, town, tmp_path):
    monkeypatch.setenv(queues.URL, f"sqlite:///{tmp_path}/queue.sqlite")
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    turn, begun, end = Turn("filing"), threading.Event(), threading.Event()

    def hang():
        with turn:
            begun.set()
            end.wait(TIMEOUT)

    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(hang)
        assert begun.wait(TIMEOUT)
        with turn:
            assert not hanging.done()
        end.set()
        hanging.result()
