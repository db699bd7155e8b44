"""A worker dies at each crash point, by SIGKILL, in front of a real SMTP peer that counts copies."""

from collections import Counter
from contextlib import contextmanager
from email import message_from_bytes
from tests.servers.catcher import Catcher
from tests.servers.instance import BIN
from tests.servers.instance import copied
from tests.servers.instance import ROOT
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import os
import pytest
import signal
import subprocess
import threading


pytestmark = pytest.mark.slow
SCRIPT = ROOT / "tests/servers/crash.py"
COUNT = 200


@contextmanager
def program(instance):
    """``run(*words)`` has a process do what ``tests/servers/crash.py`` says, and returns its exit status."""
    command = [BIN / "zconsole", "run", instance.home / "etc/zope.conf", SCRIPT]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "MAILBRIDGE_WORKER": "off", "PYTHONPATH": path}
    errors = instance.home / "crash.log"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with errors.open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, **pipes)
    too_late = threading.Timer(TIMEOUT, process.kill)
    too_late.start()

    def run(*words):
        print(*words, file=process.stdin)
        status = process.stdout.readline().strip()
        assert status in ("0", str(-signal.SIGKILL)), errors.read_text()[-3000:]
        return int(status)

    try:
        with process:
            yield run
    finally:
        too_late.cancel()


def test_nothing_is_lost_and_only_the_documented_point_repeats(demo, tmp_path):
    with Catcher() as peer:
        instance = copied(demo, tmp_path)
        # While a dialogue begins or goes on, what the server said of the message before is being committed.
        certain = possible = 0
        with program(instance) as run:
            assert run("submit", COUNT, peer.port) == 0
            for point, number in (
                ("claimed", 1),
                ("claimed", 20),
                ("data", 1),
                ("data", 25),
                ("taken", 1),
                ("taken", 30),
                ("documents", 1),
            ):
                before = len(peer.messages)
                assert run("deliver", point, number) == -signal.SIGKILL
                sent = len(peer.messages) - before
                assert sent == {"claimed": number - 1, "data": number - 1, "taken": number}.get(point, sent)
                certain += point == "taken" or (point == "claimed" and number > 1)
                possible += point == "data" and number > 1
        instance.start()
        try:
            instance.sweep()
            wait_for(lambda: instance.get("/@mailbridge-status", "chef").json()["outbox"] == {"sent": COUNT})

            def document():
                return instance.get("/outgoing-mail/permis-durbanisme", "admin").json()

            wait_for(lambda: document()["review_state"] == "sent")
            assert document()["email_status"]
        finally:
            instance.stop()

        copies = Counter(message_from_bytes(message.content)["Message-ID"] for message in peer.messages)
        recipients = {message.rcpt_tos[0] for message in peer.messages}
        assert len(recipients) == len(copies) == COUNT, "none is lost, and a copy has the same Message-ID"
        repeated = sum(copies.values()) - COUNT
        # a message that the next worker begins with may be hit twice
        assert certain <= repeated <= certain + possible, "one more for each 250 that was not written down"
