"""Bytes of sent mail are kept as long as the setting says; the timeline stays."""

from datetime import timedelta
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox.actions import retry
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.retention import purge
from imio.mailbridge.settings.read import stored_settings
import pytest
import transaction


@pytest.fixture
def old(site, caught):
    """``old(days)`` sends a message that is so many days old; return its record."""

    def old(days, answer=None):
        caught.answers["rcpt"] = [answer] if answer else []
        data = {"to": ["jeanne@citizen.test"], "subject": "Votre permis", "body": "x"}
        answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
        deliver(answer.json()["id"])
        transaction.begin()
        box = outbox()
        record = box.get(answer.json()["id"])
        box.remove(record)
        record.created -= timedelta(days=days)
        box.add(record)
        record.history = tuple({**line, "at": line["at"] - timedelta(days=days)} for line in record.history)
        transaction.commit()
        return record

    return old


def keep(days):
    stored_settings().keep_sent_days = days
    transaction.commit()


def test_kept_for_ever_by_default(old):
    record = old(5000)
    assert purge() == 0
    assert record.body is not None


def test_old_ones_lose_their_bytes_once(site, old):
    young, sent = old(29), old(31)
    keep(30)
    site.task("@@mailbridge-sweep-outbox")
    transaction.begin()
    assert (sent.body, sent.written, sent.state) == (None, None, "sent")
    assert young.body is not None
    assert sent.history[-1]["explanation"]
    lines = len(sent.history)
    assert purge() == 0
    assert len(sent.history) == lines
    assert site.get(f"/@outbox/{sent.id}", "agent").json()["state"] == "sent"


def test_what_waits_keeps_its_bytes(old):
    record = old(31, "451 4.3.0 later")
    keep(30)
    assert purge() == 0
    assert record.state == "deferred"
    assert record.body is not None


def test_failed_ones_can_be_sent_again_until_then(old):
    record = old(31, "550 5.1.1 no such user")
    keep(30)
    assert purge() == 1
    assert not retry(record)


def test_something_that_happened_later_counts(old):
    record = old(31)
    record.note(None, "replied")
    keep(30)
    assert purge() == 0
