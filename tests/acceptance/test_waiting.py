"""What an agent sends does not wait behind what comes in."""

from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.instance import copied
from tests.servers.waiting import wait_for


COUNT = 100


def waiting(town):
    return town.get("/@mail-in?state=received", "chef").json()["items_total"]


def test_e_mail_leaves_while_a_hundred_messages_wait_to_be_filed(demo, tmp_path, catcher):
    town = copied(demo, tmp_path / "town", pdf=False)
    town.start(MAILBRIDGE_WORKER="off")
    town.set(smtp_host="127.0.0.1", smtp_port=catcher.port, smtp_security="none", undo_seconds=0)
    headers = {**TRUSTED, "Prefer": "respond-async"}
    for number in range(COUNT):
        raw = redirected(f"Demande {number}")
        assert town.post("/@@mail-in", "gateway", data=raw, headers=headers).status_code == 202
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    assert town.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data).status_code == 202
    town.stop()
    town.start()
    try:
        wait_for(lambda: catcher.messages)
        assert waiting(town)
        wait_for(lambda: not waiting(town))
    finally:
        town.stop()
