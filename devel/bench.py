"""The benchmark: ``make bench`` prints figures and ratios; nothing here passes or fails.

Each figure comes from real parts: a Plone process with the demo, an SMTP server on loopback, the corpus of the tests.
"""

from devel import bench_filing
from devel import bench_gateway
from devel import bench_growth
from devel import bench_incoming
from devel import bench_lists
from devel import bench_pages
from devel import bench_sending
from devel import bench_throughput
from devel import bench_waiting
from devel.bench_incoming import row
from pathlib import Path
from tests.servers.catcher import Catcher
from tests.servers.instance import Instance
from tests.servers.waiting import wait_for
import statistics
import tempfile
import time


ROUNDS = 20


def site():
    """Submit with a fast and with a stalling SMTP server."""
    with tempfile.TemporaryDirectory() as folder, Catcher() as catcher:
        instance = Instance(Path(folder))
        instance.make(catcher.port)
        instance.start()
        try:
            _submitting(instance, catcher)
        finally:
            instance.stop()


def _timed(call, rounds=ROUNDS):
    call(0)
    times = []
    for number in range(1, rounds + 1):
        start = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def _submitting(instance, catcher):
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "bench", "body": "<p>" + "x" * 15_000 + "</p>"}

    def submit(number):
        answer = instance.post("/outgoing-mail/invitation/@send-email", "agent", json=data)
        assert answer.status_code == 202, answer.text

    quick = _timed(submit)
    wait_for(lambda: not instance.get("/@outbox?state=queued", "chef").json()["items_total"], 120)
    catcher.answers["data"] = lambda envelope: time.sleep(5)
    stalled = _timed(submit)
    row("POST @send-email, 15 kB", f"{quick:.0f}", "ms")
    row("  with an SMTP server that stalls 5 s", f"{stalled:.0f}", "ms", f"ratio {stalled / quick:.2f}")


def main():
    """Print the table."""
    bench_incoming.main()
    bench_filing.main()
    bench_lists.main()
    bench_pages.main()
    bench_gateway.main()
    site()
    bench_sending.main()
    bench_waiting.main()
    bench_growth.main()
    bench_throughput.main()


if __name__ == "__main__":
    main()
