"""Tells which processes work for the bridge, and whether each kind of task has one that lives."""

from dataclasses import dataclass
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.heartbeat import Beat
from imio.mailbridge.taskqueue.heartbeat import beats
import time


@dataclass(frozen=True)
class Process:
    """A process (``name``: ``host:pid``) and what it noted of each queue that it serves."""

    name: str
    queues: dict[str, Beat]

    @property
    def kind(self):
        """Return ``worker``, or ``instance`` for one with worker threads."""
        return next(iter(self.queues.values())).kind

    @property
    def since(self):
        """Return when it began, in seconds since the epoch."""
        return min(beat.since for beat in self.queues.values())

    @property
    def seen(self):
        """Return when it made its last note, in seconds since the epoch."""
        return max(beat.seen for beat in self.queues.values())

    @property
    def is_alive(self):
        """Tell whether each queue that it serves has a thread that can take a task, or will be able to."""
        return all(beat.is_alive(time.time()) for beat in self.queues.values())


def processes():
    """Return the ``Process`` of each that lives, or did within the last hour, by name; errors of the queue are raised."""
    found = {}
    for queue in queues.WORKERS:
        for name, beat in beats(queues.get_queue(queue).huey).items():
            found.setdefault(name, {})[queue] = beat
    return [Process(name, kinds) for name, kinds in sorted(found.items())]


def unserved(processes):
    """Return the names of the queues whose tasks nobody takes: no process lives that serves them."""
    at = time.time()
    served = {name for process in processes for name, beat in process.queues.items() if beat.is_alive(at)}
    return [name for name in queues.WORKERS if name not in served]
