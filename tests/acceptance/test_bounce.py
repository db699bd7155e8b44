"""A message that a real Postfix took comes back by itself: to the bridge, to its recipient's line, to its agent."""

from email import message_from_bytes
from email import policy
from tests.servers.postfix import LOGIN
from tests.servers.postfix import PASSWORD
from tests.servers.waiting import wait_for
import pytest


DOCUMENT = "/outgoing-mail/permis-durbanisme"
AGENT = "al.bert@maville.test"
GONE = "gone@bounces.test"
JEANNE = "jeanne.dupont@citizen.test"


@pytest.fixture
def town(iadocs, postfix):
    """The demo sends by Postfix, which hands over what comes back."""
    before = {"url": postfix.url, "token": postfix.token}
    postfix.bridge_to(iadocs.url, token="gateway:demo-iadocs")
    iadocs.set(
        smtp_host="localhost", smtp_port=postfix.open_port, smtp_security="starttls", smtp_ca_file=str(postfix.ca_file),
        smtp_login=LOGIN, smtp_password=PASSWORD, login_address=None, sender_policy="login", close_on_send=False,
        envelope_sender="bounce",
    )  # fmt: skip
    yield iadocs
    iadocs.set(envelope_sender="from")
    postfix.bridge_to(**before)


def test_bounce_of_a_real_server(town, postfix):
    data = {"to": [GONE, JEANNE], "subject": "Votre permis é", "body": "<p>Bonjour</p>"}
    answer = town.post(f"{DOCUMENT}/@send-email", "agent", json=data)
    assert answer.status_code == 202, answer.text
    path = f"/@outbox/{answer.json()['id']}"

    def states():
        return {each["address"]: each["state"] for each in town.get(path, "agent").json()["recipients"]}

    wait_for(lambda: states() == {GONE: "bounced", JEANNE: "sent"}, what=postfix.log_text)
    message = town.get(path, "agent").json()
    (line,) = [line for line in message["timeline"] if line["state"] == "bounced"]
    assert (line["recipient"], "5.1.1" in line["text"]) == (GONE, True)
    assert line["explanation"]
    (delivered,) = postfix.messages(JEANNE)
    assert delivered.envelope_sender == message["envelope_sender"]
    assert delivered.envelope_sender.startswith("in+b.")

    (record,) = [
        record
        for record in town.get("/@mail-in?b_size=500", "chef").json()["items"]
        if record["envelope_recipient"] == message["envelope_sender"]
    ]
    assert (record["state"], record["transfer"]) == ("recorded", "bounce")
    report = town.get(f"/@mail-in/{record['id']}/source", "chef").content
    assert f"Original-Envelope-Id: {message['id']}".encode() in report
    assert f"Original-Recipient: rfc822;{GONE}".encode() in report

    (notice,) = wait_for(lambda: postfix.messages(AGENT), what=postfix.log_text)
    assert notice.envelope_sender == LOGIN
    told = message_from_bytes(notice.content, policy=policy.default)
    assert told["Auto-Submitted"] == "auto-generated"
    text = told.get_body(("plain",)).get_content()
    assert GONE in text
    assert JEANNE not in text
    assert f"{town.url}{DOCUMENT}" in text
