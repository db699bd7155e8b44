"""Asks the parts that an instance needs, in a thread: whoever wants to know waits for seconds at most, whatever hangs."""

from collections.abc import Callable
from concurrent.futures import Future
from imio.mailbridge.taskqueue.queue import get_queue
from imio.mailbridge.taskqueue.sweep import sites
from typing import Any
import logging
import threading
import time


#: Seconds that all parts together have to answer.
PATIENCE = 2
#: Seconds after which a question that hangs is given up, and asked anew: what it waits for may never come.
GIVEN_UP = 60

logger = logging.getLogger(__name__)


def _database(db: Any) -> None:
    """Read from the server itself: the present state of an object may come from a cache, a state by its number does not."""
    with db.transaction() as connection:
        root = connection.root()
        root.keys()
        connection.oldstate(root, root._p_serial)


def _site(db: Any) -> None:
    with db.transaction() as connection:
        if next(sites(connection.root()["Application"]), None) is None:
            raise LookupError("no site has the bridge installed")


def _queue(_db: Any) -> None:
    get_queue().huey.get("ready", peek=True)


#: What a person is told is missing → what raises then; in this order.
PARTS: dict[str, Callable[[Any], None]] = {"database": _database, "site": _site, "queue": _queue}


class Question:
    """Asks all parts, once; ``part`` is the one that is asked now, ``why`` what is wrong with it."""

    def __init__(self, db: Any):
        self.part = ""
        self.why = f"no answer within {PATIENCE} s"
        self.asked = time.monotonic()
        self._missing: Future[str] = Future()
        threading.Thread(target=self._ask, args=(db,), daemon=True, name="mailbridge-ready").start()

    def _ask(self, db: Any) -> None:
        for self.part, ask in PARTS.items():
            try:
                ask(db)
            except Exception as error:  # noqa: BLE001 - whatever the client of the part raises
                self.why = f"{type(error).__name__}: {error}"
                self._missing.set_result(self.part)
                return
        self._missing.set_result("")

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return not self._missing.done() and time.monotonic() - self.asked < GIVEN_UP

    def missing(self) -> str:
        """Return the first part that is missing or does not answer in time, or ``""``."""
        try:
            return self._missing.result(PATIENCE)
        except TimeoutError:
            return self.part


_lock = threading.Lock()
_question: Question | None = None
_last = ""


def missing(db: Any) -> str:
    """Return the first part that this instance lacks (a key of ``PARTS``), or ``""``; ``db`` is its ``ZODB.DB``.

    Whoever asks while a question is open gets the answer to that one: a part that hangs holds one thread. A change is logged.
    """
    global _question, _last
    with _lock:
        if _question is None or not _question.is_open:
            _question = Question(db)
        question = _question
    part = question.missing()
    with _lock:
        is_new, _last = part != _last, part
    if is_new and part:
        logger.warning("not ready: %s: %s", part, question.why)
    elif is_new:
        logger.warning("ready again")
    return part
