"""The cluster that ``make cluster`` starts, on both databases: what it does, and what people notice when a part of it ends."""

from collections import Counter
from devel import cluster as clusters
from devel.instance import environment
from tests.client import Client
from tests.mails import redirected
from tests.servers.catcher import Catcher
from tests.servers.instance import PASSWORD
from tests.servers.instance import WITHOUT_PDF
from tests.servers.required import missing
from tests.servers.waiting import free_port
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import os
import pytest
import requests
import subprocess
import sys
import time


pytestmark = pytest.mark.slow
DOCUMENT = "/outgoing-mail/invitation/@send-email"
READY = "/@@mailbridge-ready"


class Site(Client):
    """The site at ``url``, behind the balancer or past it."""

    def __init__(self, url):
        self.url = url

    def request(self, method, path, user=None, **options):
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        auth = ("admin", "admin") if user == "admin" else (user, PASSWORD) if user else None
        return requests.request(
            method, f"{self.url}{path}", auth=auth, headers=headers, timeout=TIMEOUT, **options
        )

    def send(self, number):
        data = {"to": [f"citizen{number}@citizen.test"], "subject": f"Message {number}", "body": "x"}
        answer = self.post(DOCUMENT, "agent", json=data)
        assert answer.status_code == 202, answer.text

    def outbox(self):
        """Return state → number of messages."""
        return self.get("/@mailbridge-status", "chef").json()["outbox"]


@pytest.fixture(scope="module")
def mail_server():
    with Catcher() as catcher:
        yield catcher


@pytest.fixture(scope="module", params=[clusters.ZEO, clusters.POSTGRESQL])
def started(request, mail_server, tmp_path_factory):
    path = os.pathsep.join((str(WITHOUT_PDF), environment()["PYTHONPATH"]))
    try:
        cluster = clusters.Cluster(
            tmp_path_factory.mktemp("cluster"),
            request.param,
            smtp_port=mail_server.port,
            choose_port=free_port,
            variables={"PYTHONPATH": path},
        )
    except clusters.NotInstalled as error:
        missing(str(error))
    with cluster:
        yield cluster


@pytest.fixture
def cluster(started):
    """The cluster with all its parts, whatever the test before has ended."""
    for name in started.revive():
        started[name].wait_until_up()
    return started


@pytest.fixture
def site(cluster):
    return Site(cluster.url)


def ready(cluster, name="web1"):
    answer = requests.get(cluster.web_url(name) + READY, timeout=TIMEOUT)
    return answer.status_code, answer.text


def test_mail_handed_to_the_balancer_is_filed_by_one_instance_and_seen_by_the_other(cluster, site):
    answer = site.mail_in(redirected("Par le répartiteur"))
    assert answer.status_code == 201, answer.text
    path = answer.json()["items"][0]["@id"].removeprefix(cluster.url)
    for name in clusters.WEB:
        instance = Site(f"{cluster.web_url(name)}/iadocs")
        wait_for(lambda instance=instance: instance.get(path, "admin").ok)


def test_a_worker_sends_what_was_written_through_the_balancer(site, mail_server):
    site.send(0)
    wait_for(lambda: any(message.rcpt_tos == ["citizen0@citizen.test"] for message in mail_server.messages))
    wait_for(lambda: set(site.outbox()) == {"sent"})


def test_a_worker_that_is_told_to_end_under_load_leaves_nothing_undone(cluster, site, mail_server):
    """What it has begun is sent and written; what it has not is the other worker's."""
    cluster["worker1"].stop()
    cluster["worker2"].stop()
    count = 30
    before = site.outbox()["sent"]
    mail_server.messages.clear()
    for number in range(count):
        site.send(number)
    mail_server.answers["data"] = lambda envelope: time.sleep(0.1)  # so that it is at it when it is told
    cluster["worker1"].start()
    wait_for(lambda: len(mail_server.messages) > 2)
    assert cluster["worker1"].stop() == 0
    mail_server.answers.clear()
    counts = site.outbox()
    assert "sending" not in counts, "a lease would be left by a worker that was killed"
    assert counts["sent"] - before == len(mail_server.messages) < count
    cluster["worker2"].start()
    wait_for(lambda: site.outbox() == {"sent": before + count}, what=lambda: str(site.outbox()))
    recipients = Counter(message.rcpt_tos[0] for message in mail_server.messages)
    assert recipients == {f"citizen{number}@citizen.test": 1 for number in range(count)}


def test_an_instance_that_is_told_to_end_leaves_nobody_without_an_answer(cluster, site):
    assert ready(cluster) == (200, "ready")
    cluster["web1"].ask_to_end()
    said = wait_for(lambda: (answer := ready(cluster))[0] == 503 and answer)
    assert said == (503, "not ready: stopping")
    while cluster["web1"].running:
        assert site.get("/@site").status_code == 200
    assert cluster["web1"].ended() == 0
    assert site.get("/@site").status_code == 200


def test_an_instance_that_is_killed_is_replaced_by_the_other_at_once(cluster, site):
    cluster["web2"].kill()
    for _each in range(6):
        assert site.get("/@site").status_code == 200
    assert cluster.revive() == {"web2": -9}


def test_an_instance_says_which_part_it_lacks(cluster, site):
    part, word = {
        clusters.ZEO: ("redis", "queue"),
        clusters.POSTGRESQL: ("postgresql", "database"),
    }[cluster.database]
    health = cluster.web_url("web1") + "/@@mailbridge-health"
    cluster[part].pause()
    try:
        assert ready(cluster) == (503, f"not ready: {word}")  # a server that hangs does not hold the answer
        assert requests.get(health, timeout=TIMEOUT).text == "up"
    finally:
        cluster[part].resume()
    wait_for(lambda: ready(cluster) == (200, "ready"))
    cluster[part].kill()
    assert ready(cluster) == (503, f"not ready: {word}")
    assert requests.get(health, timeout=TIMEOUT).text == "up"
    if word == "queue":  # mail is taken, and pages are shown: the balancer keeps both instances
        assert site.mail_in(redirected("Sans file d'attente")).status_code == 201
    cluster[part].start()
    wait_for(lambda: ready(cluster) == (200, "ready"))


def test_another_database_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "devel.cluster"],
        env=environment() | {"DATABASE": "mysql"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "DATABASE is zeo or postgresql\n")
