"""PostgreSQL, which holds the site and the queue, is killed under load, and an instance with it."""

from devel import cluster as clusters
from devel.instance import environment
from tests.servers.instance import Instance
from tests.servers.instance import ROOT
from tests.servers.instance import WITHOUT_PDF
from tests.servers.load import filed
from tests.servers.load import inbox
from tests.servers.load import Load
from tests.servers.load import sent
from tests.servers.required import missing
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import os
import pytest
import time


pytestmark = pytest.mark.slow
SWEEP = ROOT / "tests/servers/sweep_now.py"
KILLS = ("postgresql", "web1", "postgresql")
#: Threads that send, of two workers.
SENDING = 4


class Site(Instance):
    """The site behind the balancer."""

    def __init__(self, url):
        self.url = url


@pytest.fixture
def cluster(catcher, tmp_path):
    path = os.pathsep.join((str(WITHOUT_PDF), environment()["PYTHONPATH"]))
    try:
        cluster = clusters.Cluster(
            tmp_path,
            clusters.POSTGRESQL,
            smtp_port=catcher.port,
            choose_port=free_port,
            variables={"PYTHONPATH": path},
        )
    except clusters.NotInstalled as error:
        missing(str(error))
    with cluster:
        Site(cluster.url).set(undo_seconds=0)
        yield cluster


def test_postgresql_is_killed_under_load(cluster, catcher, chance):
    """Pages fail until it is back, with no other step needed. A mail host keeps mail so long. An e-mail that was leaving at that
    moment is tried again after half an hour, at worst a second time, with the same Message-ID.
    """
    site = Site(cluster.url)
    load = Load(site)
    with load.running(pipes=2):
        for name in KILLS:
            time.sleep(chance.uniform(0.5, 2))
            cluster[name].kill()
            time.sleep(chance.uniform(0, 1))
            cluster[name].start()
        wait_for(lambda: site.get("/@site").ok)
        time.sleep(1)
    print(load.answers, len(load.taken), len(load.entered))

    def counts():
        status = site.get("/@mailbridge-status", "chef").json()
        return status["inbox"], status["outbox"]

    cluster.zconsole(SWEEP)
    wait_for(lambda: set(counts()[1]) <= {"sent", "sending"}, what=lambda: str(counts()))
    cluster.zconsole(SWEEP, "end")
    everything = ({"filed": len(load.taken)}, {"sent": len(load.entered)})
    wait_for(lambda: counts() == everything, what=lambda: str(counts()))
    assert set(inbox(site).values()) == {1}
    assert dict.fromkeys(load.taken, 1).items() <= filed(site).items()
    subjects, ids = sent(catcher)
    assert set(subjects) == set(load.entered)
    assert len(ids) == len(subjects), "a copy has the same Message-ID"
    assert sum(subjects.values()) <= len(load.entered) + SENDING * KILLS.count("postgresql")
