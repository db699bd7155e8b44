"""Any program of a town is killed at a random moment, under load: nothing is lost, filed twice or sent twice."""

from collections import Counter
from tests.servers.load import filed
from tests.servers.load import inbox
from tests.servers.load import Load
from tests.servers.load import sent
from tests.servers.waiting import wait_for
import pytest
import time


pytestmark = pytest.mark.slow
#: Longer than a lease of the Outbox, in seconds.
AFTER_THE_LEASES = 31 * 60
#: Threads of a worker that send.
SENDING = 2


def check(processes, load, catcher, killed_workers):
    """All that was taken is filed once and sent once, but for one message a thread of each worker that was killed."""
    one = processes.one
    processes.move_on(AFTER_THE_LEASES)

    def done():
        processes.sweep()
        time.sleep(0.5)
        status = one.get("/@mailbridge-status", "chef").json()
        return (status["inbox"], status["outbox"]) == (
            {"filed": len(load.taken)},
            {"sent": len(load.entered)},
        )

    wait_for(done, what=lambda: one.get("/@mailbridge-status", "chef").text)
    once = dict.fromkeys(load.taken, 1)
    assert inbox(one) == Counter({(subject, "filed"): 1 for subject in load.taken})
    assert {title: times for title, times in filed(one).items() if title.startswith("Entrant")} == once
    subjects, ids = sent(catcher)
    assert set(subjects) == set(load.entered)
    assert len(ids) == len(subjects), "a copy has the same Message-ID"
    assert sum(subjects.values()) <= len(load.entered) + SENDING * killed_workers


def test_any_program_is_killed_under_load(processes, catcher, chance):
    """A mail host keeps mail a few seconds longer. An agent whose page got no answer sees in the list of e-mails whether it was
    stored. What a killed worker was sending leaves after half an hour, at worst a second time, with the same Message-ID.
    """
    processes.worker.start()
    load = Load(processes.one, processes.two)
    programs = ["one", "two", "worker", "redis", "zeo"]
    chance.shuffle(programs)
    print(programs)
    with load.running():
        for name in programs:
            time.sleep(chance.uniform(0.5, 2))
            program = getattr(processes, name)
            program.stop(kill=True)
            time.sleep(chance.uniform(0, 1))
            program.start()
        time.sleep(1)
    assert len(load.taken) > 10
    assert len(load.entered) > 10
    print(load.answers, len(load.taken), len(load.entered))
    check(processes, load, catcher, programs.count("worker"))
