"""A worker dies at each crash point, by SIGKILL, in front of a real SMTP peer that counts copies."""

from collections import Counter
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


pytestmark = pytest.mark.slow
SCRIPT = ROOT / "tests/servers/crash.py"
COUNT = 200


def run(instance, *arguments):
    """Run the worker that dies; return its exit status."""
    command = [BIN / "zconsole", "run", instance.home / "etc/zope.conf", SCRIPT, "--", *map(str, arguments)]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "MAILBRIDGE_WORKER": "off", "PYTHONPATH": path}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-3000:]
    return done.returncode


def test_nothing_is_lost_and_only_the_documented_point_repeats(demo, tmp_path):
    with Catcher() as peer:
        instance = copied(demo, tmp_path)
        assert run(instance, "submit", COUNT, peer.port) == 0
        # While a dialogue begins or goes on, what the server said of the message before is being committed.
        certain = possible = 0
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
            assert run(instance, "deliver", point, number) == -signal.SIGKILL
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
