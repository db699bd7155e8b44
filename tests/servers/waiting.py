"""Ports that nobody else takes, and waiting for a condition."""

from functools import cache
from itertools import cycle
import socket
import time


TIMEOUT = 180  # seconds, after which what has not come never will; a machine under load needs some of them
PORTS = range(20_000, 32_000)  # below those that Linux gives to outgoing connections
PORTS_OF_A_PROCESS = 200


@cache
def _own_ports():
    """Claim ports for this process alone: it keeps the first of them bound. Return that socket and the others, in a circle."""
    for first in PORTS[::PORTS_OF_A_PROCESS]:
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
            continue
        return claim, cycle(range(first + 1, first + PORTS_OF_A_PROCESS))
    raise RuntimeError(f"all ports in {PORTS} are taken")


def free_port():
    """Return a port of 127.0.0.1 that nothing listens on, and that no other test process is given."""
    _claim, ports = _own_ports()
    for _, port in zip(range(PORTS_OF_A_PROCESS), ports, strict=False):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("all ports of this process are taken")


def wait_for(predicate, timeout=TIMEOUT, what=None):
    """Return the first true value of ``predicate()``; after ``timeout`` seconds raise, with what ``what()`` says.

    It looks after ever longer pauses: who asks a site without pause slows down what it waits for.
    """
    began = time.monotonic()
    while True:
        value = predicate()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > timeout:
            raise TimeoutError(f"not so after {timeout} s" + (f":\n{what()}" if what else ""))
        time.sleep(min(max(waited / 10, 0.05), 0.5))


def listens(port):
    """Tell whether a server on 127.0.0.1 greets on ``port``."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False
