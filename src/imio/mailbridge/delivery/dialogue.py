"""Speaks with the server about one message while the caller commits what it said of the one before."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from imio.mailbridge.delivery.send import read
from imio.mailbridge.logs import about
from threading import Event


class Dialogue:
    """A context manager: the dialogue runs in a thread of its own, the database is asked in that of the caller only.

    A message is ended (the final dot, after which the server may have taken it) when ``go_on`` was called since its ``begin``. It
    is never ended once the context is left, as by an error of the caller. ``prepare`` reads the next message while the server is
    busy with this one; it need not be begun.
    """

    def __init__(self, connection):
        self._connection = connection
        self._executor = ThreadPoolExecutor(1)
        self._replies = None
        self._prepared = None, None
        self._decided, self._may_end = Event(), False

    def prepare(self, claim):
        """Read a message that may be begun next."""
        self._prepared = claim, read(claim)

    def begin(self, claim):
        """Begin to send a message."""
        self._decided, self._may_end = Event(), False
        prepared, send = self._prepared
        send = send if prepared == claim else read(claim)
        self._prepared = None, None
        with about(record=claim.id):
            run = copy_context().run  # what the other thread logs says it too
        self._replies = self._executor.submit(run, send, self._connection, self._asked)

    def go_on(self):
        """Let the message that was begun be ended."""
        self._may_end = True
        self._decided.set()

    def end(self):
        """Return what ``send`` returns of the message that was begun; it waits for ``go_on``."""
        return self._replies.result()

    def _asked(self):
        self._decided.wait()
        return self._may_end

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._decided.set()
        self._executor.shutdown()
