"""Runs ``make cluster``: the demo as a town's cluster runs it, each part a process of its own on this machine.

::

    people, pipes ──▶ balancer ──▶ web1, web2 ──▶ zeo, or postgresql (RelStorage)
                                       │               ▲
                                       ▼               │
                      redis, or postgresql (queue) ──▶ worker1, worker2 ──▶ mail (catcher)

``Cluster`` is a context manager; tests use its parts to kill and start them one by one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from devel.instance import environment
from devel.instance import ROOT
from pathlib import Path
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


BIN = Path(sys.executable).parent
#: What is started is the example of the operator's guide, with the addresses and folders of this machine.
EXAMPLE = ROOT / "docs/examples/cluster"
#: Where the database of the site is, and with it the queue: Redis beside ZEO, PostgreSQL beside itself.
ZEO, POSTGRESQL = "zeo", "postgresql"
WEB, WORKERS = ("web1", "web2"), ("worker1", "worker2")
#: Debian keeps the programs of a server in a folder for each version.
PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"
START_TIMEOUT = 180
STOP_TIMEOUT = 60
#: Seconds that an instance says "not ready" before it ends: two checks of the balancer, and a little.
DRAIN = 6

TEXT = """
A cluster of iA.docs is up:   {url}

  agent, agent2, chef, gateway   password demo-iadocs        admin   password admin

Hand over a message as a mail host does; whichever instance gets it files it:
  curl -u gateway:demo-iadocs -H 'Content-Type: message/rfc822' -H 'X-Envelope-Recipient: in@bridge.test' \\
    -H 'X-Client-Address: 127.0.0.1' --data-binary @{mail} {url}/@@mail-in
Send an e-mail from a document as agent: a worker sends it; it is kept in {maildir}/new
Ask an instance how it is:
  curl {web}/@@mailbridge-health; curl {web}/@@mailbridge-ready
End a part, and see that it is started again and that nothing is missing:
{parts}
Data and logs: {folder}, until Ctrl-C, which stops all
"""


class NotInstalled(Exception):
    """A program is missing; the text says which Debian package has it."""


def program(name: str, package: str) -> Path:
    """Return the path of an installed program. Errors: ``NotInstalled``."""
    of_postgresql = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = of_postgresql[-1] if of_postgresql else shutil.which(name) or shutil.which(name, path=PROGRAMS)
    if found is None:
        raise NotInstalled(f"{name} is not installed: apt-get install {package}")
    return Path(found)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    """Tell whether something listens on ``port`` of 127.0.0.1."""
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def answers(url: str) -> bool:
    """Tell whether ``url`` answers with 200."""
    with contextlib.suppress(OSError, urllib.error.URLError):
        return urllib.request.urlopen(url, timeout=30).status == 200
    return False


@dataclass
class Part:
    """A process of the cluster; ``start`` returns once ``is_up`` says yes."""

    name: str
    command: list
    log: Path
    is_up: Callable[[], bool]
    variables: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    #: what asks this program to end in order
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen | None = None
    _begin: int = 0

    @property
    def said(self) -> str:
        """What the process wrote since it was started last."""
        return self.log.read_bytes()[self._begin :].decode(errors="replace")

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        """Start the process and do not wait until it is up."""
        with self.log.open("ab") as output:
            self._begin = output.tell()
            self.process = subprocess.Popen(
                [str(word) for word in self.command],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment() | self.variables,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                start_new_session=True,  # Ctrl-C ends them in order, not all at once
            )

    def wait_until_up(self) -> None:
        """Wait until the part works. Errors: ``RuntimeError`` with the end of its log."""
        end = time.monotonic() + START_TIMEOUT
        while self.running and time.monotonic() < end:
            if self.is_up():
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not start:\n{self.said[-3000:]}")

    def start(self) -> None:
        """Start the process, and wait until it is up."""
        self.launch()
        self.wait_until_up()

    def ask_to_end(self) -> None:
        """Ask the process to end in order."""
        if self.running:
            self.process.send_signal(self.stop_signal)

    def wait(self, seconds: float = STOP_TIMEOUT) -> int | None:
        """Wait until the process has ended, and return its status. Errors: ``subprocess.TimeoutExpired``."""
        return self.process.wait(seconds) if self.process is not None else None

    def stop(self) -> int | None:
        """End the process in order, and return its status."""
        self.ask_to_end()
        return self.ended()

    def ended(self) -> int | None:
        """Wait until a process has ended that was asked to, and return its status; after a minute it gets SIGKILL."""
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int | None:
        """End the process by SIGKILL, stopped (SIGSTOP) or not, and return its status."""
        if self.running:
            self.process.kill()
        return self.wait()

    def pause(self) -> None:
        """Have the process hang, as on a dead disk: it holds its connections and answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number):
        """Send a signal to the process and its children: PostgreSQL has one for each connection."""
        pid = self.process.pid
        for each in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)


class Cluster:
    """The parts of a cluster with the demo site, made anew in ``folder``; ``database`` is ``zeo`` or ``postgresql``.

    ``port`` is the balancer's. E-mails go to ``smtp_port``; without one a catcher is a part of the cluster, and keeps them in
    ``maildir``.
    ``variables`` are added to the environment of each process. ``parts`` has all by name, in the order in which they start. Errors:
    ``NotInstalled``. ::

        with Cluster(folder) as cluster:          # makes the site, starts all, stops all at the end
            cluster["worker1"].kill()
            cluster["worker1"].start()
    """

    def __init__(
        self,
        folder: Path,
        database: str = ZEO,
        port: int | None = None,
        smtp_port: int | None = None,
        choose_port: Callable[[], int] = free_port,
        variables: dict[str, str] | None = None,
    ):
        self.folder = Path(folder)
        self.database = database
        self.port = port or choose_port()
        self.maildir = self.folder / "mail"
        self.logs = self.folder / "log"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.parts: dict[str, Part] = {}
        self._choose_port = choose_port
        self._variables = variables or {}
        self._catcher_port = None if smtp_port else choose_port()
        self.smtp_port = smtp_port or self._catcher_port
        self._stack = contextlib.ExitStack()
        self._queue_key = secrets.token_hex(32)
        #: what the example calls a server → where it is
        self._addresses: dict[str, str] = {}
        add_database = {ZEO: self._add_zeo_and_redis, POSTGRESQL: self._add_postgresql}[database]
        #: which storage zope.conf includes, and where it is; URL of the queue
        self._storage, self.queue_url = add_database()
        self.web_ports = dict(zip(WEB, (choose_port(), choose_port()), strict=True))
        self._add_mail()
        self._add_zope()
        self._add_balancer()

    @property
    def url(self) -> str:
        """The address of the site behind the balancer."""
        return f"http://localhost:{self.port}/iadocs"

    def web_url(self, name: str) -> str:
        """Return the address of the Zope root of an instance, past the balancer."""
        return f"http://localhost:{self.web_ports[name]}"

    def __getitem__(self, name: str) -> Part:
        return self.parts[name]

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exception):
        self.stop()

    def start(self) -> None:
        """Make the site, and start all parts; instances and workers at the same time."""
        zope = [self[name] for name in (*WEB, *WORKERS)]
        for part in self.parts.values():
            if part not in zope and part.name != "balancer":
                part.start()
        self._make_site()
        for part in zope:
            part.launch()
        for part in (*zope, self["balancer"]):
            if not part.running:
                part.launch()
            part.wait_until_up()

    def stop(self) -> None:
        """End all parts in order: people first, databases last."""
        last = [part for part in self.parts.values() if part.name in (ZEO, POSTGRESQL, "redis", "mail")]
        for group in ([part for part in self.parts.values() if part not in last], last):
            for part in group:
                if part.running:
                    part.resume()
                part.ask_to_end()
            for part in group:
                part.ended()
        self._stack.close()

    def revive(self) -> dict[str, int]:
        """Start each part again that ended, without waiting for it; return name → status of what had ended."""
        ended = {part.name: part.process.returncode for part in self.parts.values() if not part.running}
        for name in ended:
            self[name].launch()
        return ended

    def zconsole(self, script: Path, *arguments: object) -> None:
        """Run a script in the console of an instance. Errors: ``RuntimeError`` with what it said."""
        command = [BIN / "zconsole", "run", self.folder / "web1/etc/zope.conf", script, *arguments]
        done = subprocess.run(
            [str(word) for word in command],
            env=environment() | self[WEB[0]].variables,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{script.name} failed:\n{done.stderr[-3000:]}")

    def _make_site(self):
        self.zconsole(ROOT / "devel/site.py", self.smtp_port)

    def _add(self, name, command, is_up, variables=(), **options):
        variables = {**dict(variables), **self._variables}
        self.parts[name] = Part(name, command, self.logs / f"{name}.log", is_up, variables, **options)

    def _add_zeo_and_redis(self):
        zeo, redis = self._choose_port(), self._choose_port()
        for name in ("zeo", "redis"):
            (self.folder / name).mkdir()
        conf = self.folder / "zeo/zeo.conf"
        self._addresses = {"zeo:8100": f"127.0.0.1:{zeo}"}
        _copy(EXAMPLE / "zeo.conf", conf, {"0.0.0.0:8100": f"127.0.0.1:{zeo}", "/data": conf.parent})
        self._add("zeo", [BIN / "runzeo", "-C", conf], lambda: accepts(zeo))
        command = [program("redis-server", "redis-server"), "--bind", "127.0.0.1", "--port", redis]
        # as Debian's does, but after each write: what a killed Redis had taken is there again
        keep = ["--appendonly", "yes", "--appendfsync", "always", "--dir", self.folder / "redis"]
        self._add("redis", [*command, *keep], lambda: accepts(redis))
        storage = {"STORAGE_PACKAGE": "ZEO", "STORAGE": "storage-zeo.conf"}
        return storage, f"redis://127.0.0.1:{redis}/0?socket_timeout=10"

    def _add_postgresql(self):
        """Add a PostgreSQL server, which runs as another user where root starts the cluster: it refuses root."""
        user = None if os.getuid() else "nobody"
        port, password = self._choose_port(), secrets.token_hex(16)
        folder = Path(tempfile.mkdtemp(prefix="mailbridge-postgresql-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "password").write_text(password)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data = folder / "data"
        options = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        command = [
            program("initdb", "postgresql"),
            "--no-sync",
            "-U",
            "mailbridge",
            "-E",
            "UTF8",
            "--locale",
            "C",
        ]
        command += ["--auth", "scram-sha-256", "--pwfile", folder / "password", "-D", data]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **options)
        site = f"host=127.0.0.1 port={port} user=mailbridge password={password} dbname=site connect_timeout=5"
        queue = f"postgresql://mailbridge:{password}@127.0.0.1:{port}/queue?connect_timeout=5"

        def is_up():
            """Whether the server answers and has both databases, which are made at the first time."""
            for name in ("site", "queue"):
                create = [
                    program("createdb", "postgresql"),
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(port),
                    "-U",
                    "mailbridge",
                ]
                done = subprocess.run(
                    [*create, name],
                    env={**os.environ, "PGPASSWORD": password},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode and "already exists" not in done.stderr:
                    return False
            return True

        self._add(
            "postgresql",
            [program("postgres", "postgresql"), "-D", data, "-h", "127.0.0.1", "-p", port, "-k", ""],
            is_up,
            user=user,
            stop_signal=signal.SIGINT,  # SIGTERM waits until all clients have gone
        )
        return {
            "STORAGE_PACKAGE": "relstorage",
            "STORAGE": "storage-postgresql.conf",
            "SITE_DSN": site,
        }, queue

    def _add_mail(self):
        if self._catcher_port is not None:
            command = [sys.executable, "-m", "devel.catcher", self._catcher_port, self.maildir]
            self._add("mail", command, lambda: accepts(self._catcher_port))

    def _add_zope(self):
        shared = {
            **self._storage,
            "MAILBRIDGE_QUEUE_URL": self.queue_url,
            "MAILBRIDGE_QUEUE_KEY": self._queue_key,
            "MAILBRIDGE_WORKER": "off",
            "MAILBRIDGE_DRAIN": str(DRAIN),
        }
        for name, port in {**self.web_ports, **dict.fromkeys(WORKERS, 0)}.items():
            home = self.folder / name
            for folder in ("etc", "var/blobcache"):
                (home / folder).mkdir(parents=True)
            for path in (*EXAMPLE.glob("*.conf"), EXAMPLE / "zope.ini", EXAMPLE / "site.zcml"):
                addresses = {"/iadocs": home, "0.0.0.0:8080": f"127.0.0.1:{port}", **self._addresses}
                _copy(path, home / "etc" / path.name, addresses)
        for name in WEB:
            address = f"{self.web_url(name)}/iadocs"
            command = [BIN / "runwsgi", self.folder / name / "etc/zope.ini"]
            self._add(name, command, lambda address=address: answers(address), shared)
        for name in WORKERS:
            command = [BIN / "mailbridge-worker", self.folder / name / "etc/zope.conf"]
            self._add(name, command, lambda name=name: "worker started" in self[name].said, shared)

    def _add_balancer(self):
        addresses = {f"{name}:8080": f"127.0.0.1:{port}" for name, port in self.web_ports.items()}
        path = self.folder / "haproxy.cfg"
        _copy(EXAMPLE / "haproxy.cfg", path, {"bind :8080": f"bind 127.0.0.1:{self.port}", **addresses})
        self._add("balancer", [program("haproxy", "haproxy"), "-db", "-f", path], lambda: answers(self.url))


def _copy(source, target, addresses):
    """Copy a configuration with other addresses and folders."""
    text = source.read_text()
    for old, new in addresses.items():
        text = text.replace(old, str(new))
    target.write_text(text)


def main() -> None:
    """Start a cluster, say what to try, and stay until Ctrl-C or SIGTERM."""
    from devel.start import free

    database = os.environ.get("DATABASE") or ZEO
    if database not in (ZEO, POSTGRESQL):
        sys.exit(f"DATABASE is {ZEO} or {POSTGRESQL}")
    port = int(os.environ.get("PORT") or 8080)
    free(port, "PORT")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("Making the demo site and starting the cluster; this takes about a minute ...", flush=True)
    with (
        contextlib.suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="mailbridge-cluster-") as folder,
    ):
        try:
            cluster = Cluster(Path(folder), database, port)
        except NotInstalled as error:
            sys.exit(str(error))
        with cluster:
            mail = Path(folder) / "redirected.eml"
            shutil.copy(ROOT / "devel/redirected.eml", mail)
            parts = "".join(
                f"  kill -9 {part.process.pid}  # {part.name}\n" for part in cluster.parts.values()
            )
            web = cluster.web_url(WEB[0])
            text = TEXT.format(
                url=cluster.url, mail=mail, maildir=cluster.maildir, web=web, parts=parts, folder=folder
            )
            print(text, flush=True)
            while True:
                for name, status in cluster.revive().items():
                    print(f"{name} ended with status {status}; it is started again", flush=True)
                time.sleep(1)


if __name__ == "__main__":
    main()
