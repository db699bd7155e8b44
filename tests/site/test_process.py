"""Conflicts with others, and a DNS that is slow or silent, lose no message and file none twice."""

from datetime import timedelta
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound import tasks
from imio.mailbridge.inbound.decide import decide
from imio.mailbridge.inbound.dry_run import dry_run
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import decision_on
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.process import sent_messages
from imio.mailbridge.inbound.signatures import Signatures
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.store import commit
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import turn as turns
from pathlib import Path
from plone import api
from tests.mails import redirected
from ZODB.POSException import ConflictError
from zope.component.hooks import getSite
from zope.schema import getFieldNames
import pytest
import socket
import transaction


MESSAGES = Path(__file__).parent.parent / "messages"
UNTRUSTED = {"X-Client-Address": "203.0.113.9"}
SEALED = redirected(**{"ARC-Seal": "i=1; d=provider.test"})
GOOD = Signatures(arc=Verdict("arc", "pass", "provider.test"))
SILENT = Signatures(arc=Verdict("arc", "temperror", "provider.test", "no answer"))


def documents():
    return api.content.find(portal_type="dmsincoming_email", Title="véranda", unrestricted=True)


@pytest.fixture
def verifier(site, monkeypatch):
    """What DNS says of a seal: the last of the list; each question is counted."""

    class Verifier:
        answers, asked = [GOOD], 0

        def verify(self, message, lookup):
            assert not getSite()._p_jar._registered_objects, "nothing waits to be written meanwhile"
            self.asked += 1
            return self.answers[-1]

    verifier = Verifier()
    monkeypatch.setattr(processing.signatures, "verify", verifier.verify)
    stored_settings().arc_sealers = ["provider.test"]
    transaction.commit()
    return verifier


@pytest.fixture
def conflicts(monkeypatch):
    """Let the next ``left`` transactions that apply a decision end in a conflict."""

    class Conflicts:
        left, met = 0, 0

    found, apply = Conflicts(), processing.apply

    def conflicting(*args, **options):
        apply(*args, **options)
        if found.left:
            found.left, found.met = found.left - 1, found.met + 1
            raise ConflictError

    monkeypatch.setattr(processing, "apply", conflicting)
    monkeypatch.setattr(commit, "TRIES", 3)
    return found


def age(record):
    """Let a record have come five minutes ago."""
    inbox().remove(record)
    record.created -= timedelta(minutes=5)
    inbox().add(record)
    transaction.commit()


def test_dns_is_asked_once_whatever_conflicts_come(site, verifier, conflicts):
    conflicts.left = 2
    answer = site.mail_in(SEALED, **UNTRUSTED)
    assert (answer.status_code, answer.json()["state"]) == (201, "filed")
    assert (verifier.asked, conflicts.met) == (1, 2)
    assert len(documents()) == 1


@pytest.mark.parametrize(("raw", "headers"), [(redirected(), {}), (SEALED, UNTRUSTED)])
def test_storm_of_conflicts_keeps_the_message_for_the_sweep(site, verifier, conflicts, raw, headers):
    conflicts.left = 99
    answer = site.mail_in(raw, **headers)
    assert (answer.status_code, answer.json()["state"], answer.json()["items"]) == (202, "received", [])
    conflicts.left = 0
    record = inbox().get(answer.json()["id"])
    age(record)
    queue = queues.get_queue(queues.FILING).huey
    queue.storage.flush_all()
    site.task("@@mailbridge-sweep-inbox")
    task = queue.dequeue().args
    assert (task[1], task[3]) == ("/plone/@@mailbridge-process", {"id": record.id})
    asked = verifier.asked
    site.task("@@mailbridge-process", id=record.id)
    assert (record.state, len(documents()), verifier.asked) == ("filed", 1, asked), "what DNS said was kept"


@pytest.mark.parametrize("action", ["accept", "replay"])
def test_storm_of_conflicts_leaves_the_decision_to_the_person(site, conflicts, action):
    stored_settings().trusted_gateways = []
    transaction.commit()
    id = site.mail_in(redirected()).json()["id"]
    stored_settings().trusted_gateways = ["127.0.0.0/8"]
    transaction.commit()
    conflicts.left = 99
    answer = site.post(f"/@mail-in/{id}/{action}", "chef", json={})
    assert answer.status_code == 409
    assert "Try again" in answer.json()["message"]
    record = inbox().get(id)
    assert (record.state, record.items, record.history[-1]["state"]) == ("quarantined", (), "quarantined")
    conflicts.left = 2
    answer = site.post(f"/@mail-in/{id}/{action}", "chef", json={})
    assert (answer.status_code, answer.json()["state"]) == (200, "filed")
    assert [line["by"] for line in record.history if line["text"] == action] == ["chef"]
    assert len(documents()) == 1


def test_storm_of_conflicts_discards_nothing(site, monkeypatch):
    id = site.mail_in(redirected(), **UNTRUSTED).json()["id"]
    monkeypatch.setattr(commit, "TRIES", 2)
    monkeypatch.setattr("imio.mailbridge.inbound.inbox.Inbox.set_state", _conflict)
    assert site.post(f"/@mail-in/{id}/discard", "chef", json={}).status_code == 409
    assert inbox().get(id).state == "quarantined"


def _conflict(*args):
    raise ConflictError


def test_conflict_while_the_bytes_are_read_is_no_failure(site, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(processing, "read", _conflict)
        answer = site.mail_in(redirected())
        assert (answer.status_code, answer.json()["state"]) == (202, "received")
    assert site.mail_in(redirected()).json()["state"] == "filed"


def test_error_of_the_verification_becomes_a_state(site, verifier, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(processing.signatures, "verify", _broken)
        answer = site.mail_in(SEALED, **UNTRUSTED)
    assert (answer.status_code, answer.json()["state"]) == (202, "failed")
    record = inbox().get(answer.json()["id"])
    assert record.error == "ValueError: broken"
    assert site.post(f"/@mail-in/{record.id}/replay", "chef", json={}).json()["state"] == "filed"


def test_what_another_worker_filed_while_dns_was_asked_is_not_filed_twice(site, verifier, monkeypatch):
    record = inbox().get(site.mail_in(SEALED, **UNTRUSTED, Prefer="respond-async").json()["id"])

    def meanwhile(message, lookup):
        monkeypatch.setattr(processing.signatures, "verify", verifier.verify)
        assert site.mail_in(SEALED, **UNTRUSTED).json()["state"] == "filed"
        return SILENT

    monkeypatch.setattr(processing.signatures, "verify", meanwhile)
    assert process(record) is False
    transaction.begin()
    assert (record.state, record.proof, len(documents())) == ("filed", "arc", 1)
    assert record.signatures["arc"]["result"] == "pass", "the evidence is what decided"


def test_what_another_worker_filed_while_this_one_filed_is_not_filed_twice(site, monkeypatch):
    """A real conflict: the other one, of a process that did not wait for its turn, commits first."""
    monkeypatch.setattr(turns, "PATIENCE", 0)  # nobody waits
    record = inbox().get(site.mail_in(redirected(), Prefer="respond-async").json()["id"])
    apply, others = processing.apply, iter([lambda: site.mail_in(redirected())])

    def applying(*args, **options):
        apply(*args, **options)
        if (other := next(others, None)) is not None:
            assert _in_another_thread(other).json()["state"] == "filed"

    monkeypatch.setattr(processing, "apply", applying)
    assert process(record) is False
    transaction.begin()
    assert (record.state, len(documents()), len(record.items)) == ("filed", 1, 1)
    assert len(inbox().by_item) == 1


def _in_another_thread(call):
    # ``mail_in`` begins a transaction, which would undo that of this thread
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def test_silent_dns_does_not_replace_what_it_said_before(site, verifier):
    verifier.answers = [Signatures(arc=Verdict("arc", "fail", "provider.test"))]
    record = inbox().get(site.mail_in(SEALED, **UNTRUSTED).json()["id"])
    verifier.answers = [SILENT]
    answer = site.post(f"/@mail-in/{record.id}/replay", "chef", json={})
    assert (verifier.asked, answer.json()["state"]) == (2, "quarantined")
    assert record.signatures["arc"]["result"] == "fail"
    verifier.answers = [GOOD]
    assert site.post(f"/@mail-in/{record.id}/replay", "chef", json={}).json()["state"] == "filed"
    assert record.signatures["arc"]["result"] == "pass"


def test_without_a_limit_nothing_is_counted(site):
    stored_settings().max_per_sender = 0
    transaction.commit()
    site.mail_in(redirected())
    assert not len(inbox().recent)


def test_step_of_the_sweep_that_fails_keeps_no_other_from_running(site, monkeypatch):
    record = inbox().get(site.mail_in(redirected(), Prefer="respond-async").json()["id"])
    age(record)
    for module, name in ((tasks, "sweep_unverified"), (tasks.forwarding, "sweep")):
        monkeypatch.setattr(module, name, _broken)
    told = []
    monkeypatch.setattr(tasks, "summarise", lambda: told.append(1))
    queue = queues.get_queue(queues.FILING).huey
    queue.storage.flush_all()
    assert site.task("@@mailbridge-sweep-inbox") in (200, 204)
    assert (queue.pending_count(), told) == (1, [1])


def test_change_that_raises_is_undone(site):
    record = inbox().get(site.mail_in(redirected()).json()["id"])

    def change():
        record.note("discarded")
        raise ValueError

    with pytest.raises(ValueError):
        commit.committed(change)
    transaction.commit()
    assert record.history[-1]["state"] == "filed"


def _broken(*args):
    raise ValueError("broken")


@pytest.fixture
def offline(monkeypatch):
    """Let every connection and every look-up fail."""

    def refused(*args, **options):
        raise AssertionError("the network is asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.mark.parametrize("client", ["127.0.0.1", "203.0.113.9"])
def test_decisions_write_nothing_and_ask_no_network(site, offline, client):
    values = stored_settings()
    values.agent_patterns = [r".+@maville\.be"]
    values.mailboxes = [{"address": "contact@maville.be", "service": None}]
    values.arc_sealers, values.authserv_id = ["provider.test"], "mx.maville.test"
    row = dict.fromkeys(getFieldNames(IRoutingRow))
    row |= {"forward": "direct", "tal_condition_1": "python: 'a' in subject"}
    values.iemail_routing = [{**row, "user_value": "_empty_", "tg_value": "_empty_"}]
    transaction.commit()
    recipients = ("in@bridge.test", "", "unknown@bridge.test", "in+b.x.y@bridge.test")
    states, sent = set(), sent_messages()
    for number, path in enumerate(sorted(MESSAGES.glob("*.eml"))):
        envelope = Envelope(recipients[number % len(recipients)], "x@y.test", client)
        for signatures in (None, GOOD):
            states.add(decide(parse(path.read_bytes()), envelope, settings(), sent, signatures).state)
    assert states == {"filed", "quarantined"}
    assert not site.portal._p_jar._registered_objects


def test_dry_run_and_pages_write_nothing(site):
    record = inbox().get(site.mail_in(redirected(), **UNTRUSTED).json()["id"])
    decision_on(record, processing.read(record), settings())
    dry_run(redirected(), record.envelope)
    assert not site.portal._p_jar._registered_objects
