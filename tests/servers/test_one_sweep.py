"""One sweep of all sites runs a minute, whatever number of processes have a worker, also after one of them was killed."""

from huey.consumer import Scheduler
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.worker import EmbeddedConsumer
from itertools import pairwise
from tests.servers.queues import KINDS
from tests.servers.queues import queue_url
from tests.servers.waiting import wait_for
import os
import pytest
import signal
import time


PERIOD = 2  # seconds; 50 where it runs


def worker(url, notes):
    """Be a worker process whose sweeps write a line (when, who) and whose scheduler asks for one each second."""
    Scheduler.periodic_task_seconds = 1
    queues.ONE_SWEEP = PERIOD

    def publish(*_args):
        with open(notes, "a") as stream:
            stream.write(f"{time.time()} {os.getpid()}\n")

    queues.publish = publish
    queues.beat = lambda: None
    consumer = EmbeddedConsumer(queues.connect(url, b"key").huey, workers=2, max_delay=0.1)
    consumer.start()
    consumer.scheduler.join()


@pytest.mark.parametrize("kind", KINDS)
def test_one_sweep_a_period_of_two_processes_also_after_one_is_killed(kind, tmp_path):
    notes = tmp_path / "sweeps"
    notes.touch()
    with queue_url(kind, tmp_path) as url:
        queues.connect(url, b"key").huey.storage.close()
        children = []
        for _ in range(2):
            children.append(os.fork())
            if not children[-1]:
                try:
                    worker(url, notes)
                finally:
                    os._exit(1)

        def swept():
            return [line.split() for line in notes.read_text().splitlines()]

        try:
            wait_for(lambda: len(swept()) >= 2)
            victim = int(swept()[-1][1])
            os.kill(victim, signal.SIGKILL)
            seen = len(swept())
            wait_for(lambda: len(swept()) >= seen + 2)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    times = [float(at) for at, _pid in swept()]
    assert all(later - earlier >= PERIOD - 0.5 for earlier, later in pairwise(times)), times
