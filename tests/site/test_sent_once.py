"""A test mail leaves once, whatever else the site writes while the server answers: real conflicts, and the real publisher."""

from dataclasses import asdict
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from tests.site.panel import act
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.panel import press
from tests.site.panel import SEND_AS
from tests.site.panel import SETTINGS
from zope.annotation.interfaces import IAnnotations
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


def test_test_of_the_settings_wants_a_token(site, caught):
    """It commits in the middle of the request, where plone.protect's own look at the end comes too late."""
    before, form = stored_settings().undo_seconds, fields(page(site, SETTINGS))
    form.pop("_authenticator")
    form |= {"form.widgets.undo_seconds": "20", "form.buttons.test": "x"}
    assert site.post(SETTINGS, "admin", data=form, headers=HTML).status_code == 403
    assert stored_settings().undo_seconds == before
    assert not caught.received["mail"]
