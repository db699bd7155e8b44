"""Redis is emptied while tasks wait in it, and clocks are wrong: what waits is done all the same, and once."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from tests.mails import redirected
from tests.servers.load import DOCUMENT
from tests.servers.load import filed
from tests.servers.load import inbox
from tests.servers.load import sent
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import contextlib
import os
import pytest
import signal
import socket
import time


pytestmark = pytest.mark.slow
HOUR, DAY = 3600, 86400
#: Longer than a sweep leaves a message to the request that files it, in seconds.
AFTER_A_REQUEST = 150
COUNT = 5


def status(town):
    return town.one.get("/@mailbridge-status", "chef").json()


def send(town, subject, **data):
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": subject, "body": "x", **data}
    answer = town.two.post(DOCUMENT, "agent", json=data)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def fill(town, word):
    """Queue mail in and out; nothing works on it yet."""
    for number in range(COUNT):
        assert town.one.mail_in(redirected(f"{word} {number}"), Prefer="respond-async").status_code == 202
        send(town, f"{word} {number}")


def check(town, catcher, *words):
    """Each message is one record, one document, one e-mail."""
    once = {f"{word} {number}": 1 for word in words for number in range(COUNT)}
    assert inbox(town.one) == {(subject, "filed"): 1 for subject in once}
    assert once.items() <= filed(town.one).items()
    assert sent(catcher)[0] == once


def test_redis_is_flushed_while_tasks_wait(processes, catcher):
    """Users see "received" and "queued" some minutes longer, until a sweep; nothing is to be done."""
    fill(processes, "Un")
    processes.flush_queue()
    processes.worker.start(ahead=AFTER_A_REQUEST)

    def done():
        processes.sweep()
        time.sleep(0.5)
        found = status(processes)
        return (found["inbox"], found["outbox"]) == ({"filed": COUNT}, {"sent": COUNT})

    wait_for(done, what=lambda: str(status(processes)))
    check(processes, catcher, "Un")


@pytest.mark.parametrize("ahead", [DAY + HOUR, -DAY - HOUR])
def test_the_clock_of_the_worker_is_wrong(processes, catcher, ahead):
    """Mail is filed, and leaves at once. What is to leave at a time leaves by the clock of the worker: early, or late. A worker
    that is behind counts as none in ``@mailbridge-status``, which raises the alarm. With the right clock all goes on.
    """
    fill(processes, "Un")
    later = send(processes, "Plus tard", send_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    processes.worker.start(ahead=ahead)
    state = lambda: processes.one.get(f"/@outbox/{later}", "agent").json()["state"]  # noqa: E731

    def done():
        processes.sweep()
        time.sleep(0.5)
        found = status(processes)
        is_sent = found["outbox"].get("sent") == COUNT + (ahead > 0)
        return is_sent and found["inbox"] == {"filed": COUNT}

    wait_for(done, what=lambda: str(status(processes)))
    assert state() == ("sent" if ahead > 0 else "scheduled")
    assert status(processes)["worker"]["alive"] is (ahead > 0)
    processes.worker.stop()
    processes.worker.start()
    processes.one.post(f"/@outbox/{later}/cancel", "agent")
    fill(processes, "Deux")
    wait_for(lambda: status(processes)["inbox"] == {"filed": 2 * COUNT})
    wait_for(lambda: status(processes)["outbox"].get("sent") == 2 * COUNT + (ahead > 0))
    subjects, _ids = sent(catcher)
    assert subjects.pop("Plus tard", 0) == (ahead > 0)
    assert set(subjects.values()) == set(inbox(processes.one).values()) == {1}


@contextlib.contextmanager
def silent_server():
    """An SMTP server that takes connections and says nothing; yields its port and its socket."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        yield server.getsockname()[1], server


def test_a_worker_whose_clock_is_ahead_does_not_send_what_another_one_is_sending(processes):
    """Nothing: the message stays with the worker that has it. The log of the other says that its clock is wrong."""
    with silent_server() as (port, server):
        processes.one.set(smtp_port=port)
        id = send(processes, "Lent")
        processes.worker.start()
        message = lambda: processes.one.get(f"/@outbox/{id}", "agent").json()  # noqa: E731
        wait_for(lambda: message()["state"] == "sending")
        server.settimeout(60)
        connection, _address = server.accept()
        os.kill(processes.worker.process_id, signal.SIGSTOP)
        before = message()["timeline"]
        other = processes.other_worker
        other.start(ahead=HOUR)
        try:

            def has_swept():
                processes.sweep()
                time.sleep(0.5)
                return "clock of this worker" in other.log_text or message()["timeline"] != before

            wait_for(has_swept)
            assert message()["timeline"] == before
            server.settimeout(2)
            with pytest.raises(TimeoutError):
                server.accept()
        finally:
            other.stop(kill=True)
            connection.close()
            processes.worker.stop(kill=True)
