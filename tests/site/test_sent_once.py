"""The server is asked once, whatever else the site writes meanwhile: real conflicts and made ones, and the real publisher."""

from dataclasses import asdict
from imio.mailbridge.controlpanel import send_as as send_as_page
from imio.mailbridge.controlpanel.diagnosis import DiagnosisView
from imio.mailbridge.delivery.release import release as try_account
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import KEY as OUTBOX
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from tests.site.panel import ACCOUNTS
from tests.site.panel import act
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.panel import press
from tests.site.panel import SEND_AS
from tests.site.panel import SETTINGS
from transaction._transaction import Transaction
from ZODB.POSException import ConflictError
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import pytest
import transaction


AL = "al.bert@maville.test"
REFUSED = "554 5.2.252 SendAsDenied; bridge not allowed to send as al.bert"


@pytest.fixture
def meanwhile(site):
    """``meanwhile(change, reply)`` returns an answer of the catcher: somebody else commits ``change(portal)``, then ``reply``.

    What it changes must be what the request writes.
    """
    database = site.portal._p_jar.db()

    def meanwhile(change, reply=None):
        def answer(envelope):
            manager = transaction.TransactionManager()
            connection = database.open(manager)
            change(connection.root()["Application"]["plone"])
            manager.commit()
            connection.close()
            return reply

        return answer

    return meanwhile


@pytest.fixture
def conflict_at(monkeypatch):
    """``conflict_at(number, was_asked)``: makes the commit with this number conflict, of those that write after ``was_asked()``."""

    def conflict_at(number, was_asked):
        commit, left = Transaction.commit, [number]

        def conflicting(self):
            if self._resources and was_asked():
                left[0] -= 1
                if left[0] == 0:
                    self.abort()
                    raise ConflictError
            return commit(self)

        monkeypatch.setattr(Transaction, "commit", conflicting)

    return conflict_at


def learned_elsewhere(portal):
    IAnnotations(portal)[send_as.KEY]["default", AL] = asdict(send_as.Verdict(False, now(), "elsewhere"))


@pytest.mark.parametrize("reply", [None, REFUSED])
def test_probe_of_a_sender(site, caught, meanwhile, reply):
    caught.answers["data"] = meanwhile(learned_elsewhere, reply)
    assert act(site, SEND_AS, account="default", address=AL, **{"try": "1"}).status_code == 302
    assert caught.received["data"] == 1
    known = send_as.verdict("default", AL)
    assert (known.allowed, known.source) == (reply is None, "probe")


@pytest.mark.parametrize("reply", [None, REFUSED])
def test_diagnosis(site, caught, meanwhile, reply):
    caught.answers[f"data:{AL}"] = meanwhile(learned_elsewhere, reply)
    form = {"run": "1", "send": "1", "account": "default", "recipient": "jeanne@citizen.test", "agent": AL}
    assert act(site, "/@@mailbridge-diagnosis", **form).status_code == 200
    assert caught.received["data"] == 2, "one from the login address, one from the agent"
    known = send_as.verdict("default", AL)
    assert (known.allowed, known.source) == (reply is None, "probe")


def test_test_of_the_settings(site, caught, meanwhile):
    def changed_elsewhere(portal):
        portal.portal_registry.records._values[f"{PREFIX}.undo_seconds"] = 45

    caught.answers["data"] = meanwhile(changed_elsewhere)
    assert press(site, SETTINGS, "test", undo_seconds="20").status_code == 302
    assert caught.received["data"] == 1
    assert stored_settings().undo_seconds == 45, "who writes last"


UNCLEAR = "451 4.7.1 greylisted"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("reply", [None, REFUSED, UNCLEAR])
def test_probe_of_a_sender_whose_commit_conflicts(site, caught, conflict_at, monkeypatch, reply, number):
    addresses = send_as_page.admin_addresses

    def writing():  # what the request wrote before must not conflict either
        getSite().touched = True
        return addresses()

    monkeypatch.setattr(send_as_page, "admin_addresses", writing)
    caught.answers["data"] = reply
    conflict_at(number, lambda: caught.received["data"])
    assert act(site, SEND_AS, account="default", address=AL, **{"try": "1"}).status_code == 302
    assert caught.received["data"] == 1
    known = send_as.verdict("default", AL)
    assert (known and known.allowed) == {None: True, REFUSED: False, UNCLEAR: None}[reply]
    assert not hasattr(site.portal.aq_base, "touched")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("reply", [None, REFUSED, UNCLEAR])
def test_diagnosis_whose_commit_conflicts(site, caught, conflict_at, monkeypatch, reply, number):
    options = DiagnosisView._options

    def writing(self):  # what the request wrote before must not conflict either
        self.context.touched = True
        return options(self)

    monkeypatch.setattr(DiagnosisView, "_options", writing)
    caught.answers[f"data:{AL}"] = reply
    conflict_at(number, lambda: caught.received["data"])
    form = {"run": "1", "send": "1", "account": "default", "recipient": "jeanne@citizen.test", "agent": AL}
    assert act(site, "/@@mailbridge-diagnosis", **form).status_code == 200
    assert caught.received["data"] == 2
    known = send_as.verdict("default", AL)
    assert (known and known.allowed) == {None: True, REFUSED: False, UNCLEAR: None}[reply]


@pytest.mark.parametrize("number", [1, 2])
def test_test_of_the_settings_whose_commit_conflicts(site, caught, conflict_at, number):
    conflict_at(number, lambda: caught.received["data"])
    assert press(site, SETTINGS, "test", undo_seconds="20").status_code == 302
    assert caught.received["data"] == 1
    assert stored_settings().undo_seconds == 20


@pytest.fixture
def stopped(site, caught, send):
    """An account that is stopped, with a message that waits for it, though its server works by now."""
    caught.answers["mail"] = ["530 5.7.0 log in first"]
    record = send()
    assert record.state == "held"
    caught.received["ehlo"] = 0
    return record


def released(site):
    assert act(site, ACCOUNTS, release="default").status_code == 302


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("release", [released, lambda site: try_account("default")], ids=["page", "sweep"])
def test_release_whose_commit_conflicts(site, caught, stopped, conflict_at, release, number):
    conflict_at(number, lambda: caught.received["ehlo"])
    release(site)
    transaction.begin()
    assert caught.received["ehlo"] == 1
    assert outbox().hold_of() is None
    assert stopped.state == "sent"
    assert len(caught.messages) == 1


def test_release_that_another_worker_made_meanwhile(site, caught, stopped, meanwhile):
    def released_elsewhere(portal):
        IAnnotations(portal)[OUTBOX].holds.pop("default")

    greeting, answer = caught.handle_EHLO, meanwhile(released_elsewhere)

    async def handle_EHLO(server, session, envelope, hostname, responses):
        answer(envelope)
        return await greeting(server, session, envelope, hostname, responses)

    caught.handle_EHLO = handle_EHLO
    assert try_account("default")
    transaction.begin()
    assert stopped.state == "sent"
    assert len(caught.messages) == 1


def test_test_of_the_settings_wants_a_token(site, caught):
    """It commits in the middle of the request, where plone.protect's own look at the end comes too late."""
    before, form = stored_settings().undo_seconds, fields(page(site, SETTINGS))
    form.pop("_authenticator")
    form |= {"form.widgets.undo_seconds": "20", "form.buttons.test": "x"}
    assert site.post(SETTINGS, "admin", data=form, headers=HTML).status_code == 200
    assert stored_settings().undo_seconds == before
    assert not caught.received["mail"]
