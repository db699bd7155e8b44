"""Messages that wait at the same time are filed in one transaction, and none shares another's trouble."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.iadocs.filing import Filer
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.signatures import Signatures
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.ports.filing import FilingError
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.taskqueue import turn as turns
from plone import api
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import pytest
import requests
import transaction


@pytest.fixture
def groups(monkeypatch):
    """The sizes of what was settled at once."""
    sizes, settle = [], processing.FILING_TURN._work

    def work(jobs):
        sizes.append(len(jobs))
        return settle(jobs)

    monkeypatch.setattr(processing.FILING_TURN, "_work", work)
    return sizes


@pytest.fixture
def deliver(site, monkeypatch):
    """``deliver(*raws)`` has each brought by a pipe of its own; they wait for each other. Returns the answers."""
    monkeypatch.setattr(turns, "GATHERING", TIMEOUT)
    monkeypatch.setattr(turns, "PATIENCE", TIMEOUT)
    turn = processing.FILING_TURN

    def post(raw):
        auth = ("gateway", "demo-iadocs")
        headers = {"Accept": "application/json", **TRUSTED}
        return requests.post(f"{site.url}/@@mail-in", data=raw, auth=auth, headers=headers, timeout=TIMEOUT)

    def deliver(*raws):
        with ThreadPoolExecutor(len(raws)) as pool:
            with turn.coming(site.portal.getPhysicalPath()):
                answers = [pool.submit(post, raw) for raw in raws]
                wait_for(lambda: len(turn._waiting) == len(raws))
            answers = [answer.result() for answer in answers]
        transaction.begin()
        return answers

    return deliver


def from_citizen(number, **headers):
    return redirected(f"Sujet {number}", From=f"Jeanne <citizen{number}@citizen.test>", **headers)


def broken_for(subject, error, monkeypatch):
    """Have the filing of one message raise ``error``, after it wrote something."""
    file = Filer.file

    def broken(self, filing):
        if filing.subject == subject:
            api.content.create(self.site, "Folder", "half")
            raise error
        return file(self, filing)

    monkeypatch.setattr(Filer, "file", broken)


def states(answers):
    return [(answer.status_code, answer.json().get("state")) for answer in answers]


def titles():
    found = api.content.find(portal_type="dmsincoming_email", unrestricted=True)
    return sorted(brain.Title for brain in found if brain.Title.startswith("Sujet"))


def test_they_are_committed_at_once(deliver, groups):
    answers = deliver(*map(from_citizen, range(3)))
    assert states(answers) == [(201, "filed")] * 3
    assert groups == [3]
    assert titles() == ["Sujet 0", "Sujet 1", "Sujet 2"]
    items = [answer.json()["items"][0]["@id"] for answer in answers]
    assert len(set(items)) == 3
    for answer in answers:
        history = inbox().get(answer.json()["id"]).history
        assert [line["state"] for line in history] == ["received", "filed"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(RuntimeError("disk on fire"), "failed"), (FilingError("No folder."), "quarantined")],
)
def test_one_that_cannot_be_filed_stops_no_other(deliver, groups, site, monkeypatch, error, state):
    broken_for("Sujet 1", error, monkeypatch)
    answers = deliver(*map(from_citizen, range(3)))
    assert states(answers) == [(201, "filed"), (202, state), (201, "filed")]
    assert groups == [3]
    assert titles() == ["Sujet 0", "Sujet 2"]
    assert "half" not in site.portal.objectIds()
    record = inbox().get(answers[1].json()["id"])
    assert (record.reason, record.author) == ("filing-error", '"Jeanne" <citizen1@citizen.test>')
    assert str(error) in record.error
    assert [line["state"] for line in record.history] == ["received", state]


def test_several_that_cannot_be_filed(deliver, monkeypatch):
    broken_for("Sujet 1", RuntimeError("one"), monkeypatch)
    broken_for("Sujet 2", FilingError("two"), monkeypatch)
    answers = deliver(*map(from_citizen, range(4)))
    assert states(answers) == [(201, "filed"), (202, "failed"), (202, "quarantined"), (201, "filed")]
    assert titles() == ["Sujet 0", "Sujet 3"]


class _Full:
    """A data manager that cannot write."""

    transaction_manager = transaction.manager

    def sortKey(self):
        return "~full"

    def tpc_vote(self, _transaction):
        raise OSError(28, "No space left on device")

    def _pass(self, _transaction):
        pass

    abort = tpc_begin = commit = tpc_finish = tpc_abort = _pass


def test_one_that_cannot_be_committed_stops_no_other_and_is_tried_later(deliver, groups, site, monkeypatch):
    apply = processing.apply

    def applied(record, message, *args, **kwargs):
        if message.subject == "Sujet 1":
            transaction.get().join(_Full())
        return apply(record, message, *args, **kwargs)

    with monkeypatch.context() as context:
        context.setattr(processing, "apply", applied)
        answers = deliver(*map(from_citizen, range(3)))
    assert [answer.status_code for answer in answers if answer is not answers[1]] == [201, 201]
    assert answers[1].status_code >= 500
    assert groups == [3]
    assert titles() == ["Sujet 0", "Sujet 2"]
    assert inbox().counts() == {"received": 1, "filed": 2}
    assert site.mail_in(from_citizen(1)).json()["state"] == "filed"


def test_the_same_message_by_two_ways_is_one_document(deliver, groups):
    raws = [
        from_citizen(1, **{"Message-ID": "<1@citizen.test>", "Resent-From": f"{name}@maville.test"})
        for name in ("info", "urbanisme")
    ]
    (service,) = api.content.find(portal_type="organization", Title="Urbanisme", unrestricted=True)
    stored_settings().mailboxes = [
        {"address": f"{name}@maville.test", "service": service.UID} for name in ("info", "urbanisme")
    ]
    transaction.commit()
    answers = deliver(*raws)
    assert states(answers) == [(201, "filed")] * 2
    assert groups == [2]
    assert titles() == ["Sujet 1"]
    (transfers,) = inbox().by_item.values()
    assert set(transfers) == {answer.json()["id"] for answer in answers}


def test_those_that_dns_is_asked_about_come_again(deliver, groups, monkeypatch):
    stored_settings().arc_sealers = ["provider.test"]
    transaction.commit()
    asked = []
    good = Signatures(arc=Verdict("arc", "pass", "provider.test"))
    monkeypatch.setattr(
        processing.signatures, "verify", lambda message, lookup: asked.append(message.subject) or good
    )
    monkeypatch.setitem(TRUSTED, "X-Client-Address", "203.0.113.9")
    answers = deliver(*(from_citizen(number, **{"ARC-Seal": "i=1; d=provider.test"}) for number in range(2)))
    assert groups[0] == 2
    assert states(answers) == [(201, "filed")] * 2
    assert sorted(asked) == ["Sujet 0", "Sujet 1"]


def test_a_decision_of_a_person_is_committed_alone(deliver, groups, site):
    answers = deliver(from_citizen(0), b"Subject: broken")
    assert groups == [2]
    id = answers[1].json()["id"]
    assert inbox().get(id).state == "quarantined"
    assert processing.FILING_TURN._waiting == []
    site.post(f"/@mail-in/{id}/replay", "chef", json={})
    assert groups == [2, 1]
