"""An account stops: its manager reads why and what to do, on any page; agents are not bothered."""

from tests.servers.waiting import wait_for
import pytest


DOCUMENT = "/outgoing-mail/permis-durbanisme"


@pytest.fixture
def stopped(iadocs, catcher_factory):
    """The account of the demo is stopped: its server offers no encryption."""
    server = catcher_factory()
    iadocs.set(
        smtp_host="localhost",
        smtp_port=server.port,
        smtp_security="starttls",
        smtp_login=None,
        login_address="administration@maville.test",
        sender_policy="login",
        undo_seconds=0,
    )
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    path = f"/@outbox/{iadocs.post(f'{DOCUMENT}/@send-email', 'agent', json=data).json()['id']}"
    wait_for(lambda: iadocs.get(path, "agent").json()["state"] == "held")
    yield
    iadocs.set(smtp_security="none")
    iadocs.sweep()
    wait_for(lambda: not iadocs.get("/@mailbridge-status", "chef").json()["held"])


def test_manager_sees_why_and_what_to_do(stopped, person):
    chef = person("chef")
    for path in ("", DOCUMENT):
        chef.open(path)
        alarm = chef.page.locator(".mailbridge-alarm")
        assert alarm.count() == 1
        assert alarm.get_attribute("role") == "alert"
        assert alarm.bounding_box()["height"] < 100, "two lines at most"
        assert "STARTTLS" not in alarm.inner_text()
        alarm.locator("summary").click()
        assert "STARTTLS" in alarm.inner_text()
        assert alarm.locator("a").count() == 0, "no link to a page that is not for them"
    chef.screenshot("alarm")
    assert not chef.errors
    agent = person("agent")
    agent.open(DOCUMENT)
    assert agent.page.locator(".mailbridge-alarm").count() == 0
