"""Runs the tasks: threads in the instance, or processes of their own (``mailbridge-worker zope.conf``)."""

from imio.mailbridge.logs.formatter import handler
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import stopping
from imio.mailbridge.taskqueue.heartbeat import Consumer
from imio.mailbridge.taskqueue.heartbeat import PROCESS
from zc.lockfile import LockError
import argparse
import atexit
import contextlib
import logging
import os
import signal
import sys
import time


#: Set to ``off`` in instances where ``mailbridge-worker`` processes do the work.
WORKER = "MAILBRIDGE_WORKER"

logger = logging.getLogger(__name__)


class EmbeddedConsumer(Consumer):
    """A consumer that leaves the signal handlers to the process that it lives in."""

    def _set_signal_handlers(self):
        pass


#: Seconds that a worker process waits at its end for a slow task; the sweep finds the record of one that was not done.
SHUTDOWN = 30


#: Seconds after which a thread that died is replaced.
HEALTH_CHECK = 10


def _queue(name):
    """Return a queue; of processes that make the tables of an empty PostgreSQL at the same time all but one fail, once."""
    try:
        return queues.get_queue(name)
    except queues.QueueNotConfigured:
        raise
    except Exception:  # noqa: BLE001 - of the client of the queue
        time.sleep(1)
        return queues.get_queue(name)


def _consumer(name):
    return EmbeddedConsumer(
        _queue(name).huey,
        workers=queues.WORKERS[name],
        max_delay=0.5,
        scheduler_interval=1,
        shutdown_timeout=SHUTDOWN,
    )


def start_embedded(event):
    """Start the worker threads of this instance (subscriber of ``IProcessStarting``)."""
    if os.environ.get(WORKER, "").lower() == "off":
        logger.info("no worker in this instance (%s=off)", WORKER)
        return
    try:
        consumers = [_consumer(name) for name in queues.WORKERS]
    except Exception:  # noqa: BLE001 - iA.docs must start even when the queue is down
        logger.exception("the worker of the mail bridge cannot start; mail is kept, but not sent or filed")
        return
    queues.beat()
    for consumer in consumers:
        consumer.start()
        atexit.register(consumer.stop)


def drain(consumers, seconds):
    """Let the tasks in hand end, and take no others; tell whether all ended within ``seconds``."""
    stopping.stop()
    end = time.monotonic() + seconds
    for consumer in consumers:
        consumer.stop_flag.set()
    for consumer in consumers:
        consumer.shutdown_timeout = max(end - time.monotonic(), 0)
        consumer.stop(graceful=True)
    return not any(thread.is_alive() for consumer in consumers for _worker, thread in consumer.worker_threads)


def main(argv=None):
    """Run a worker process for the instance of ``zope.conf`` until it gets SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="mailbridge-worker", description=main.__doc__)
    parser.add_argument("zope_conf", help="configuration of the instance, as for runwsgi")
    arguments = parser.parse_args(argv)
    os.environ[WORKER] = "off"
    PROCESS["kind"] = "worker"
    logging.basicConfig(level=logging.INFO, handlers=[handler()])
    from Zope2.Startup.run import configure_wsgi

    configure_wsgi(arguments.zope_conf)
    import Zope2

    try:
        Zope2.startup_wsgi()
    except LockError:
        sys.exit(
            "mailbridge-worker: another process has this database; a worker beside instances needs ZEO or RelStorage"
        )
    try:
        consumers = [_consumer(name) for name in queues.WORKERS]
    except queues.QueueNotConfigured as error:
        sys.exit(f"mailbridge-worker: {error}")
    queues.beat()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        for consumer in consumers:
            consumer.start()
        logger.info("worker started")
        while True:
            time.sleep(HEALTH_CHECK)
            for consumer in consumers:
                consumer.check_worker_health()
    logger.info("no other task is taken; those in hand have %s s", SHUTDOWN)
    if not drain(consumers, SHUTDOWN):
        logger.warning("tasks were not done within %s s; the sweep will find their records", SHUTDOWN)
        logging.shutdown()
        os._exit(0)  # their threads would hold the process
