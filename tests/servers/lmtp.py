"""The command ``mailbridge-lmtp``, run for a test."""

from pathlib import Path
from tests.servers.waiting import free_port
from tests.servers.waiting import listens
from tests.servers.waiting import wait_for
import subprocess
import sys
import tempfile


COMMAND = Path(sys.executable).with_name("mailbridge-lmtp")


class Lmtp:
    """An LMTP server at ``port`` for the site at ``url``; use it in ``with``. ``options`` are added to the command."""

    def __init__(self, url, *options, token="gateway:secret"):
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory()
        self.home = Path(self._folder.name)
        (self.home / "token").write_text(token)
        (self.home / "token").chmod(0o600)
        self.command = [COMMAND, "--url", url, "--token-file", self.home / "token"]
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
