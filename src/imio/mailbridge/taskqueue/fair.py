"""The order of the tasks of a queue: sites take turns, whatever one of them has queued.

::

    A queued 10,000, B then two:    A1 B1  A2 B2  A3  A4 …  A10000      the next task of A: 10,000
    turn                            0      1      2   3     9999        the next one of B: 2

The turn of a task is that of the task that comes next, and one more for each task of its site that waits. Its priority is its turn,
negated: of equal ones storages give out the one that came first. A task that waits for a time takes its turn when the time has
come. Nothing but the order depends on the counters of what waits: where they are lost, or count a task that a killed worker took,
order is less fair.
"""

from huey import Huey
from threading import get_ident
from threading import Lock
import time


WAITING = "waiting:"
#: Seconds that a thread waits before it looks again whether another site has a task for it.
PAUSE = 0.2
#: How many tasks of a busy site a thread steps over at once.
STEPS = 8


class FairHuey(Huey):
    """A huey whose sites take turns. ``site_of`` returns the site of a task.

    ``threads`` is how many a process has for it, ``limit`` how many of them one site may take. ``busy`` maps those that run a
    task to (site, since when by the monotonic clock). ``notes`` is a storage beside that of the queue, for what processes note of
    themselves.
    """

    def __init__(self, name, site_of, threads=1, limit=None, **options):
        super().__init__(name, **options)
        self._site_of, self._limit, self._lock = site_of, limit, Lock()
        self.threads, self.busy = threads, {}
        self.notes = self.storage_class(f"{name}-workers", **self.storage_kwargs)

    def enqueue(self, task):
        """Queue a task at the turn of its site."""
        ahead = self.storage.incr(WAITING + self._site_of(task)) - 1
        self._put(task, self._turn() + max(ahead, 0))

    def dequeue(self):
        """Return the next task, or None; one of a site that has its threads already lets the next one pass."""
        self.busy.pop(get_ident(), None)
        for _step in range(STEPS):
            task = super().dequeue()
            if task is None:
                return None
            site = self._site_of(task)
            with self._lock:
                is_free = self._limit is None or self._threads(site) < self._limit
                if is_free:
                    self.busy[get_ident()] = site, time.monotonic()
            if is_free:
                self.storage.incr(WAITING + site, -1)
                return task
            self._put(task, 1 - int(task.priority or 0))
        time.sleep(PAUSE)
        return None

    def waiting(self, site):
        """Return how many tasks of a site wait in the queue, about."""
        return max(self.storage.incr(WAITING + site, 0), 0)

    def _turn(self):
        """Return the turn of the next task; 0 when none waits."""
        return next((-int(task.priority or 0) for task in self.pending(1)), 0)

    def _put(self, task, turn):
        task.priority = -turn
        super().enqueue(task)

    def _threads(self, site):
        return sum(busy == site for busy, _since in self.busy.values())
