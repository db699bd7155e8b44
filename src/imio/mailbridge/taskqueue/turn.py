"""Does jobs of one kind in turn, since what is done beside others must often be done again; jobs that wait are done together.

::

    coming ── job ──▶ waits for the thread at work ──▶ those that come are awaited ──▶ lease in the queue ──▶ all that wait: work
                                                  ✝1                                                                      ✝2
    ✝1 nobody took it for ``PATIENCE``: it is done alone, beside the others
    ✝2 the next process waits until the lease ends, ``HELD_FOR`` at most

It saves work and protects nothing: who has waited for long, or cannot reach the queue, works beside the others, and the database
says who of them does it again. The process that has just worked gets the next turn first in most cases; that is wanted, because
what the work reads is still in its memory.
"""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue import queue as queues
from itertools import islice
from transaction.interfaces import TransientError
from typing import Generic
from typing import TypeVar
from zope.component.hooks import getSite
import logging
import random
import threading
import time


#: Seconds after which a turn ends by itself, its process having died.
HELD_FOR = 10
#: Seconds that a thread or a process waits for its turn, and seconds between two looks.
PATIENCE, PAUSE = 5.0, 0.02
#: Seconds that who has the turn waits for jobs that are coming.
GATHERING = 0.2
#: Seconds that a job is waited for which another thread took.
LONGEST = 60.0

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

logger = logging.getLogger(__name__)


class NoOutcome(TransientError):
    """The thread that took a job has not ended it in time; whether it will is not known."""


@dataclass(eq=False)
class _Waiting(Generic[Job, Outcome]):
    group: Hashable
    job: Job
    outcome: Future[Outcome] = field(default_factory=Future)


class Turn(Generic[Job, Outcome]):
    """``work`` does jobs of one group, ``most`` at once, and returns the outcome of each: a value, or an exception.

    A SQLite queue is that of one process as a rule: its threads take turns, processes do not.
    """

    def __init__(self, name: str, work: Callable[[list[Job]], list[Outcome | Exception]], most: int) -> None:
        self._name, self._work, self._most = name, work, most
        self._one_at_work = threading.Lock()
        self._arrival = threading.Condition()
        self._coming: dict[int, Hashable] = {}
        self._waiting: list[_Waiting[Job, Outcome]] = []

    @contextmanager
    def coming(self, group: Hashable) -> Iterator[None]:
        """Say that this thread is about to have a job of ``group`` done, so that those of other threads wait for it a moment."""
        with self._arrival:
            self._coming[threading.get_ident()] = group
        try:
            yield
        finally:
            self._arrive()

    def done(self, group: Hashable, job: Job) -> Outcome:
        """Have ``job`` done, by this thread or another one; return its outcome, or raise it. Errors: ``NoOutcome`` too."""
        mine: _Waiting[Job, Outcome] = _Waiting(group, job)
        self._arrive(mine)
        if self._one_at_work.acquire(timeout=PATIENCE):
            try:
                if self._still_waits(mine):
                    with self._lease():
                        self._work_on(self._take(mine, self._most))
            finally:
                self._one_at_work.release()
        elif taken := self._take(mine, 1):
            logger.info("no turn for %s within %s s, it is done beside others", self._name, PATIENCE)
            self._work_on(taken)
        try:
            return mine.outcome.result(LONGEST)
        except TimeoutError:
            if mine.outcome.done():  # just now, or this is the outcome
                return mine.outcome.result()
            raise NoOutcome(f"{self._name} by another thread takes longer than {LONGEST} s") from None

    def _arrive(self, *waiting: _Waiting[Job, Outcome]) -> None:
        with self._arrival:
            self._coming.pop(threading.get_ident(), None)
            self._waiting.extend(waiting)
            self._arrival.notify_all()

    def _still_waits(self, mine: _Waiting[Job, Outcome]) -> bool:
        """Tell whether nobody took a job yet; then those of its group that are coming are here, or late."""
        with self._arrival:
            if mine not in self._waiting:
                return False
            self._arrival.wait_for(lambda: mine.group not in self._coming.values(), GATHERING)
            return True

    def _take(self, mine: _Waiting[Job, Outcome], most: int) -> list[_Waiting[Job, Outcome]]:
        """Take a job from those that wait, and others of its group; nothing where another thread took it."""
        with self._arrival:
            if mine not in self._waiting:
                return []
            others = (each for each in self._waiting if each.group == mine.group and each is not mine)
            taken = [mine, *islice(others, most - 1)]
            self._waiting = [each for each in self._waiting if each not in taken]
            return taken

    def _work_on(self, taken: list[_Waiting[Job, Outcome]]) -> None:
        try:
            outcomes = self._work([each.job for each in taken])
        except BaseException as error:
            for each in taken:
                each.outcome.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for each, outcome in zip(taken, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    each.outcome.set_exception(outcome)
                else:
                    each.outcome.set_result(outcome)

    @contextmanager
    def _lease(self) -> Iterator[None]:
        """Keep the other processes waiting, as far as the queue can be reached."""
        held = None
        try:
            held = self._wait()
        except Exception as error:  # noqa: BLE001 - whatever the queue's client raises
            logger.warning("no turn for %s, it is done beside others: %s", self._name, error)
        try:
            yield
        finally:
            try:
                if held is not None:
                    lease.release(queues.get_queue().huey.storage, held)
            except Exception as error:  # noqa: BLE001 - it ends by itself
                logger.warning("the turn for %s could not be ended: %s", self._name, error)

    def _wait(self) -> str | None:
        """Return the lease, or None to work without."""
        if queues.queue_url().startswith("sqlite:"):
            return None
        storage = queues.get_queue().huey.storage
        name = f"{self._name}:{'/'.join(getSite().getPhysicalPath())}"
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            held = lease.acquire(storage, name, HELD_FOR)
            if held is not None:
                return held
            time.sleep(random.uniform(0, 2 * PAUSE))  # noqa: S311 - not a secret
        return None
