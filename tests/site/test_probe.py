"""What a balancer is told at the root of Zope, without a log-in; and how a process ends."""

from huey import MemoryHuey
from imio.mailbridge.restapi.probe import parts
from imio.mailbridge.restapi.probe.wsgi import make_filter
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import stopping
from imio.mailbridge.taskqueue import worker
from imio.mailbridge.taskqueue.authenticate import PLUGIN_ID
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import pytest
import requests
import signal
import socket
import threading
import transaction
import Zope2


@pytest.fixture
def ask(site, tmp_path, monkeypatch):
    """``ask("ready")`` returns status and text of ``/@@mailbridge-ready``; the queue is a file."""
    file = queues.connect(f"sqlite:///{tmp_path}/q.sqlite")
    monkeypatch.setattr(parts, "get_queue", lambda: file)
    monkeypatch.setattr(parts, "_last", "")
    root = site.portal.aq_parent.absolute_url()

    def ask(name):
        answer = requests.get(f"{root}/@@mailbridge-{name}", timeout=TIMEOUT)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code, answer.text

    return ask


@pytest.fixture
def silent_queue(monkeypatch):
    """The queue is a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(parts, "get_queue", lambda: queues.connect(url, b"key"))
        yield
    wait_for(lambda: not questions())


def questions():
    return [thread for thread in threading.enumerate() if thread.name == "mailbridge-ready"]


def test_an_instance_that_has_all_is_ready(site, ask):
    before = site.portal._p_jar.db().lastTransaction()
    assert ask("health") == (200, "up")
    assert ask("ready") == (200, "ready")
    transaction.begin()
    assert site.portal._p_jar.db().lastTransaction() == before, "a balancer writes nothing"


def test_a_root_without_a_site_with_the_bridge_is_not_ready(site, ask):
    site.portal.acl_users.manage_delObjects([PLUGIN_ID])
    transaction.commit()
    assert ask("ready") == (503, "not ready: site")
    assert ask("health") == (200, "up")


def test_a_queue_that_hangs_holds_one_thread_and_no_answer(ask, silent_queue):
    assert ask("ready") == (503, "not ready: queue")
    assert ask("ready") == (503, "not ready: queue")
    assert len(questions()) == 1
    assert ask("health") == (200, "up")


def test_a_question_without_an_answer_is_asked_anew_in_time(ask, silent_queue, monkeypatch):
    monkeypatch.setattr(parts, "GIVEN_UP", 0)
    ask("ready")
    ask("ready")
    assert len(questions()) == 2


def test_only_changes_are_logged(ask, monkeypatch, caplog):
    def gone():
        raise ConnectionError("refused")

    file = parts.get_queue
    for get_queue in (gone, gone, file, file):
        monkeypatch.setattr(parts, "get_queue", get_queue)
        ask("ready")
    said = [record.getMessage() for record in caplog.records if record.name == parts.__name__]
    assert said == ["not ready: queue: ConnectionError: refused", "ready again"]


def test_an_instance_that_is_to_end_is_not_ready(ask, monkeypatch):
    monkeypatch.setitem(stopping._state, "stopping", True)
    assert ask("ready") == (503, "not ready: stopping")
    assert ask("health") == (200, "up")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/@@mailbridge-ready", ("200 OK", b"ready")),
        ("HEAD", "/@@mailbridge-ready", ("200 OK", b"")),
        ("GET", "/@@mailbridge-health", ("200 OK", b"up")),
        ("POST", "/@@mailbridge-ready", ("200 OK", b"of Zope")),
        ("GET", "/mailbridge-ready", ("200 OK", b"of Zope")),
        ("GET", "/iadocs/@@mailbridge-ready", ("200 OK", b"of Zope")),
        ("GET", "/", ("200 OK", b"of Zope")),
    ],
)
def test_the_filter_answers_its_addresses_and_leaves_the_rest_to_zope(
    site, ask, monkeypatch, method, path, expected
):
    monkeypatch.setattr(Zope2, "DB", site.portal._p_jar.db(), raising=False)
    said = []

    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"of Zope"]

    filtered = make_filter({})(application)
    body = filtered(
        {"REQUEST_METHOD": method, "PATH_INFO": path}, lambda status, headers: said.append(status)
    )
    assert (said[0], b"".join(body)) == expected


def test_a_drain_time_that_is_no_number_changes_nothing(monkeypatch, caplog):
    before = signal.getsignal(signal.SIGTERM)
    for text in ("", "soon"):
        monkeypatch.setenv(stopping.DRAIN, text)
        stopping.end_in_order(None)
        assert signal.getsignal(signal.SIGTERM) is before
    (record,) = caplog.records
    assert "MAILBRIDGE_DRAIN must be a number of seconds, not 'soon'" in record.getMessage()


def test_a_worker_that_drains_takes_no_other_task_and_waits_for_a_time(monkeypatch):
    monkeypatch.setitem(stopping._state, "stopping", False)
    huey = MemoryHuey("drain", results=False)
    begun, go_on, done = threading.Event(), threading.Event(), []

    @huey.task()
    def slow(number):
        begun.set()
        go_on.wait(TIMEOUT)
        done.append(number)

    slow(1)
    slow(2)
    consumer = worker.EmbeddedConsumer(huey, workers=1, periodic=False)
    consumer.start()
    assert begun.wait(TIMEOUT)
    assert not worker.drain([consumer], 0)
    assert stopping.is_stopping()
    go_on.set()
    assert worker.drain([consumer], TIMEOUT)
    assert done == [1]
    assert huey.pending_count() == 1
