"""A stored message queues its own delivery for after the commit: nobody has to remember to."""

from datetime import timedelta
from imio.mailbridge.delivery.release import release
from imio.mailbridge.outbox.actions import cancel
from imio.mailbridge.outbox.actions import retry
from imio.mailbridge.outbox.actions import send_now
from imio.mailbridge.outbox.delivery_task import MAX_WAIT
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import queue as queues
import pytest
import transaction


@pytest.fixture
def queued(site):
    """``queued(change)`` commits a change; return (message id, whether it waits) of the deliveries that were queued then."""
    huey = queues.get_queue().huey

    def queued(change=lambda: None):
        huey.flush()
        change()
        transaction.commit()
        tasks = [(task.args, task.eta) for task in huey.pending()]
        return [
            (args[3]["id"], eta is not None)
            for args, eta in tasks
            if args[1].endswith("@@mailbridge-deliver")
        ]

    yield queued
    huey.flush()


def test_when_it_is_stored(send, queued):
    ids = []
    assert queued(lambda: ids.append(send(run=False).id)) == [(ids[0], False)]


@pytest.mark.parametrize(("delay", "is_queued"), [(MAX_WAIT - 60, True), (MAX_WAIT + 60, False)])
def test_when_it_leaves_later_not_before_that(send, queued, delay, is_queued):
    ids, at = [], (now() + timedelta(seconds=delay)).isoformat()
    found = queued(lambda: ids.append(send(run=False, send_at=at).id))
    assert found == ([(ids[0], True)] if is_queued else []), "what is later is found by the sweep"


def test_when_it_is_sent_at_once_after_all(send, queued):
    record = send(run=False, send_at=(now() + timedelta(days=1)).isoformat())
    assert queued(lambda: send_now(record)) == [(record.id, False)]


@pytest.mark.parametrize("state", ["failed", "deferred", "held"])
def test_when_somebody_sends_it_again(sent, queued, state):
    record = sent(state=state)
    outbox().try_at(record, now() + timedelta(hours=1))
    assert queued(lambda: retry(record)) == [(record.id, False)]


def test_when_the_account_works_again(site, caught, sent, queued):
    """The oldest message tries the account; the others follow."""
    first, record = sent(state="held"), sent(state="held")
    outbox().hold("default", 535, "no", "", "")
    transaction.commit()
    assert queued(lambda: release("default")) == [(record.id, False)]
    assert first.state == "sent"


@pytest.mark.parametrize("state", ["sending", "sent", "failed", "deferred", "held"])
def test_not_when_there_is_nothing_to_send(sent, queued, state):
    record = sent()
    assert queued(lambda: outbox().update(record, dict.fromkeys(record.recipients, state))) == []


def test_not_when_it_is_cancelled(send, queued):
    record = send(run=False)
    assert queued(lambda: cancel(record)) == []


def test_not_when_the_transaction_is_aborted(sent, queued):
    record = sent(state="failed")

    def change():
        retry(record)
        transaction.abort()

    assert queued(change) == []
