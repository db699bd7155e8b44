"""One process at a time: whoever is killed delays the next by the expiry, and nobody ends the lease of another."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue import queue as queues
from tests.servers.queues import KINDS
from tests.servers.queues import queue_url
import os
import pytest
import signal
import threading


@pytest.fixture(params=KINDS)
def connect(request, tmp_path):
    """``connect()`` is another connection to the same storage."""
    with queue_url(request.param, tmp_path) as url:
        yield lambda: queues.connect(url, b"key").huey.storage


@pytest.fixture
def clock(monkeypatch):
    """The time as leases see it; ``clock.at`` moves it."""

    class Clock:
        at = 1_000.0

    monkeypatch.setattr(lease.time, "time", lambda: Clock.at)
    return Clock


def test_one_holder_until_it_releases_or_expires(connect, clock):
    storage, other = connect(), connect()
    first = lease.acquire(storage, "sweep", 60)
    assert first
    assert lease.acquire(other, "sweep", 60) is None
    assert lease.acquire(other, "another", 60)
    lease.release(storage, first)
    assert lease.acquire(other, "sweep", 60)
    assert lease.acquire(storage, "sweep", 60) is None
    clock.at += 61
    assert lease.acquire(storage, "sweep", 60)


def test_holder_that_outlived_its_lease_ends_no_other(connect, clock):
    storage, other = connect(), connect()
    old = lease.acquire(storage, "sweep", 60)
    for _ in range(3):
        clock.at += 61
        assert lease.acquire(other, "sweep", 60)
        lease.release(storage, old)
        assert lease.acquire(storage, "sweep", 60) is None


def test_of_many_that_ask_at_once_one_gets_it(connect):
    start, storages = threading.Barrier(8), [connect() for _ in range(8)]

    def ask(storage):
        start.wait()
        return lease.acquire(storage, "sweep", 60)

    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            got = [each for each in pool.map(ask, storages) if each]
        assert len(got) == 1
        lease.release(storages[0], got[0])


def test_it_leaves_nothing_behind_however_often_it_is_taken(connect):
    storage = connect()
    for _ in range(20):
        with lease.held(storage, "sweep", 60) as is_mine:
            assert is_mine
    assert storage.result_store_size() <= 3


def test_process_that_is_killed_delays_the_next_by_the_expiry(connect, monkeypatch):
    child = os.fork()
    if not child:
        try:
            if lease.acquire(connect(), "sweep", 60):
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it had the lease"
    assert lease.acquire(connect(), "sweep", 60) is None
    at = float(bytes(connect().peek_data(f"{lease.KEY}sweep:1")))
    monkeypatch.setattr(lease.time, "time", lambda: at)
    assert lease.acquire(connect(), "sweep", 60)
