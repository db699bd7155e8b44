"""The queues of a process, each a huey instance at ``MAILBRIDGE_QUEUE_URL`` with worker threads of its own.

What an agent sends never waits behind what comes in, and neither waits behind what is slow: DNS, mailboxes and renditions. Sites
take turns in each queue (``fair``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from huey import crontab
from huey.storage import PostgresStorage
from huey.storage import PriorityRedisStorage
from huey.storage import SqliteStorage
from imio.mailbridge.logs import about
from imio.mailbridge.taskqueue import heartbeat
from imio.mailbridge.taskqueue import lease
from imio.mailbridge.taskqueue.fair import FairHuey
from imio.mailbridge.taskqueue.publish import publish
from imio.mailbridge.taskqueue.replay import run_once
from imio.mailbridge.taskqueue.serializer import SignedJSONSerializer
from pathlib import Path
import App.config
import logging
import os
import re
import secrets
import time


#: Sending, and the sweeps.
NAME = "default"
#: What becomes of incoming mail.
FILING = "filing"
#: Verification of signatures by DNS, and passes over mailboxes.
NETWORK = "network"
#: What readers are shown of messages, and PDFs.
RENDITIONS = "renditions"
#: How many threads of a worker serve each queue.
WORKERS = {NAME: 3, FILING: 2, NETWORK: 1, RENDITIONS: 1}
#: How many of them one site may have: a server that answers slowly keeps no thread from the mail of other sites.
LIMITS = {NAME: 2}
URL = "MAILBRIDGE_QUEUE_URL"
KEY = "MAILBRIDGE_QUEUE_KEY"
#: Seconds for which a sweep of all sites is the only one: huey's scheduler in each process queues one a minute.
ONE_SWEEP = 50
#: Views of which one a site runs at a time; each bears a second one beside it, as its records have leases of their own.
ALONE = re.compile(r"/@@mailbridge-sweep-\w+$")
#: Seconds after which another one may run, although this one has not come back.
ALONE_FOR = 120

logger = logging.getLogger(__name__)


class QueueNotConfigured(Exception):
    """The environment names a queue that cannot be used; the text says why."""


def queue_url():
    """Return the URL of the queue; by default a SQLite file in the ``var`` folder of the instance."""
    default = Path(App.config.getConfiguration().clienthome) / "mailbridge-queue.sqlite"
    return os.environ.get(URL) or f"sqlite:///{default}"


def _key_beside(path):
    """Return the signing key kept beside a SQLite queue, made on first use; only its owner can read it."""
    key_path = path.with_suffix(".key")
    try:
        descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        for _ in range(50):  # the process that made the file may not have written it yet
            if key := key_path.read_bytes():
                return key
            time.sleep(0.1)
        raise QueueNotConfigured(f"{key_path} is empty: delete it and start again") from None
    with os.fdopen(descriptor, "wb") as stream:
        key = secrets.token_hex(32).encode()
        stream.write(key)
    return key


@dataclass(frozen=True)
class Queue:
    """A huey instance and the one task it knows: ``submit`` takes a delay in seconds and the arguments of ``_run``."""

    huey: FairHuey
    submit: Callable


def connect(url, key=None, name=NAME):
    """Return the ``Queue`` called ``name`` at ``url``; ``key`` (bytes) signs the tasks. Errors: ``QueueNotConfigured``."""
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        serializer = SignedJSONSerializer(key or _key_beside(path), name)
        storage, options = SqliteStorage, {"filename": str(path)}
    elif scheme in ("redis", "rediss", "postgresql"):
        if not key:
            raise QueueNotConfigured(
                f"{KEY} must be set (the same long random text in every process) when {URL} is a {scheme} URL"
            )
        serializer = SignedJSONSerializer(key, name)
        if scheme == "postgresql":
            storage, options = PostgresStorage, {"dsn": url}
        else:
            storage, options = PriorityRedisStorage, {"url": url}
    else:
        raise QueueNotConfigured(f"{URL} must start with sqlite:///, redis:// or postgresql://")
    stored_as = f"mailbridge-turns-{name}" if storage is PriorityRedisStorage else name
    huey = FairHuey(
        stored_as,
        _site_of,
        WORKERS[name],
        LIMITS.get(name),
        storage_class=storage,
        results=False,
        serializer=serializer,
        **options,
    )
    if (
        storage is SqliteStorage
    ):  # with its write-ahead log only a power failure loses tasks then, and it breaks nothing
        huey.storage.sql("pragma synchronous=normal")
    run_once(huey)
    if name == NAME:
        huey.periodic_task(crontab(minute="*"), name="sweep")(lambda: _sweep(huey.storage))
    task = huey.task(name="publish")(lambda *args: _run(huey.storage, *args))
    return Queue(huey, lambda delay, *args: task.schedule(args, delay=delay) if delay else task(*args))


def _site_of(task):
    """Return the path of the site that a task is for; that of a task of all sites is empty."""
    url, site = task.args[1:2], task.args[7:8]
    return site[0] if site else url[0].rpartition("/@@")[0] if url else ""


def _run(storage, task_id, url, method, params, headers, payload, userid, site=""):
    """Run a task: publish its request, or nothing where one like it is running and one is enough."""
    request = task_id, url, method, params, headers, payload, userid
    with about(record=params.get("id"), site=site, task=task_id):
        if not ALONE.search(url):
            publish(*request)
            return
        lease.clear(storage, waits(url))
        with lease.held(storage, url, ALONE_FOR) as is_first:
            if is_first:
                publish(*request)
            else:
                logger.info("%s is running already", url)


def waits(url):
    """Return the name of the lease that is held while a task waits of which one is enough."""
    return f"waits {url}"


def _sweep(storage):
    if lease.acquire(storage, "sweep", ONE_SWEEP) is not None:
        publish(None, "/@@mailbridge-sweep-sites", "POST", {}, {}, "", None)


@cache
def get_queue(name=NAME):
    """Return a queue of this process."""
    key = os.environ.get(KEY, "")
    return connect(queue_url(), key.encode() or None, name)


def beat():
    """Note that this process has a worker; its threads go on noting it."""
    for name in WORKERS:
        heartbeat.note(get_queue(name).huey, time.time())


def last_seen():
    """Return when a worker last noted that it lives (seconds since the epoch), or None; errors of the queue are raised."""
    return max(
        (beat.seen for name in WORKERS for beat in heartbeat.beats(get_queue(name).huey).values()),
        default=None,
    )
