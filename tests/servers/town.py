"""A town's programs, as many processes: ZEO, Redis, two instances and a worker. Each can be killed, and started again."""

from contextlib import ExitStack
from contextlib import suppress
from imio.mailbridge.taskqueue.queue import connect
from tests.servers.instance import BIN
from tests.servers.instance import copied
from tests.servers.instance import Instance
from tests.servers.instance import OF_SITE_TESTS
from tests.servers.instance import ROOT
from tests.servers.instance import WITHOUT_PDF
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
from tests.servers.zeo import ZEO_CONF
import os
import redis
import socket
import subprocess


KEY = "shared"
WITH_CLOCK = ROOT / "tests/servers/clock"


def clock(ahead, pdf=False):
    """Return the environment of a Python program whose clock is ``ahead`` seconds ahead; without ``pdf`` it has no WeasyPrint."""
    folder = WITH_CLOCK if ahead else WITHOUT_PDF
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    return {"PYTHONPATH": path, "CLOCK_AHEAD": str(ahead), **({"CLOCK_PDF": "on"} if pdf else {})}


class Program:
    """A program that listens on ``port`` of 127.0.0.1, or on none."""

    def __init__(self, *command, port=None, log=None):
        self._command = [str(part) for part in command]
        self.port = port
        self._log = log
        self._process = None

    def start(self, **environment):
        """Start it; return when it listens."""
        kept = {name: value for name, value in os.environ.items() if name not in OF_SITE_TESTS}
        with open(self._log or os.devnull, "ab") as log:
            self._process = subprocess.Popen(
                self._command, env={**kept, **environment}, stdout=subprocess.DEVNULL, stderr=log
            )
        if self.port:
            wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", self.port)))

    @property
    def process_id(self):
        """Return the id of the running process."""
        return self._process.pid

    @property
    def log_text(self):
        """Return what it wrote on standard error."""
        return self._log.read_text()

    def stop(self, kill=False):
        """End it; ``kill`` with SIGKILL."""
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(TIMEOUT)
            self._process = None


class Worker(Program):
    """A worker process; ``ahead``: seconds by which its clock is wrong."""

    def __init__(self, home):
        super().__init__(BIN / "mailbridge-worker", home / "etc/zope.conf", log=home / "worker.log")

    def start(self, ahead=0):
        """Start it."""
        super().start(**clock(ahead))


class Town:
    """Use it in ``with``. ``one`` and ``two`` are instances, the others programs; no worker runs at first."""

    def __init__(self, template, folder):
        ports = {name: free_port() for name in ("zeo", "redis")}
        self.var = copied(template, folder / "made").home / "var"
        (folder / "zeo.conf").write_text(ZEO_CONF.format(port=ports["zeo"], var=self.var))
        self.zeo = Program(BIN / "runzeo", "-C", folder / "zeo.conf", port=ports["zeo"])
        server = required("redis-server", "redis-server")
        options = ("--bind", "127.0.0.1", "--port", ports["redis"], "--save", "", "--dir", folder)
        self.redis = Program(server, *options, port=ports["redis"])
        self.queue_url = f"redis://127.0.0.1:{ports['redis']}/0"
        queue = {"MAILBRIDGE_QUEUE_URL": self.queue_url, "MAILBRIDGE_QUEUE_KEY": KEY}
        address = f"127.0.0.1:{ports['zeo']}"
        self.one, self.two = (
            Instance(folder / name, address, pdf=False, MAILBRIDGE_WORKER="off", **queue)
            for name in ("one", "two")
        )
        self.worker, self.other_worker = (
            Worker(Instance(folder / name, address, **queue).home) for name in ("worker", "other")
        )
        self._stack = ExitStack()

    def __enter__(self):
        with ExitStack() as stack:
            for program in (self.zeo, self.redis, self.one, self.two):
                stack.callback(program.stop)
                program.start()
            for worker in (self.worker, self.other_worker):
                stack.callback(worker.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        self._stack.close()

    def move_on(self, seconds):
        """Make it later for the database and the worker."""
        self.worker.stop()
        self.zeo.stop()
        self.zeo.start(**clock(seconds))
        self.worker.start(ahead=seconds)

    def sweep(self):
        """Have the worker look now for what is due, as it does each minute."""
        queue = connect(self.queue_url, KEY.encode())
        with suppress(redis.ConnectionError):
            queue.submit(0, None, "/@@mailbridge-sweep-sites", "POST", {}, {}, "", None)

    def flush_queue(self):
        """Empty Redis."""
        redis.Redis.from_url(self.queue_url).flushall()
