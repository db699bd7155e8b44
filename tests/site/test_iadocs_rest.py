"""The types over plone.restapi: readable, and what is read-only or reserved stays so."""

from imio.mailbridge.iadocs.demo import PASSWORD
import pytest
import requests
import transaction


PERMIT = "outgoing-mail/permis-durbanisme"
QUESTION = "incoming-mail/demande-de-permis"
POSITION = "contacts/personnel-folder/al-bert/administration-generale"


@pytest.fixture
def session(functional_portal):
    class Session(requests.Session):
        def request(self, method, path, **options):
            return super().request(
                method, f"{functional_portal.absolute_url()}/{path}", timeout=30, **options
            )

    def session(user):
        session = Session()
        session.headers["Accept"] = "application/json"
        session.auth = (user, PASSWORD)
        return session

    return session


@pytest.mark.parametrize("path", [PERMIT, QUESTION, POSITION, f"{PERMIT}/permis", "contacts/jeanne-dupont"])
def test_content_can_be_read(session, path):
    response = session("agent").get(path)
    assert response.status_code == 200
    assert response.json()["@id"].endswith(path)


def test_status_cannot_be_written(session, functional_portal):
    response = session("agent").patch(PERMIT, json={"email_status": "Envoyé", "email_cc": "x@y.test"})
    assert response.status_code == 204
    transaction.begin()
    document = functional_portal.unrestrictedTraverse(PERMIT)
    assert document.email_status is None
    assert document.email_cc == "x@y.test"


@pytest.mark.parametrize(("user", "written"), [("agent2", False), ("chef", True)])
def test_may_send_as_needs_manage_mail(session, functional_portal, user, written):
    position = functional_portal.unrestrictedTraverse(POSITION)
    position.manage_setLocalRoles(user, ["Editor"])
    transaction.commit()
    session(user).patch(POSITION, json={"may_send_as": True})
    transaction.begin()
    assert bool(position.may_send_as) is written


def test_agent_writes_a_new_mail(session):
    mail = {
        "@type": "dmsoutgoingmail",
        "title": "Rappel",
        "send_modes": ["email"],
        "email_recipient": "a@b.test",
    }
    response = session("agent").post("outgoing-mail", json=mail)
    assert response.status_code == 201
    assert response.json()["review_state"] == "created"


def test_agent_cannot_file_by_hand(session):
    response = session("agent").post("incoming-mail", json={"@type": "dmsincoming_email", "title": "x"})
    assert response.status_code in (401, 403)


@pytest.mark.parametrize("path", [PERMIT, QUESTION, "contacts/jeanne-dupont"])
def test_gateway_reads_nothing(session, path):
    assert session("gateway").get(path).status_code in (401, 403)
