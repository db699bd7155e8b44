"""A PostgreSQL server."""

from contextlib import contextmanager
from pathlib import Path
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import os
import signal
import socket
import subprocess
import tempfile


#: PostgreSQL refuses to run as root.
USER = "nobody" if os.getuid() == 0 else None


def _program(name):
    """Return the path of a program; Debian keeps those of each version in a folder of its own."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return versions[-1] if versions else required(name, "postgresql")


@contextmanager
def postgresql_server():
    """Run an empty PostgreSQL server in a folder of its own; yield the URL of its database."""
    programs = _program("initdb"), _program("postgres")
    with tempfile.TemporaryDirectory() as folder:
        if USER:
            subprocess.run(["chown", USER, folder], check=True)
        process = {"user": USER, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        data, port = f"{folder}/data", free_port()
        subprocess.run([programs[0], "-D", data, "-U", "bridge", "-A", "trust", "-N"], check=True, **process)
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        server = subprocess.Popen([programs[1], "-D", data, *options], **process)
        try:
            wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
            yield f"postgresql://bridge@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # with SIGTERM it waits for those that are connected
            server.wait(60)
