"""Metrics for Prometheus: what its own parser reads, for managers of mail only, at the same cost however much mail there is."""

from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.restapi.metrics import families
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue.heartbeat import process_name
from prometheus_client.parser import text_string_to_metric_families
from tests.mails import redirected
from tests.site.quarantine import STRANGER
import pytest
import transaction


PATH = "/@@mailbridge-metrics"


@pytest.fixture
def empty(site):
    """Queues without tasks and workers."""

    def flush():
        for name in queues.WORKERS:
            huey = queues.get_queue(name).huey
            huey.flush()
            huey.notes.flush_results()

    flush()
    yield
    flush()


def scraped(site):
    """Return (name, labels) → value, as Prometheus reads it."""
    answer = site.get(PATH, "chef")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (
            sample.name.removeprefix("mailbridge_"),
            *(label for _name, label in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_managers_of_mail_only(site):
    assert site.get(PATH, "chef", headers={"Accept": "*/*"}).status_code == 200, "as Prometheus asks"
    assert site.get(PATH, "admin").status_code == 200
    for user in ("agent", "gateway", None):
        answer = site.get(PATH, user)
        assert answer.status_code in (302, 401, 403), (user, answer.text)
        assert "mailbridge_" not in answer.text
        assert "require_login" in answer.headers.get("Location", "require_login")


def test_messages_by_state_and_what_waits(site, empty, sent):
    assert ("outbox_messages", "sent") not in scraped(site)
    assert scraped(site)["oldest_waiting_seconds",] == 0
    sent(state="sent")
    sent(state="failed")
    sent(state="queued")
    site.mail_in(redirected())
    site.mail_in(STRANGER)
    found = scraped(site)
    assert {key: found["outbox_messages", key] for key in ("sent", "failed", "queued")} == dict.fromkeys(
        ("sent", "failed", "queued"), 1
    )
    assert (found["inbox_messages", "filed"], found["inbox_messages", "quarantined"]) == (1, 1)
    assert found["oldest_waiting_seconds",] > 0
    assert found["queue_tasks", "default"] == queues.get_queue().huey.pending_count() >= 3
    assert found["queue_site_tasks", "default"] == found["queue_tasks", "default"]
    assert found["queue_tasks", "filing"] == found["queue_scheduled_tasks", "default"] == 0


def test_accounts_that_are_stopped(site, empty):
    outbox().hold("default", 535, "no", "Explanation", "Remedy", "auth")
    transaction.commit()
    assert scraped(site)["account_held", "default"] == 1


def test_workers(site, empty):
    assert scraped(site)["queue_served", "default"] == 0
    queues.beat()
    found = scraped(site)
    assert found["queue_served", "default"] == 1
    assert found["worker_alive", "instance", process_name()] == 1
    assert found["worker_last_seen_timestamp_seconds", "instance", process_name()] > 1e9


def test_queue_that_cannot_be_reached(site, monkeypatch):
    assert scraped(site)["queue_up",] == 1
    monkeypatch.setattr(families.queues, "get_queue", lambda *_: 1 / 0)
    found = scraped(site)
    assert found["queue_up",] == 0
    assert "queue_tasks" not in {name for name, *_labels in found}


def test_name_of_an_account_forges_no_line(site, empty):
    outbox().hold('x"} 1\nmailbridge_queue_up 7\n', 535, "no", "Explanation", "Remedy", "auth")
    transaction.commit()
    found = scraped(site)
    assert found["account_held", 'x"} 1\nmailbridge_queue_up 7\n'] == 1
    assert found["queue_up",] == 1


def test_no_record_is_read_for_counts(site, sent, monkeypatch):
    for _ in range(3):
        sent(state="sent")
    portal = site.portal
    portal._p_jar.cacheMinimize()
    scraped(site)
    assert [outbox().records[id]._p_state for id in outbox().records] == [-1] * 3
