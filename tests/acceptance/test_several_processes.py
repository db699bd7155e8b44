"""As a town runs it: two instances on a ZEO server, a worker process, and Redis as their queue."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.instance import BIN
from tests.servers.instance import Instance
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import os
import pytest
import socket
import subprocess


ZEO_CONF = """\
<zeo>
  address 127.0.0.1:{port}
</zeo>
<filestorage 1>
  path {var}/Data.fs
  blob-dir {var}/blobstorage
</filestorage>
"""


@pytest.fixture
def processes():
    """``processes(command)`` starts one; all are ended with the test."""
    started = []

    def start(*command, **environment):
        process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in reversed(started):
        process.terminate()
        process.wait(30)


@pytest.fixture
def town(tmp_path, processes, catcher):
    """Two instances without a worker of their own, on one ZEO and one Redis; its queue and its worker's command."""
    first = Instance(tmp_path / "made")
    first.make(catcher.port)
    zeo_port, redis_port = free_port(), free_port()
    var = first.home / "var"
    (tmp_path / "zeo.conf").write_text(ZEO_CONF.format(port=zeo_port, var=var))
    processes(BIN / "runzeo", "-C", tmp_path / "zeo.conf")
    server = required("redis-server", "redis-server")
    processes(server, "--bind", "127.0.0.1", "--port", redis_port, "--save", "", "--dir", tmp_path)
    for port in (zeo_port, redis_port):
        wait_for(lambda port=port: not socket.socket().connect_ex(("127.0.0.1", port)))
    queue = {"MAILBRIDGE_QUEUE_URL": f"redis://127.0.0.1:{redis_port}/0", "MAILBRIDGE_QUEUE_KEY": "shared"}
    zeo = f"127.0.0.1:{zeo_port}"
    instances = [Instance(tmp_path / name, zeo, MAILBRIDGE_WORKER="off", **queue) for name in ("one", "two")]
    for instance in instances:
        instance.start()
    worker = Instance(tmp_path / "worker", zeo, **queue)
    yield instances, lambda: processes(BIN / "mailbridge-worker", worker.home / "etc/zope.conf")
    for instance in instances:
        instance.stop()


def state(instance, id):
    return instance.get(f"/@outbox/{id}", "agent").json()["state"]


def test_a_worker_process_sends_what_the_instances_queue(town, catcher):
    (one, two), start_worker = town
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    ids = []
    for instance in (one, two):
        answer = instance.post("/outgoing-mail/invitation/@send-email", "agent", json=data)
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])
    assert not one.get("/@mailbridge-status", "chef").json()["worker"]["alive"]
    assert not catcher.messages
    start_worker()
    start_worker()  # two of them: each message leaves once
    wait_for(lambda: [state(two, id) for id in ids] == ["sent", "sent"], 60)
    assert len(catcher.messages) == 2
    assert one.get("/@mailbridge-status", "chef").json()["worker"]["alive"]


def test_workers_that_race_send_each_message_once(town, catcher):
    """Two worker processes with two threads each, and a task for each message: who comes second finds the lease."""
    (one, two), start_worker = town
    count = 60

    def send(number):
        data = {"to": [f"citizen{number}@citizen.test"], "subject": f"Message {number}", "body": "x"}
        instance = (one, two)[number % 2]
        return instance.post("/outgoing-mail/invitation/@send-email", "agent", json=data).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, range(count))) == {202}
    start_worker()
    start_worker()

    def counts():
        return one.get("/@mailbridge-status", "chef").json()["outbox"]

    wait_for(lambda: counts() == {"sent": count}, 90, lambda: str(counts()))
    recipients = Counter(message.rcpt_tos[0] for message in catcher.messages)
    assert recipients == {f"citizen{number}@citizen.test": 1 for number in range(count)}
    assert len({message_from_bytes(message.content)["Message-ID"] for message in catcher.messages}) == count


def test_two_instances_file_the_same_mail_once(town):
    (one, two), _start_worker = town
    raw = redirected("Par deux chemins")

    def post(instance):
        return instance.post("/@@mail-in", "gateway", data=raw, headers=TRUSTED)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, [one, two, one, two]))
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    found = one.get("/@search?portal_type=dmsincoming_email&SearchableText=chemins", "admin").json()
    assert found["items_total"] == 1
