"""When is it there? Ports and conditions, always bounded in time."""

import socket
import time


def free_port():
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(predicate, timeout=20, what=None):
    """Return the first true value of ``predicate()``; after ``timeout`` seconds raise, with what ``what()`` says."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {timeout} s" + (f":\n{what()}" if what else ""))
        time.sleep(0.05)


def listens(port):
    """Say whether a server on 127.0.0.1 greets on ``port``."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False
