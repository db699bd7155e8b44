"""Who waits is served with others, processes work in turn; none waits for ever, and none is stopped by a queue that fails."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import turn as turns
from imio.mailbridge.taskqueue.turn import Turn
from tests.servers.queues import KINDS
from tests.servers.queues import queue_url
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
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


@pytest.fixture
def sqlite(monkeypatch, tmp_path, town):
    """A queue of one process."""
    monkeypatch.setenv(queues.URL, f"sqlite:///{tmp_path}/queue.sqlite")
    queues.get_queue.cache_clear()
    yield queues.get_queue().huey.storage
    queues.get_queue.cache_clear()


class Work:
    """Does jobs, each with itself as its outcome; ``done`` lists what was done at once, ``most`` is how many were at work."""

    def __init__(self):
        self.done, self.most, self._at_work, self._lock = [], 0, 0, threading.Lock()

    def __call__(self, jobs):
        with self._lock:
            self._at_work += 1
            self.most = max(self.most, self._at_work)
            self.done.append(sorted(jobs))
        time.sleep(0.01)
        with self._lock:
            self._at_work -= 1
        return jobs


@pytest.fixture
def work():
    return Work()


def turn_of(work, most=1):
    return Turn("filing", work, most)


def do(turn, job, group="group"):
    """Have a job done by a thread of its own, which is returned running; ``result()`` is its outcome."""

    def run():
        setSite(Town("iadocs"))
        return turn.done(group, job)

    pool = ThreadPoolExecutor(1)
    running = pool.submit(run)
    pool.shutdown(wait=False)
    return running


class Blocked:
    """Work that goes on when it is told to: ``begun`` is set, it waits for ``end``."""

    def __init__(self, work):
        self.begun, self.end, self._work = threading.Event(), threading.Event(), work

    def __call__(self, jobs):
        self.begun.set()
        assert self.end.wait(TIMEOUT)
        return self._work(jobs)


def is_waiting(turn, count):
    return lambda: len(turn._waiting) == count


def test_threads_of_several_processes_work_one_after_the_other(queue, work):
    turns = turn_of(work), turn_of(work)  # as two processes have them
    running = [do(turns[number % 2], number) for number in range(20)]
    assert [each.result(TIMEOUT) for each in running] == list(range(20))
    assert work.most == 1
    assert sorted(work.done) == [[number] for number in range(20)]


def test_sites_do_not_wait_for_each_other(queue):
    held = []

    def inner(jobs):
        held.extend(lease.acquire(queue, f"filing:/{name}", 1) for name in ("iadocs", "another"))
        return jobs

    def outer(jobs):
        setSite(Town("another"))
        turn_of(inner).done("another", 1)
        return jobs

    turn_of(outer).done("group", 1)
    assert held == [None, None]


def test_a_turn_ends_with_an_error(queue, work):
    turn = turn_of(lambda jobs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        turn.done("group", 1)
    assert lease.acquire(queue, "filing:/iadocs", 1)
    with pytest.raises(ZeroDivisionError):
        turn.done("group", 1)


def test_the_turn_of_a_process_that_died_ends_by_itself(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 60)
    assert lease.acquire(queue, "filing:/iadocs", 0.2)
    assert turn_of(lambda jobs: [lease.acquire(queue, "filing:/iadocs", 1)]).done("group", 1) is None


def test_who_waits_for_long_works_beside_and_ends_no_other_turn(queue, work, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    assert lease.acquire(queue, "filing:/iadocs", 60)
    assert turn_of(work).done("group", 1) == 1
    assert lease.acquire(queue, "filing:/iadocs", 1) is None


def test_without_its_queue_a_process_takes_turns_among_its_threads(monkeypatch, town, work, caplog):
    monkeypatch.setenv(queues.URL, "redis://127.0.0.1:1/0")
    monkeypatch.setenv(queues.KEY, "key")
    queues.get_queue.cache_clear()
    turn = turn_of(work)
    running = [do(turn, number) for number in range(4)]
    assert [each.result(TIMEOUT) for each in running] == list(range(4))
    assert work.most == 1
    assert "no turn for filing" in caplog.text
    queues.get_queue.cache_clear()


def test_a_queue_of_one_process_holds_no_lease(sqlite):
    assert turn_of(lambda jobs: [lease.acquire(sqlite, "filing:/iadocs", 1)]).done("group", 1)


def test_what_waits_is_done_together(sqlite, work):
    blocked = Blocked(work)
    turn = turn_of(blocked, most=3)
    running = [do(turn, 0)]
    assert blocked.begun.wait(TIMEOUT)
    running += [do(turn, number) for number in (1, 2, 3, 4)] + [do(turn, 5, "another group")]
    wait_for(is_waiting(turn, 5))
    blocked.end.set()
    assert [each.result(TIMEOUT) for each in running] == list(range(6))
    assert work.most == 1
    assert sorted(map(len, work.done)) == [1, 1, 1, 3]
    assert [5] in work.done


def test_each_job_has_an_outcome_of_its_own(sqlite):
    blocked = Blocked(lambda jobs: [ValueError(job) if job == 2 else -job for job in jobs])
    turn = turn_of(blocked, most=8)
    first = do(turn, 9)
    assert blocked.begun.wait(TIMEOUT)
    running = [do(turn, number) for number in (1, 2, 3)]
    wait_for(is_waiting(turn, 3))
    blocked.end.set()
    assert (first.result(TIMEOUT), running[0].result(TIMEOUT), running[2].result(TIMEOUT)) == (-9, -1, -3)
    assert isinstance(running[1].exception(TIMEOUT), ValueError)


def test_an_error_of_the_work_is_the_outcome_of_all(sqlite):
    blocked = Blocked(lambda jobs: 1 / 0)
    turn = turn_of(blocked, most=8)
    first = do(turn, 0)
    assert blocked.begun.wait(TIMEOUT)
    running = [first, do(turn, 1), do(turn, 2)]
    wait_for(is_waiting(turn, 2))
    blocked.end.set()
    assert {type(each.exception(TIMEOUT)) for each in running} == {ZeroDivisionError}


def test_who_begins_waits_for_those_that_are_coming(sqlite, work, monkeypatch):
    monkeypatch.setattr(turns, "GATHERING", TIMEOUT)
    turn = turn_of(work, most=8)
    with turn.coming("group"):
        other = do(turn, 1)
        wait_for(is_waiting(turn, 1))
        assert turn.done("group", 2) == 2
    assert other.result(TIMEOUT) == 1
    assert work.done == [[1, 2]]


@pytest.mark.parametrize("group", ["group", "another group"])
def test_who_does_not_come_holds_up_nobody(sqlite, work, monkeypatch, group):
    monkeypatch.setattr(turns, "GATHERING", 0.1 if group == "group" else TIMEOUT)
    turn = turn_of(work, most=8)
    with turn.coming(group):
        assert do(turn, 1).result(TIMEOUT) == 1
    monkeypatch.setattr(turns, "GATHERING", TIMEOUT)
    assert do(turn, 2).result(TIMEOUT) == 2


def test_a_thread_that_hangs_in_its_turn_holds_up_nobody_for_ever(sqlite, work, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    blocked = Blocked(work)
    turn = turn_of(lambda jobs: blocked(jobs) if 1 in jobs else work(jobs), most=8)
    hanging = do(turn, 1)
    assert blocked.begun.wait(TIMEOUT)
    assert turn.done("group", 2) == 2
    assert not hanging.done()
    blocked.end.set()
    assert hanging.result(TIMEOUT) == 1


def test_who_hangs_with_the_job_of_another_tells_nobody_that_it_is_done(sqlite, work, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST", 0.1)
    blocked = Blocked(work)
    turn = turn_of(blocked, most=8)
    with turn.coming("group"):
        other = do(turn, 1)
        wait_for(is_waiting(turn, 1))
        mine = do(turn, 2)
        wait_for(is_waiting(turn, 2))
    assert blocked.begun.wait(TIMEOUT)
    assert isinstance(mine.exception(TIMEOUT), turns.NoOutcome)
    blocked.end.set()
    assert other.result(TIMEOUT) == 1
    assert work.done == [[1, 2]]
