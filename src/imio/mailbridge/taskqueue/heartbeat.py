"""Each process with worker threads notes that it lives; who reads it tells whether its threads do.

A process notes, for each queue it serves, since when it does and what each thread is at. The scheduler of the queue does it, a
thread beside those that work: a thread that hangs is told by the time that its task has taken.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from huey import consumer
from huey.consumer import Scheduler
import json
import logging
import os
import socket
import time


#: What this process is: an instance with worker threads, unless ``mailbridge-worker`` says ``worker``.
PROCESS = {"kind": "instance"}
#: Seconds between two notes of a process.
EVERY = 15
#: Seconds after its last note for which a process is taken to live.
ALIVE_FOR = 180
#: Seconds after which a thread hangs that has not come back from a task: longer than the deadline of an SMTP dialogue.
HANGS_AFTER = 30 * 60
#: Seconds after which a process that is gone is forgotten.
FORGOTTEN_AFTER = 3600

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beat:
    """What a process noted of one queue; times in seconds since the epoch. ``busy``: of each thread, seconds in its task, or 0."""

    kind: str
    since: float
    seen: float
    threads: int
    busy: tuple[float, ...]

    def is_alive(self, at):
        """Tell whether the process lives and a thread of the queue can take a task, or will be able to."""
        return at - self.seen < ALIVE_FOR and self.hanging < self.threads

    @property
    def hanging(self):
        """Return how many threads have not come back."""
        return sum(seconds > HANGS_AFTER for seconds in self.busy)


def process_name():
    """Return ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Beating(Scheduler):
    """A scheduler that notes what its process is at."""

    def initialize(self):
        """Begin with a note."""
        super().initialize()
        self._since, self._next = time.time(), 0.0

    def loop(self, now=None):
        """Do what a scheduler does each second, and make a note now and then."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            with _unreachable_queue():
                note(self.huey, self._since)
        super().loop(now)

    def shutdown(self):
        """Take the note back: the process ends in order."""
        with _unreachable_queue():
            self.huey.notes.delete_data(process_name())
        super().shutdown()


class Consumer(consumer.Consumer):
    """A consumer that notes that it lives."""

    scheduler_class = Beating


@contextmanager
def _unreachable_queue():
    """Go on where the queue cannot be reached: tasks need it more than notes do."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the queue's client raises many kinds
        logger.warning("what this worker does could not be noted: %s", error)


def note(huey, since):
    """Write that this process serves the queue of ``huey``, ``since`` a time in seconds since the epoch."""
    now = time.monotonic()
    beat = {
        **PROCESS,
        "since": since,
        "seen": time.time(),
        "threads": huey.threads,
        "busy": [round(now - begun, 1) for _site, begun in list(huey.busy.values())],
    }
    huey.notes.put_data(process_name(), json.dumps(beat).encode())


def beats(huey):
    """Return process name → ``Beat`` of those that serve the queue of ``huey``, and forget those that are gone."""
    found = {}
    for name, value in huey.notes.result_items().items():
        beat = _read(value)
        if beat is None or time.time() - beat.seen > FORGOTTEN_AFTER:
            huey.notes.delete_data(name)
        else:
            found[name] = beat
    return found


def _read(value):
    try:
        told = json.loads(bytes(value))
        times, busy = (float(told["since"]), float(told["seen"])), tuple(map(float, told["busy"]))
        return Beat(str(told["kind"]), *times, int(told["threads"]), busy)
    except (ValueError, KeyError, TypeError):
        return None
