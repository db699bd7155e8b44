"""Bounds how long a server may speak and how much it may say, for clients that trust its end of line or its length."""

from collections.abc import Callable
from typing import TypeVar
import math
import socket
import threading
import time


#: Bytes that are taken from the network at once.
CHUNK = 1 << 16

Result = TypeVar("Result")


class Endless(OSError):
    """A server went beyond a bound; the text says which. The connection is of no use any more."""


class BoundedReader:
    """Reads the answers on a socket as ``makefile("rb")`` does, within the bounds that ``begin`` sets.

    ``end``, a time of the monotonic clock, bounds all answers together. Errors: ``Endless``, from then on at every call; those of
    the socket. On a socket that does not block a line that is not whole yet stays for the next call, and no time counts.
    """

    def __init__(self, sock: socket.socket, end: float = math.inf) -> None:
        self.sock = sock
        self.end = end
        self._buffer = bytearray()
        self._broken = ""
        self.begin(math.inf, 0)

    def begin(self, seconds: float, limit: int) -> None:
        """Allow ``limit`` bytes within ``seconds`` from now on, one answer or several."""
        self._seconds, self._limit, self._left = seconds, limit, limit
        self._until = min(time.monotonic() + seconds, self.end)

    @property
    def has_more(self) -> bool:
        """Tell whether the server has said more than was read."""
        return bool(self._buffer)

    def readline(self, limit: int) -> bytes:
        """Return a line with its line feed, or nothing when the connection ends before it. Errors: also for a longer one."""
        searched = 0
        while (found := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched >= limit:
                self._break(f"the server sent a line of more than {limit} bytes")
            if not self._receive():
                return b""
        return self._take(found + 1)

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer when the connection ends before. Errors: also when they are too many, before any is read."""
        if size > self._left + len(self._buffer):
            self._break(f"the server announced {size} bytes, of at most {self._limit} in one answer")
        while len(self._buffer) < size and self._receive():
            pass
        return self._take(size)

    def close(self) -> None:
        """Forget what was not read; the socket is its owner's."""
        self._buffer.clear()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _receive(self) -> int:
        """Add what comes to the buffer; return how many bytes, 0 at the end of the connection."""
        if self._broken:
            raise Endless(self._broken)
        silence = self.sock.gettimeout()
        data = self.sock.recv(CHUNK) if silence == 0 else self._wait(silence)
        self._buffer += data
        self._left -= len(data)
        if self._left < 0:
            self._break(f"the server sent more than {self._limit} bytes in one answer")
        return len(data)

    def _wait(self, silence: float | None) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            self._break_off()
        if silence is not None and silence <= left:
            return self.sock.recv(CHUNK)
        self.sock.settimeout(left)
        try:
            return self.sock.recv(CHUNK)
        except TimeoutError:
            self._break_off()
            raise
        finally:
            self.sock.settimeout(silence)

    def _break_off(self) -> None:
        if self._until == self.end:
            self._break("the server took all the time that there is for one connection")
        self._break(f"the server did not end its answer within {self._seconds:.0f} seconds")

    def _break(self, why: str) -> None:
        self._broken = why
        self._buffer.clear()
        raise Endless(why)


def bounded(call: Callable[[], Result], seconds: float) -> Result:
    """Return what ``call`` returns. Errors: ``TimeoutError``, or its own. It may go on in its thread: nothing can end it."""
    outcome: list[tuple[Result, None] | tuple[None, Exception]] = []

    def run() -> None:
        try:
            outcome.append((call(), None))
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that asked
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError(f"no answer in {seconds:.0f} s")
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
