"""A real Plone process with the demo site, made and started as ``make start`` does."""

from devel import instance
from imio.mailbridge.taskqueue.queue import connect
from pathlib import Path
from tests.client import Client
from tests.servers.waiting import free_port
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import contextlib
import os
import requests
import shutil
import subprocess
import sys


ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
WITHOUT_PDF = Path(__file__).resolve().parent / "without_pdf"
PASSWORD = "demo-iadocs"
#: What the layer of the tests of a site sets for its own process; an instance has a worker and a queue of its own.
OF_SITE_TESTS = {"MAILBRIDGE_WORKER", "MAILBRIDGE_QUEUE_URL"}


class Instance(Client):
    """The demo at ``url``; ``home`` holds its data. The host is localhost: Plone shows no theme on 127.0.0.1.

    Without ``pdf`` it is an instance where WeasyPrint is not installed: rendering many messages keeps a processor busy for minutes.
    """

    def __init__(self, home, zeo="", pdf=True, **environment):
        self.home = home
        self.pdf = pdf
        self.port = free_port()
        self.url = f"http://localhost:{self.port}/iadocs"
        self.ini = instance.write(home, self.port, zeo, **environment)
        self.queue_url = f"sqlite:///{home}/var/mailbridge-queue.sqlite"
        self._process = None

    @property
    def log(self):
        """Return the text of the log."""
        path = self.home / "var/log/instance.log"
        return path.read_text() if path.exists() else ""

    @property
    def process_id(self):
        """Return the id of the running process."""
        return self._process.pid

    def make(self, smtp_port=9):
        """Create the demo site; its mail goes to ``smtp_port``."""
        command = [
            BIN / "zconsole",
            "run",
            self.home / "etc/zope.conf",
            ROOT / "devel/site.py",
            str(smtp_port),
        ]
        environment = {**os.environ, "MAILBRIDGE_WORKER": "off"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]

    def start(self, **environment):
        """Start, and wait until the site answers."""
        path = ["" if self.pdf else str(WITHOUT_PDF), os.environ.get("PYTHONPATH", "")]
        environment = {
            **{name: value for name, value in os.environ.items() if name not in OF_SITE_TESTS},
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            **environment,
        }
        self._process = subprocess.Popen(
            [BIN / "runwsgi", self.ini], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def answers():
            assert self._process.poll() is None, self.log[-3000:]
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(self.url, timeout=TIMEOUT).ok

        wait_for(answers, what=lambda: self.log[-3000:])

    def stop(self, kill=False):
        """End the process; ``kill`` with SIGKILL."""
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(TIMEOUT)
            self._process = None

    def request(self, method, path, user=None, **kwargs):
        """Make a request as a demo user, ``admin`` or nobody; ``path`` is below the site."""
        auth = {None: None, "admin": ("admin", "admin")}.get(user, (user, PASSWORD))
        headers = {"Accept": "application/json", **kwargs.pop("headers", {})}
        return requests.request(
            method,
            f"{self.url}{path}",
            auth=auth,
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
            **kwargs,
        )

    def sweep(self):
        """Have the worker look now for what is due, as it does each minute."""
        queue = connect(self.queue_url)
        queue.submit(0, None, "/@@mailbridge-sweep-sites", "POST", {}, {}, "", None)

    def settings(self):
        """Return the settings, without the secrets."""
        return self.get("/@controlpanels/mailbridge", "admin").json()["data"]

    def set(self, **values):
        """Change settings."""
        answer = self.request("PATCH", "/@controlpanels/mailbridge", "admin", json=values)
        assert answer.status_code == 204, answer.text


def copied(template, home, **options):
    """Return an instance with the data of another one that is stopped."""
    shutil.copytree(template.home, home, dirs_exist_ok=True)
    (home / "var/Data.fs.lock").unlink(missing_ok=True)
    return Instance(home, **options)
