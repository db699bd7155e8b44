"""Lets the threads and processes of a site do the same kind of work in turn, since who works beside others must often do it again.

::

    thread ──▶ one thread of the process ──▶ one process: lease in the queue ──▶ work ──▶ released
                                                                              ✝
    ✝ the next process waits until the lease ends, ``HELD_FOR`` at most

It saves work and protects nothing: who has waited for long, or cannot reach the queue, works beside the others, and the database
says who of them does it again. Who has just worked gets the next turn first in most cases; that is wanted, because what the work
reads is still in its memory.
"""

from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue import queue as queues
from types import TracebackType
from zope.component.hooks import getSite
import logging
import random
import threading
import time


#: Seconds after which a turn ends by itself, its process having died.
HELD_FOR = 10
#: Seconds that a thread or a process waits for its turn, and seconds between two looks.
PATIENCE, PAUSE = 5.0, 0.02

logger = logging.getLogger(__name__)


class Turn:
    """A context manager whose block is entered in turn; it does not nest.

    A SQLite queue is that of one process as a rule: its threads take turns, processes do not.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = threading.Lock()
        self._mine = threading.local()

    def __enter__(self) -> None:
        self._mine.turn = self._thread.acquire(timeout=PATIENCE)
        self._mine.lease = None
        if not self._mine.turn:
            logger.info("no turn for %s within %s s, it is done beside others", self._name, PATIENCE)
            return
        try:
            self._mine.lease = self._wait()
        except Exception as error:  # noqa: BLE001 - whatever the queue's client raises
            logger.warning("no turn for %s, it is done beside others: %s", self._name, error)
        except BaseException:
            self._thread.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._mine.lease is not None:
                lease.release(queues.get_queue().huey.storage, self._mine.lease)
        except Exception as failure:  # noqa: BLE001 - it ends by itself
            logger.warning("the turn for %s could not be ended: %s", self._name, failure)
        finally:
            if self._mine.turn:
                self._thread.release()

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
