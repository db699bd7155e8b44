"""The command ``mailbridge-lmtp``, run for a test, and a client of it."""

from pathlib import Path
from tests.servers.waiting import free_port
from tests.servers.waiting import listens
from tests.servers.waiting import wait_for
import socket
import subprocess
import sys
import tempfile


COMMAND = Path(sys.executable).with_name("mailbridge-lmtp")


class Lmtp:
    """An LMTP server at ``port`` for the site at ``url``; use it in ``with``. ``options`` are added to the ``program``."""

    def __init__(self, url, *options, token="gateway:secret", program=(COMMAND,)):
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory()
        self.home = Path(self._folder.name)
        (self.home / "token").write_text(token)
        (self.home / "token").chmod(0o600)
        self.command = [*program, "--url", url, "--token-file", self.home / "token"]
        self.command += ["--listen", f"127.0.0.1:{self.port}", *options]
        self.process = None

    def __enter__(self):
        with (self.home / "log").open("a") as log:
            self.process = subprocess.Popen(self.command, stderr=log)
        try:
            wait_for(lambda: listens(self.port), what=lambda: self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()

    @property
    def log(self):
        """What the command said."""
        return (self.home / "log").read_text()


class Client:
    """A connection on which a test says what it wants; answers are lines."""

    def __init__(self, port, hello=True):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")
        self.greeting = self.line()
        if hello:
            self.extensions = self.say("LHLO mx.maville.test")

    def send(self, data):
        """Send bytes, or a command."""
        self._socket.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")

    def line(self):
        """Return the next line, empty at the end of the connection."""
        return self._file.readline().decode().rstrip("\r\n")

    def answer(self):
        """Return the next reply with all its lines."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def say(self, command):
        """Send a command; return its reply."""
        self.send(command)
        return self.answer()

    def begin(self, *recipients, sender="jeanne@citizen.test"):
        """Say all that comes before a message."""
        assert self.say(f"MAIL FROM:<{sender}>").startswith("250")
        for recipient in recipients or ("in@bridge.test",):
            assert self.say(f"RCPT TO:<{recipient}>").startswith("250")
        assert self.say("DATA").startswith("354")

    def deliver(self, content, *recipients, **options):
        """Send a message; return a reply for each recipient."""
        self.begin(*recipients, **options)
        self.send(content + b".\r\n")
        return [self.line() for _ in recipients or [0]]

    def end_sending(self):
        """Close the half of the connection that is sent on."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self):
        """Hang up."""
        self._file.close()
        self._socket.close()
