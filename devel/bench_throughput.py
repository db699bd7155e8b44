"""Measures how many messages 1, 2 and 4 worker processes send, and file, on ZEO with Redis. Run by ``make bench``.

Alone: ``python -m devel.bench_throughput [COUNT]``. In the same run, what they are compared with: smtplib in a loop over one
connection, zope.sendmail's queue processor, and bare commits, by one process on the same ZEO server, of as many transactions with
as many objects and bytes as one worker wrote. A profile of the work in one process says where the rest goes.

Workers are stopped (SIGSTOP) while mail is made that waits for them, and go on together: the time is from then to the last message.
"""

from contextlib import contextmanager
from contextlib import ExitStack
from devel.bench_incoming import row
from devel.bench_sending import COUNT as ANCHOR_COUNT
from devel.bench_sending import run
from imio.mailbridge.taskqueue import queue
from pathlib import Path
from tests.servers.instance import BIN
from tests.servers.instance import Instance
from tests.servers.redis import redis_server
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
from tests.servers.zeo import ZEO_CONF
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time


COUNT, WORKERS = 200, (1, 2, 4)
#: Messages for each worker before those that are measured.
WARM = 10
KEY = "shared"
ROOT = Path(__file__).resolve().parent.parent


class Peer:
    """The SMTP server of ``bench_sending`` in a process of its own; use it in ``with``."""

    def __init__(self, folder):
        self._folder = folder
        self.ca_file = str(folder / "ca.pem")

    def __enter__(self):
        command = [sys.executable, "-W", "ignore", "-m", "devel.bench_sending", "peer", self._folder]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        self.port = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_exception):
        self._process.stdin.close()
        self._process.wait(30)

    def came(self):
        """Return how many messages came since this was asked last."""
        print(file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


class Town:
    """A demo on a ZEO server and Redis, with one web instance; use it in ``with``. ``folder`` is empty."""

    def __init__(self, folder, peer):
        self.folder, self.peer = folder, peer
        self._workers = []

    def __enter__(self):
        with ExitStack() as stack:
            made = Instance(self.folder / "made", pdf=False)
            made.make(int(self.peer.port))
            self.data = made.home / "var/Data.fs"
            port = free_port()
            (self.folder / "zeo.conf").write_text(ZEO_CONF.format(port=port, var=made.home / "var"))
            stack.enter_context(_running(BIN / "runzeo", "-C", self.folder / "zeo.conf"))
            self.zeo = f"127.0.0.1:{port}"
            wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
            (self.folder / "redis").mkdir()
            self.url = stack.enter_context(redis_server(self.folder / "redis"))
            self._queue = {"MAILBRIDGE_QUEUE_URL": self.url, "MAILBRIDGE_QUEUE_KEY": KEY}
            self.web = Instance(
                self.folder / "web", self.zeo, pdf=False, MAILBRIDGE_WORKER="off", **self._queue
            )
            stack.callback(self.web.stop)
            self.web.start()
            self.console = Instance(self.folder / "console", self.zeo, pdf=False, **self._queue)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception):
        self._stack.close()

    def start_workers(self, count):
        """Start workers until there are so many."""
        while len(self._workers) < count:
            home = Instance(
                self.folder / f"worker{len(self._workers)}", self.zeo, pdf=False, **self._queue
            ).home
            log = home / "var/log/worker.log"
            command = [BIN / "mailbridge-worker", home / "etc/zope.conf"]
            worker = self._stack.enter_context(_running(*command, log=log))
            self._workers.append(worker)
            wait_for(lambda log=log: "consumer started" in log.read_text(), what=log.read_text)

    @contextmanager
    def stopped(self):
        """Stop the workers for a while."""
        for worker in self._workers:
            worker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in self._workers:
                worker.send_signal(signal.SIGCONT)

    def end_workers(self):
        """End all workers."""
        for worker in self._workers:
            worker.terminate()
            worker.wait(60)
        self._workers = []

    def make(self, *arguments):
        """Run ``waiting_mail`` with arguments; return the JSON of its last line, if it prints any."""
        command = [
            BIN / "zconsole",
            "run",
            self.console.home / "etc/zope.conf",
            ROOT / "devel/waiting_mail.py",
            "--",
        ]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        environment = {**os.environ, "MAILBRIDGE_WORKER": "off", "PYTHONPATH": path, **self._queue}
        done = subprocess.run(
            [*command, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1]) if "profile" in arguments else None

    def is_idle(self):
        """Tell whether no task waits."""
        return not any(
            queue.connect(self.url, KEY.encode(), name).huey.pending_count() for name in queue.WORKERS
        )

    def filed(self):
        """Return how many messages were filed."""
        return self.web.get("/@mailbridge-status", "chef").json()["inbox"].get("filed", 0)


@contextmanager
def _running(*command, log=None):
    output = log.open("w") if log else subprocess.DEVNULL
    process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def sending(town, count):
    """Return the seconds in which the workers send so many messages, and the transactions before and after."""
    with town.stopped():
        town.make("out", count, town.peer.port, town.peer.ca_file)
        since = last_transaction(town.data)
    start, came = time.perf_counter(), 0
    while came < count:
        came += town.peer.came()
        assert time.perf_counter() - start < 300, f"{came} of {count} came"
        time.sleep(0.02)
    return time.perf_counter() - start, since, last_transaction(town.data)


def filing(town, count):
    """Return the seconds in which the workers file so many messages, and the transactions before and after."""
    before = town.filed()
    with town.stopped():
        town.make("in", count)
        since = last_transaction(town.data)
    start = time.perf_counter()
    while (filed := town.filed() - before) < count:
        assert time.perf_counter() - start < 600, f"{filed} of {count} were filed"
        time.sleep(0.2)
    return time.perf_counter() - start, since, last_transaction(town.data)


def written(path, since, until):
    """Return what was committed to a file storage after a transaction, up to another: a list of sizes of its objects for each.

    A size is (bytes of the object, bytes of its blob or None).
    """
    from ZODB.blob import is_blob_record
    from ZODB.FileStorage import FileStorage

    storage = FileStorage(str(path), read_only=True, blob_dir=str(path.parent / "blobstorage"))
    try:
        return [
            [
                (
                    len(each.data or b""),
                    os.path.getsize(storage.loadBlob(each.oid, each.tid))
                    if is_blob_record(each.data)
                    else None,
                )
                for each in transaction
            ]
            for transaction in storage.iterator()
            if since < transaction.tid <= until
        ]
    finally:
        storage.close()


def last_transaction(path):
    """Return the id of the last transaction in a file storage."""
    from ZODB.FileStorage import FileStorage

    storage = FileStorage(str(path), read_only=True)
    try:
        return storage.lastTransaction()
    finally:
        storage.close()


def bare(zeo, path):
    """Commit objects of the sizes that a file says (``written``); print seconds."""
    from persistent.mapping import PersistentMapping
    from ZEO.ClientStorage import ClientStorage
    from ZODB.blob import Blob
    from ZODB.DB import DB
    import transaction

    host, _colon, port = zeo.rpartition(":")
    sizes = json.loads(Path(path).read_text())
    with tempfile.TemporaryDirectory() as folder:
        database = DB(ClientStorage((host, int(port)), blob_dir=folder))
        connection = database.open()
        pool = [PersistentMapping() for _number in range(max(map(len, sizes)))]
        connection.root()["bench"] = pool
        transaction.commit()
        start = time.perf_counter()
        for objects in sizes:
            for target, (size, blob_size) in zip(pool, objects, strict=False):
                target["data"] = b"x" * max(0, size - 100)
                if blob_size is not None:
                    target["blob"] = Blob(b"x" * blob_size)
            transaction.commit()
        print(json.dumps({"seconds": time.perf_counter() - start}))
        connection.close()
        database.close()


def main(count=COUNT):
    """Print the rates and their ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tls").mkdir()
        with Peer(folder / "tls") as peer:
            _measure(folder, peer, count)


def _measure(folder, peer, count):
    module = [sys.executable, "-m", "devel.bench_sending"]
    loop = ("smtplib_loop", peer.port, peer.ca_file)
    anchors = {
        "smtplib, one connection, TCP_NODELAY: the limit": (*loop, "no_delay"),
        "  as it is": loop,
        "zope.sendmail's queue processor": ("zope_sendmail", peer.port, folder),
    }
    rates = {
        what: ANCHOR_COUNT / run([*module, *arguments])["seconds"] for what, arguments in anchors.items()
    }
    peer.came()
    limit = next(iter(rates.values()))
    for what, rate in rates.items():
        row(what, f"{rate:.0f}", "messages/s", f"{rate / limit:.2f} of the first")
    with Town(folder / "town", peer) as town:
        for what, measure, number in (("send", sending, count), ("file", filing, count // 4)):
            _workers(town, what, measure, number, limit if what == "send" else None)
        for what, arguments in (
            ("send", ("out", count, peer.port, peer.ca_file)),
            ("file", ("in", count // 4)),
        ):
            profile = town.make(*arguments, "profile")
            whole = sum(profile.values())
            row(f"{what} in one process, profiled", f"{whole:.1f}", "s")
            for group, seconds in profile.items():
                row(f"  {group}", f"{seconds / whole * 100:.0f}", "%")


def _workers(town, what, measure, count, limit):
    first = None
    for workers in WORKERS:
        town.start_workers(workers)
        measure(town, WARM * workers)  # fills caches, and imports what is imported when it is used
        wait_for(town.is_idle, 600)
        seconds, *span = measure(town, count)
        rate = count / seconds
        first = first or rate
        note = f"{rate / first:.2f} times one" + (f", {rate / limit:.2f} of the limit" if limit else "")
        row(f"{what} {count} messages, {workers} worker processes", f"{rate:.1f}", "messages/s", note)
        wait_for(town.is_idle, 600)
        if workers == 1:
            _bare(town, what, span, count, rate)
    town.end_workers()


def _bare(town, what, span, count, rate):
    """Commit what one worker has committed."""
    sizes = written(town.data, *span)
    objects, octets = sum(map(len, sizes)), sum(size for each in sizes for size, _blob in each)
    (path := town.folder / "sizes.json").write_text(json.dumps(sizes))
    seconds = run([sys.executable, "-m", "devel.bench_throughput", "bare", town.zeo, path])["seconds"]
    note = (
        f"{len(sizes) / count:.1f} transactions, {objects / count:.1f} objects, {octets / count / 1000:.1f} kB a message; "
        f"one worker: {rate * seconds / count:.2f} of it"
    )
    row(f"  {what}: bare commits of the same, one process", f"{count / seconds:.1f}", "messages/s", note)


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        bare(*sys.argv[2:])
    else:
        main(*map(int, sys.argv[1:]))
