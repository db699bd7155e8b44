"""Runs the tasks: threads in the instance, or processes of their own (``mailbridge-worker zope.conf``)."""

from imio.mailbridge.logs.formatter import handler
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.heartbeat import Consumer
from imio.mailbridge.taskqueue.heartbeat import PROCESS
from zc.lockfile import LockError
import argparse
import atexit
import logging
import os
import sys


#: Set to ``off`` in instances where ``mailbridge-worker`` processes do the work.
WORKER = "MAILBRIDGE_WORKER"

logger = logging.getLogger(__name__)


class EmbeddedConsumer(Consumer):
    """A consumer that leaves the signal handlers to the web server it lives in."""

    def _set_signal_handlers(self):
        pass


#: Seconds that a worker process waits at its end for a slow task; the sweep finds the record of one that was not done.
SHUTDOWN = 30


def _consumer(kind, name):
    return kind(
        queues.get_queue(name).huey,
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
        consumers = [_consumer(EmbeddedConsumer, name) for name in queues.WORKERS]
    except Exception:  # noqa: BLE001 - iA.docs must start even when the queue is down
        logger.exception("the worker of the mail bridge cannot start; mail is kept, but not sent or filed")
        return
    queues.beat()
    for consumer in consumers:
        consumer.start()
        atexit.register(consumer.stop)


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
        others = [_consumer(EmbeddedConsumer, name) for name in queues.WORKERS if name != queues.NAME]
        consumer = _consumer(Consumer, queues.NAME)
    except queues.QueueNotConfigured as error:
        sys.exit(f"mailbridge-worker: {error}")
    queues.beat()
    for other in others:
        other.start()
    consumer.run()
    for other in others:
        other.stop(graceful=True)
