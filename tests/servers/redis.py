"""A Redis server."""

from contextlib import contextmanager
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import socket
import subprocess


@contextmanager
def redis_server(folder):
    """Run an empty Redis server in ``folder``; yield its URL."""
    port = free_port()
    command = [
        required("redis-server", "redis-server"),
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
    ]
    server = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(60)
