"""A process with worker threads notes that it lives, and what they are at; at its end it takes the note back."""

from imio.mailbridge.taskqueue import heartbeat
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.worker import EmbeddedConsumer
from tests.servers.queues import KINDS
from tests.servers.queues import queue_url
from tests.servers.waiting import wait_for
import pytest
import threading


@pytest.mark.parametrize("kind", KINDS)
def test_process_notes_what_its_threads_do(kind, tmp_path, monkeypatch):
    hang = threading.Event()
    monkeypatch.setattr(queues, "publish", lambda *_args: hang.wait(120))
    monkeypatch.setattr(heartbeat, "EVERY", 0)
    with queue_url(kind, tmp_path) as url:
        queue, other = queues.connect(url, b"key"), queues.connect(url, b"key")
        consumer = EmbeddedConsumer(
            queue.huey, workers=queue.huey.threads, max_delay=0.1, shutdown_timeout=30, periodic=False
        )

        def beat():
            return heartbeat.beats(other.huey).get(heartbeat.process_name())

        assert beat() is None
        consumer.start()
        try:
            wait_for(beat)
            assert (beat().kind, beat().threads, beat().busy) == ("instance", queues.WORKERS[queues.NAME], ())
            other.submit(0, None, "/a/@@probe", "POST", {}, {}, "", None)
            wait_for(lambda: beat().busy)
            assert beat().is_alive(beat().seen)
            monkeypatch.setattr(heartbeat, "HANGS_AFTER", -1)
            assert beat().hanging == 1
        finally:
            hang.set()
            consumer.stop(graceful=True)
        assert beat() is None
