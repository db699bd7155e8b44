"""Measures how long an agent's e-mail waits behind incoming mail. Run by ``make bench``; alone: ``python -m devel.bench_waiting``.

200 messages are accepted and wait to be filed, verified and rendered; then an agent sends e-mails, one after the other.
"""

from devel.bench_incoming import row
from pathlib import Path
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.catcher import Catcher
from tests.servers.instance import Instance
from tests.servers.waiting import wait_for
import statistics
import tempfile
import time


COUNT, SENDS = 200, 5


def _seconds_to_leave(instance, catcher, number):
    """Send an e-mail; return the seconds until the server has it."""
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": f"bench {number}", "body": "<p>Bonjour</p>"}
    start = time.perf_counter()
    answer = instance.post("/outgoing-mail/invitation/@send-email", "agent", json=data)
    assert answer.status_code == 202, answer.text
    wait_for(lambda: any(f"bench {number}".encode() in each.content for each in catcher.messages))
    return time.perf_counter() - start


def _accept(instance, count):
    for number in range(count):
        raw = redirected(f"Demande {number}")
        headers = {**TRUSTED, "Prefer": "respond-async"}
        answer = instance.post("/@@mail-in", "gateway", data=raw, headers=headers)
        assert answer.status_code == 202, answer.text


def _waiting(instance):
    return instance.get("/@mail-in?state=received", "chef").json()["items_total"]


def main():
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, Catcher() as catcher:
        instance = Instance(Path(folder))
        instance.make(catcher.port)
        instance.start()
        try:
            instance.set(undo_seconds=0)
            idle = statistics.median(_seconds_to_leave(instance, catcher, f"idle {n}.") for n in range(SENDS))
            instance.stop()
            instance.start(MAILBRIDGE_WORKER="off")
            _accept(instance, COUNT)
            instance.stop()
            instance.start()
            waiting = _waiting(instance)
            behind = [_seconds_to_leave(instance, catcher, f"busy {n}.") for n in range(SENDS)]
            left = _waiting(instance)
            wait_for(lambda: not _waiting(instance), 900)
            rendering = [_seconds_to_leave(instance, catcher, f"rendering {n}.") for n in range(SENDS)]
        finally:
            instance.stop()
    row("an agent's e-mail reaches the server, idle", f"{idle:.2f}", "s")
    note = f"median {statistics.median(behind):.2f}; {waiting} to file at first, {left} at last"
    row(f"  behind {COUNT} incoming messages, slowest of {SENDS}", f"{max(behind):.2f}", "s", note)
    row(
        "  while these are rendered",
        f"{max(rendering):.2f}",
        "s",
        f"median {statistics.median(rendering):.2f}",
    )


if __name__ == "__main__":
    main()
