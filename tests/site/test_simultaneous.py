"""Many who send at once: each e-mail is taken, and who cannot be served is told when to come back."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.outbox import record as records
from imio.mailbridge.outbox.record import outbox
from tests.servers.waiting import TIMEOUT
from tests.site.compose import HTML
from tests.site.compose import press
from tests.site.compose import shown
from tests.site.send_email import DOCUMENT
from tests.site.send_email import GOOD
from ZODB.POSException import ConflictError
import pytest
import requests
import transaction


FRENCH = {"Accept-Language": "fr"}


def post(site, number=0):
    """Send as the agent; in any thread."""
    return requests.post(
        f"{site.url}{DOCUMENT}/@send-email", auth=("agent", PASSWORD), timeout=TIMEOUT,
        json={**GOOD, "subject": f"Message {number}"}, headers={"Accept": "application/json", **FRENCH},
    )  # fmt: skip


def test_eight_at_once_are_all_taken(site):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: post(site, number), range(40)))
    assert {answer.status_code for answer in answers} == {202}
    transaction.begin()
    assert sorted(record.subject for record in outbox().records.values()) == sorted(
        f"Message {number}" for number in range(40)
    )
    assert {record.tries for record in outbox().records.values()} == {0}


@pytest.fixture
def conflicts(monkeypatch):
    """The Outbox cannot be written for as many times as are in the list."""
    left, add = [], records.Outbox.add

    def busy(self, record):
        if left:
            left.pop()
            raise ConflictError
        add(self, record)

    monkeypatch.setattr(records.Outbox, "add", busy)
    return left


def test_a_few_conflicts_are_not_seen(site, conflicts):
    conflicts += [True] * 10
    assert post(site).status_code == 202
    transaction.begin()
    assert len(outbox()) == 1


def test_who_meets_only_conflicts_is_told_when_to_come_back(site, conflicts):
    conflicts += [True] * 1000
    answer = post(site)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "message" in answer.json()
    assert "ConflictError" not in answer.text
    transaction.begin()
    assert len(outbox()) == 0


def test_a_few_conflicts_are_not_seen_in_the_form(site, conflicts):
    conflicts += [True] * 10
    assert press(site).status_code == 302
    transaction.begin()
    assert len(outbox()) == 1


def test_what_was_written_in_the_form_is_not_lost(site, conflicts):
    conflicts += [True] * 1000
    answer = press(site, body="<p>Bonjour Jeanne</p>")
    assert answer.status_code == 200
    assert "Bonjour Jeanne" in answer.text
    assert "Not sent: too many" in shown(answer.text)


@pytest.mark.parametrize("headers", [{}, HTML])
def test_other_requests_that_meet_only_conflicts(site, monkeypatch, headers):
    id = post(site).json()["id"]
    transaction.begin()

    def conflict(*args):
        raise ConflictError

    monkeypatch.setattr(records.Outbox, "update", conflict)
    answer = site.post(f"/@outbox/{id}/cancel", "agent", headers=FRENCH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "ConflictError" not in answer.text
