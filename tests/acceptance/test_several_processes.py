"""As a town runs it: two instances on a ZEO server, a worker process, and Redis as their queue."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from imio.mailbridge.taskqueue.lease import clear
from imio.mailbridge.taskqueue.queue import connect
from tests.mails import redirected
from tests.servers.instance import BIN
from tests.servers.instance import copied
from tests.servers.instance import Instance
from tests.servers.redis import redis_server
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
from tests.servers.zeo import zeo_server
import contextlib
import pytest
import subprocess


pytestmark = pytest.mark.slow


@contextlib.contextmanager
def processes():
    """``start(command)`` starts a process; all are ended with the block."""
    started = []

    def start(*command):
        command = [str(part) for part in command]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(TIMEOUT)


@pytest.fixture(scope="module")
def town(demo, tmp_path_factory):
    """Two instances without a worker of their own, on one ZEO and one Redis, and the configuration of a worker process."""
    folder = tmp_path_factory.mktemp("town")
    var = copied(demo, folder / "made").home / "var"
    (folder / "redis").mkdir()
    with contextlib.ExitStack() as stack:
        zeo = stack.enter_context(zeo_server(var))
        url = stack.enter_context(redis_server(folder / "redis"))
        queue = {"MAILBRIDGE_QUEUE_URL": url, "MAILBRIDGE_QUEUE_KEY": "shared"}
        instances = [
            Instance(folder / name, zeo, pdf=False, MAILBRIDGE_WORKER="off", **queue)
            for name in ("one", "two")
        ]
        for instance in instances:
            stack.callback(instance.stop)
            instance.start()
        instances[0].queue_url = queue["MAILBRIDGE_QUEUE_URL"]
        yield *instances, Instance(folder / "worker", zeo, **queue)


@pytest.fixture
def start_worker(town, catcher):
    """``start_worker()`` starts a worker process, ended with the test; the mail goes to ``catcher``."""
    one, _two, worker = town
    one.set(smtp_port=catcher.port)
    with processes() as start:
        yield lambda: start(BIN / "mailbridge-worker", worker.home / "etc/zope.conf")


def state(instance, id):
    return instance.get(f"/@outbox/{id}", "agent").json()["state"]


def test_a_worker_process_sends_what_the_instances_queue(town, start_worker, catcher):
    one, two, _worker = town
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
    wait_for(lambda: [state(two, id) for id in ids] == ["sent", "sent"])
    assert len(catcher.messages) == 2
    assert one.get("/@mailbridge-status", "chef").json()["worker"]["alive"]


def test_workers_that_race_send_each_message_once(town, start_worker, catcher):
    """Two worker processes with two threads each, and a task for each message: who comes second finds the lease."""
    one, two, _worker = town
    count = 60

    def send(number):
        data = {"to": [f"citizen{number}@citizen.test"], "subject": f"Message {number}", "body": "x"}
        instance = (one, two)[number % 2]
        return instance.post("/outgoing-mail/invitation/@send-email", "agent", json=data).status_code

    def counts():
        return one.get("/@mailbridge-status", "chef").json()["outbox"]

    sent_before = counts().get("sent", 0)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, range(count))) == {202}
    start_worker()
    start_worker()
    wait_for(lambda: counts() == {"sent": sent_before + count}, what=lambda: str(counts()))
    recipients = Counter(message.rcpt_tos[0] for message in catcher.messages)
    assert recipients == {f"citizen{number}@citizen.test": 1 for number in range(count)}
    assert len({message_from_bytes(message.content)["Message-ID"] for message in catcher.messages}) == count


def test_sweeps_beside_each_other_send_each_message_once(town, start_worker, catcher):
    """The tasks are lost, and the lease of a sweep is ended again and again, as if each lived longer than it."""
    one, _two, _worker = town
    count = 40
    for number in range(count):
        data = {"to": [f"swept{number}@citizen.test"], "subject": f"Swept {number}", "body": "x"}
        assert one.post("/outgoing-mail/invitation/@send-email", "agent", json=data).status_code == 202
    queue = connect(one.queue_url, b"shared")
    queue.huey.flush()
    url = "/iadocs/@@mailbridge-sweep-outbox"
    for _ in range(8):
        queue.submit(0, None, url, "POST", {}, {}, "", None)
    start_worker()
    start_worker()

    def is_sent():
        clear(queue.huey.storage, url)
        return one.get("/@mailbridge-status", "chef").json()["outbox"].keys() == {"sent"}

    wait_for(is_sent)
    recipients = Counter(message.rcpt_tos[0] for message in catcher.messages)
    assert recipients == {f"swept{number}@citizen.test": 1 for number in range(count)}
    workers = one.get("/@mailbridge-status", "chef").json()["workers"]
    assert [(each["kind"], each["alive"]) for each in workers] == [("worker", True)] * 2


def test_two_instances_file_the_same_mail_once(town):
    one, two, _worker = town
    raw = redirected("Par deux chemins")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda instance: instance.mail_in(raw), [one, two, one, two]))
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    found = one.get("/@search?portal_type=dmsincoming_email&SearchableText=chemins", "admin").json()
    assert found["items_total"] == 1


def test_a_storm_of_pipes_is_filed_once_each(town):
    """Eight pipes at two instances: no pipe sees a conflict, no message is filed twice, no reference is given twice."""
    one, two, _worker = town
    count = 48
    mails = [
        redirected(f"Tempête {number}", From=f"Jeanne Dupont <storm{number}@citizen.test>")
        for number in range(count)
    ]

    def deliver(number):
        return (one, two)[number % 2].mail_in(mails[number])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, range(count)))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    found = one.get(
        "/@search?portal_type=dmsincoming_email&SearchableText=Tempête&fullobjects=1&b_size=200", "admin"
    ).json()
    assert sorted(item["title"] for item in found["items"]) == sorted(
        f"Tempête {number}" for number in range(count)
    )
    assert len({item["internal_reference_no"] for item in found["items"]}) == count
    assert {item["@id"].rpartition("/")[2] for item in found["items"]} == {
        item["internal_reference_no"].lower() for item in found["items"]
    }
    for answer in answers:
        record = one.get(f"/@mail-in/{answer.json()['id']}", "chef").json()
        assert [line["state"] for line in record["history"]] == ["received", "filed"]
