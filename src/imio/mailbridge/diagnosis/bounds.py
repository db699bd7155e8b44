"""Limits how long a diagnosis takes: each part has its seconds, and a server that never ends is cut off."""

from dataclasses import dataclass
import contextlib
import socket
import threading
import time


@dataclass(frozen=True)
class Limits:
    """Seconds: for all of it, for the name, for one address, for the SMTP dialogue and one answer of it, for IMAP, for DNS."""

    total: float = 110.0
    resolve: float = 10.0
    connect: float = 10.0
    smtp: float = 60.0
    answer: float = 20.0
    mailbox: float = 30.0
    poll: float = 2.0
    dns: float = 15.0


class Deadline:
    """The time after which nothing more is begun."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def within(self, seconds):
        """Return a deadline that is ``seconds`` away, or this one if it comes first."""
        return Deadline(min(seconds, self.left))

    @property
    def left(self):
        """Return the seconds that are left, never 0: as a timeout that would mean something else."""
        return max(self._end - time.monotonic(), 0.01)

    @property
    def passed(self):
        """Tell whether the time is over."""
        return time.monotonic() >= self._end


@contextlib.contextmanager
def cut_off(current, seconds):
    """Shut the socket that ``current()`` returns when the block takes longer, even if a byte comes now and then."""

    def end():
        with contextlib.suppress(OSError, AttributeError):
            current().shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
