"""The queues of a process, each a huey instance at ``MAILBRIDGE_QUEUE_URL`` with worker threads of its own.

What an agent sends never waits behind what comes in, and neither waits behind what is slow: DNS, mailboxes and renditions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from huey import crontab
from huey import Huey
from huey import PostgresHuey
from huey import RedisHuey
from huey import SqliteHuey
from imio.mailbridge.taskqueue.publish import publish
from imio.mailbridge.taskqueue.replay import run_once
from imio.mailbridge.taskqueue.serializer import SignedJSONSerializer
from pathlib import Path
import App.config
import logging
import os
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
WORKERS = {NAME: 2, FILING: 2, NETWORK: 1, RENDITIONS: 1}
URL = "MAILBRIDGE_QUEUE_URL"
KEY = "MAILBRIDGE_QUEUE_KEY"
HEARTBEAT = "heartbeat"

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
    """A huey instance and the one task it knows: ``submit`` takes a delay in seconds and the arguments of ``publish``."""

    huey: Huey
    submit: Callable


def connect(url, key=None, name=NAME):
    """Return the ``Queue`` called ``name`` at ``url``; ``key`` (bytes) signs the tasks. Errors: ``QueueNotConfigured``."""
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        serializer = SignedJSONSerializer(key or _key_beside(path), name)
        huey = SqliteHuey(name, filename=str(path), results=False, serializer=serializer)
    elif scheme in ("redis", "rediss", "postgresql"):
        if not key:
            raise QueueNotConfigured(
                f"{KEY} must be set (the same long random text in every process) when {URL} is a {scheme} URL"
            )
        serializer = SignedJSONSerializer(key, name)
        if scheme == "postgresql":
            huey = PostgresHuey(name, dsn=url, results=False, serializer=serializer)
        else:
            huey = RedisHuey(f"mailbridge-{name}", url=url, results=False, serializer=serializer)
    else:
        raise QueueNotConfigured(f"{URL} must start with sqlite:///, redis:// or postgresql://")
    run_once(huey)
    if name == NAME:
        huey.periodic_task(crontab(minute="*"), name="sweep")(_sweep)
    task = huey.task(name="publish")(publish)
    return Queue(huey, lambda delay, *args: task.schedule(args, delay=delay) if delay else task(*args))


def _sweep():
    beat()
    publish(None, "/@@mailbridge-sweep-sites", "POST", {}, {}, "", None)


@cache
def get_queue(name=NAME):
    """Return a queue of this process."""
    key = os.environ.get(KEY, "")
    return connect(queue_url(), key.encode() or None, name)


def beat():
    """Note that a worker is alive; ``last_seen`` says when."""
    get_queue().huey.put(HEARTBEAT, time.time())


def last_seen():
    """Return when a worker last did something (seconds since the epoch), or None; errors of the queue are raised."""
    return get_queue().huey.get(HEARTBEAT, peek=True)
