"""Tasks: queued on commit only, run as who queued them, out of reach from the web, believed only when signed."""

from imio.mailbridge import taskqueue
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound import tasks
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.taskqueue import enqueue
from imio.mailbridge.taskqueue import heartbeat
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.publish import publish
from imio.mailbridge.taskqueue.serializer import SignedJSONSerializer
from imio.mailbridge.taskqueue.serializer import UntrustedTask
from plone import api
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from Products.Five.browser import BrowserView
from tests.mails import redirected
from tests.servers.redis import redis_server
from ZODB.POSException import ConflictError
from zope.component import provideAdapter
from zope.component.hooks import setSite
from zope.interface import Interface
import contextlib
import json
import os
import pytest
import signal
import stat
import time
import transaction


SEEN = []


class Probe(BrowserView):
    """Notes what a task is like from the inside."""

    def __call__(self):
        user = api.user.get_current()
        SEEN.append(
            {
                "user": user.getId(),
                "roles": set(user.getRoles()),
                "form": dict(self.request.form),
                "task": self.request.getHeader("X-Task-Id"),
                "note": self.request.getHeader("X-Note"),
                "body": self.request.stdin.getvalue(),
            }
        )
        if self.request.form.get("conflict") and len(SEEN) < 3:
            raise ConflictError
        if self.request.form.get("fail"):
            raise RuntimeError("broken task")
        return "done"


@pytest.fixture
def probe(site):
    """Register the view ``@@probe`` on the task layer."""
    from imio.mailbridge.taskqueue.interfaces import ITaskLayer
    from zope.component import getGlobalSiteManager

    SEEN.clear()
    provideAdapter(Probe, (Interface, ITaskLayer), Interface, "probe")
    yield "/plone/@@probe"
    getGlobalSiteManager().unregisterAdapter(Probe, (Interface, ITaskLayer), Interface, "probe")


@pytest.fixture
def queue(site):
    """The queue of the tests, empty."""
    queue = queues.get_queue()
    queue.huey.storage.flush_all()
    yield queue
    queue.huey.storage.flush_all()


def run(queue):
    """Do what a worker does, once."""
    task = queue.huey.dequeue()
    return task and queue.huey.execute(task)


def test_queued_only_when_the_transaction_commits(site, queue):
    taskqueue.add("/plone/@@probe")
    assert queue.huey.pending_count() == 0
    transaction.abort()
    assert queue.huey.pending_count() == 0
    taskqueue.add("/plone/@@probe")
    transaction.commit()
    assert queue.huey.pending_count() == 1


def test_runs_as_the_user_who_queued_it(site, queue, probe):
    login(site.portal, "agent")
    id = taskqueue.add(probe, "POST", params={"a": "é&b"}, headers={"X-Note": "n"}, payload="payloadé")
    transaction.commit()
    run(queue)
    (seen,) = SEEN
    assert (seen["user"], seen["task"], seen["note"]) == ("agent", id, "n")
    assert seen["form"] == {"a": "é&b"}
    assert seen["body"] == "payloadé".encode()
    assert "Manager" not in seen["roles"]


def test_user_of_the_zope_root_keeps_the_roles(site, queue, probe):
    login(site.portal.aq_parent, SITE_OWNER_NAME)
    taskqueue.add(probe)
    transaction.commit()
    run(queue)
    assert SEEN[0]["user"] == SITE_OWNER_NAME
    assert "Manager" in SEEN[0]["roles"]


def test_user_who_is_gone_is_nobody(site, probe):
    publish("id", probe, "GET", {}, {}, "", "agent-who-left")
    assert SEEN[0]["user"] is None


@pytest.mark.parametrize("header", ["X-Task-User-Id", "mailbridge.userid", "X-Task-Id", "Mailbridge.Userid"])
@pytest.mark.parametrize("view", ["@@probe", "@@mailbridge-deliver?id=x", "@@mailbridge-process?id=x"])
def test_out_of_reach_from_the_web(site, probe, view, header):
    for user in (None, "agent", "admin"):
        answer = site.get(f"/{view}", user, headers={header: "admin"})
        assert answer.status_code == 404, (view, user)
    assert not SEEN


def test_the_user_header_means_nothing_on_the_web(site):
    answer = site.get("/@outbox", headers={"mailbridge.userid": "chef", "X-Task-User-Id": "chef"})
    assert answer.status_code == 401


def test_conflict_is_retried_on_the_same_layer(site, probe):
    assert publish("id", probe, "GET", {"conflict": "1"}, {}, "", "agent") == 200
    assert [seen["user"] for seen in SEEN] == ["agent"] * 3


def test_error_is_an_answer_and_the_worker_lives(site, probe):
    assert publish("id", probe, "GET", {"fail": "1"}, {}, "", None) == 500
    assert publish("id", "/plone/@@no-such-view", "GET", {}, {}, "", None) == 404


def test_unreachable_queue_fails_no_request(site, monkeypatch, caplog):
    monkeypatch.setattr(enqueue.queues, "get_queue", lambda: 1 / 0)
    taskqueue.add("/plone/@@probe")
    transaction.commit()
    assert "could not be queued" in caplog.text


def test_queue_that_no_worker_reads(site):
    with pytest.raises(ValueError, match="no worker"):
        taskqueue.add("/plone/@@probe", queue="slow")
    with pytest.raises(ValueError, match="path"):
        taskqueue.add("https://elsewhere.test/")


def test_tasks_are_signed_json(site, queue):
    taskqueue.add("/plone/@@probe")
    transaction.commit()
    (data,) = queue.huey.storage.enqueued_items()
    text, _, signature = bytes(data).rpartition(b".")
    assert len(signature) == 43  # HMAC-SHA256 in base64
    assert json.loads(text)["message"][1].endswith("publish")
    other = SignedJSONSerializer(b"other key", queues.NAME)
    with pytest.raises(UntrustedTask):
        other.deserialize(data)
    with pytest.raises(UntrustedTask):
        queue.huey.serializer.deserialize(bytes(data).replace(b"@@probe", b"@@other"))


def test_forged_task_is_thrown_away(site, queue, probe):
    forged = SignedJSONSerializer(b"guess", queues.NAME).serialize("x")
    queue.huey.storage.enqueue(forged)
    with pytest.raises(UntrustedTask):
        queue.huey.dequeue()
    assert queue.huey.pending_count() == 0
    assert not SEEN


def test_key_file_is_for_its_owner_alone(tmp_path):
    queue = queues.connect(f"sqlite:///{tmp_path}/q.sqlite")
    key = tmp_path / "q.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = queues.connect(f"sqlite:///{tmp_path}/q.sqlite")
    queue.submit(0, "id", "/x", "GET", {}, {}, "", None)
    assert again.huey.dequeue().args[0] == "id"


def test_a_task_with_a_time_waits_for_it(tmp_path):
    queue = queues.connect(f"sqlite:///{tmp_path}/q.sqlite")
    queue.submit(3600, "later", "/x", "GET", {}, {}, "", None)
    task = queue.huey.dequeue()
    assert task.args[0] == "later"
    assert not queue.huey.ready_to_run(task)
    queue.huey.add_schedule(task)
    assert queue.huey.read_schedule() == []
    assert queue.huey.scheduled()[0].eta == task.eta


@pytest.mark.parametrize("url", ["redis://localhost", "postgresql:///x"])
def test_shared_queue_needs_a_shared_key(url):
    with pytest.raises(queues.QueueNotConfigured, match="MAILBRIDGE_QUEUE_KEY"):
        queues.connect(url)


def test_unknown_kind_of_queue():
    with pytest.raises(queues.QueueNotConfigured, match="redis://"):
        queues.connect("amqp://localhost")


def test_redis(tmp_path):
    with redis_server(tmp_path) as url:
        queue = queues.connect(url, b"key")
        queue.submit(0, "id", "/x", "GET", {}, {}, "", None)
        assert queue.huey.dequeue().args[1] == "/x"
        queue.huey.put("number", 1.5)
        assert queue.huey.get("number", peek=True) == 1.5


def test_sweep_reaches_every_site_with_the_bridge(site, queue):
    assert publish(None, "/@@mailbridge-sweep-sites", "POST", {}, {}, "", None) == 204
    urls = [queue.huey.dequeue().args[1] for _ in range(queue.huey.pending_count())]
    views = ("outbox", "inbox", "mailboxes", "renditions")
    assert urls == [f"/plone/@@mailbridge-sweep-{view}" for view in views]
    for url in urls:
        assert publish(None, url, "POST", {}, {}, "", None) == 204


def test_sweep_is_periodic(queue):
    assert "sweep" in [task.name for task in queue.huey.read_periodic(None)]


@pytest.fixture
def notes(site):
    """What processes noted of themselves, empty; ``notes(name, queue, …)`` writes what a process would."""

    def empty():
        for name in queues.WORKERS:
            queues.get_queue(name).huey.notes.flush_results()

    def write(process, queue, **changes):
        beat = {"kind": "worker", "since": time.time() - 90, "seen": time.time(), "threads": 1, "busy": []}
        huey = queues.get_queue(queue).huey
        huey.notes.put_data(process, json.dumps(beat | changes).encode())

    empty()
    yield write
    empty()


def status(site):
    return site.get("/@mailbridge-status", "chef").json()


def test_heartbeat_of_this_process(site, notes):
    assert queues.last_seen() is None
    assert status(site)["worker"] == {"alive": False, "last_seen": None}
    assert status(site)["workers"] == []
    queues.beat()
    (worker,) = status(site)["workers"]
    assert worker["name"] == heartbeat.process_name()
    assert worker["alive"] is True
    assert set(worker["queues"]) == set(queues.WORKERS)
    assert status(site)["worker"] == {"alive": True, "last_seen": worker["last_seen"]}


def test_workers_of_several_machines(site, notes):
    for name in queues.WORKERS:
        notes("one:1", name, threads=2, busy=[0.5])
    notes("two:2", "default", kind="instance")
    one, two = status(site)["workers"]
    assert (one["name"], one["kind"], two["name"], two["kind"]) == ("one:1", "worker", "two:2", "instance")
    assert one["queues"]["filing"] == {"threads": 2, "busy": 1, "hanging": 0}
    assert list(two["queues"]) == ["default"]


def test_worker_whose_threads_hang_is_not_alive(site, notes):
    long = heartbeat.HANGS_AFTER + 1
    for name in queues.WORKERS:
        notes("one:1", name, threads=2, busy=[long, 3.0])
    assert status(site)["worker"]["alive"] is True, "one thread of each queue is left"
    notes("one:1", "filing", threads=2, busy=[long, long])
    assert status(site)["workers"][0]["alive"] is False
    assert status(site)["worker"]["alive"] is False
    notes("two:2", "filing")
    assert status(site)["worker"]["alive"] is True


def test_worker_that_died_is_not_alive_and_falls_out(site, notes):
    for name in queues.WORKERS:
        notes("one:1", name, seen=time.time() - heartbeat.ALIVE_FOR - 1)
    assert status(site)["workers"][0]["alive"] is False
    assert status(site)["worker"]["alive"] is False
    for name in queues.WORKERS:
        notes("one:1", name, seen=time.time() - heartbeat.FORGOTTEN_AFTER - 1)
    assert status(site)["workers"] == []
    assert not queues.get_queue().huey.notes.result_items()


def test_note_that_is_no_note_breaks_nothing(site, notes):
    for name, text in (("a", b"{}"), ("b", b"x"), ("c", b"[1]"), ("d", b'{"since": "x"}')):
        queues.get_queue().huey.notes.put_data(name, text)
    assert status(site)["workers"] == []


@pytest.fixture(params=["sqlite", "redis"])
def store(site, request, tmp_path, monkeypatch):
    """A queue of the site at each kind of store; the signing key is known."""
    monkeypatch.setenv(queues.KEY, "key")
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/queue.sqlite"
        if request.param == "redis":
            url = stack.enter_context(redis_server(tmp_path))
        monkeypatch.setenv(queues.URL, url)
        queues.get_queue.cache_clear()
        yield queues.get_queue(queues.FILING)
        queues.get_queue.cache_clear()


def killed(queue):
    """Do what a worker does, in a process of its own that SIGKILL ends in the middle of the task."""
    child = os.fork()
    if not child:
        try:
            processing.apply = lambda *_args, **_options: os.kill(os.getpid(), signal.SIGKILL)
            run(queues.connect(queues.queue_url(), b"key", queues.FILING))
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def test_killed_worker_loses_its_task_and_no_message(site, store, monkeypatch):
    """The copy of the lost task does nothing; the sweep finds the record, and its new task runs."""

    def state():
        setSite(site.portal)
        transaction.begin()
        return inbox().get(id).state

    id = site.mail_in(redirected(), Prefer="respond-async").json()["id"]
    (copy,) = store.huey.storage.enqueued_items()
    assert killed(store)
    assert store.huey.pending_count() == 0
    store.huey.storage.enqueue(bytes(copy))
    run(store)
    assert state() == "received"
    monkeypatch.setattr(tasks, "UNFINISHED_AFTER", -tasks.UNFINISHED_AFTER)
    site.task("@@mailbridge-sweep-inbox")
    assert store.huey.pending_count() == 1
    run(store)
    assert state() == "filed"
