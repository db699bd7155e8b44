"""Mail leaves through a real Postfix, under each policy, and its bytes say what the table says."""

from email import message_from_bytes
from tests.servers.postfix import LOGIN
from tests.servers.postfix import PASSWORD
from tests.servers.waiting import wait_for
import pytest


DOCUMENT = "/outgoing-mail/permis-durbanisme"
AGENT = "al.bert@maville.test"
AGENT_HEADER = f'"Al Bert" <{AGENT}>'
LOGIN_HEADER = f'"Al Bert" <{LOGIN}>'
FINAL = ("sent", "failed", "held", "deferred")


@pytest.fixture
def send(iadocs, postfix):
    """Send a message from the demo document through ``port`` under ``policy``; return it once its fate is known."""

    def send(port, policy, **settings):
        iadocs.set(
            smtp_host="localhost",
            smtp_port=port,
            smtp_security="starttls",
            smtp_ca_file=str(postfix.ca_file),
            smtp_login=LOGIN,
            smtp_password=PASSWORD,
            login_address=None,
            sender_policy=policy,
            close_on_send=False,
            **settings,
        )
        data = {
            "to": ["Jeanne Dupont <jeanne.dupont@citizen.test>"],
            "subject": "Votre permis é",
            "body": "<p>Bonjour</p>",
        }
        answer = iadocs.post(f"{DOCUMENT}/@send-email", "agent", json=data)
        assert answer.status_code == 202, answer.text
        path = f"/@outbox/{answer.json()['id']}"
        return wait_for(lambda: _if_final(iadocs.get(path, "agent").json()))

    return send


def _if_final(message):
    return message if message["state"] in FINAL else None


def delivered(postfix):
    (message,) = wait_for(lambda: postfix.messages("jeanne.dupont@citizen.test"), what=postfix.log_text)
    read = message_from_bytes(message.content)
    return read["From"], read["Reply-To"], message.envelope_sender, read["Message-ID"]


def test_send_as_where_the_server_allows_it(send, postfix):
    message = send(postfix.open_port, "send_as")
    assert message["state"] == "sent", message
    assert delivered(postfix) == (AGENT_HEADER, None, AGENT, message["message_id"])


def test_send_as_where_the_server_refuses_it(send, postfix):
    message = send(postfix.enforcing_port, "send_as")
    assert message["state"] == "failed"
    last = message["timeline"][-1]
    assert (last["code"], last["text"][:5]) == (553, "5.7.1")
    assert "Send As" in last["explanation"]
    assert not postfix.messages("jeanne.dupont@citizen.test")


@pytest.mark.parametrize("port", ["open_port", "enforcing_port"])
def test_login(send, postfix, port):
    message = send(getattr(postfix, port), "login")
    assert message["state"] == "sent", message
    assert delivered(postfix) == (LOGIN_HEADER, AGENT_HEADER, LOGIN, message["message_id"])


def test_login_without_reply_to(send, postfix):
    send(postfix.open_port, "login", reply_to_agent=False)
    assert delivered(postfix)[:2] == (LOGIN_HEADER, None)


@pytest.fixture
def may_send_as(iadocs):
    """Al Bert's record says that the server lets the login send as him."""
    (position,) = iadocs.get("/@search?portal_type=held_position&SearchableText=Bert", "admin").json()[
        "items"
    ]
    path = position["@id"].removeprefix(iadocs.url)

    def declare(value):
        answer = iadocs.request("PATCH", path, "admin", json={"may_send_as": value})
        assert answer.status_code == 204, answer.text

    declare(True)
    yield
    declare(False)


def test_auto_where_the_server_allows_it(send, postfix, may_send_as):
    message = send(postfix.open_port, "auto", reply_to_agent=True)
    assert message["state"] == "sent", message
    assert delivered(postfix) == (AGENT_HEADER, None, AGENT, message["message_id"])


def test_auto_where_the_server_refuses_it(send, postfix, may_send_as):
    before = postfix.log_text().count("not owned by user")
    message = send(postfix.enforcing_port, "auto", reply_to_agent=True)
    assert message["state"] == "sent", message
    assert [line["state"] for line in message["timeline"]] == ["queued", "queued", "sent"]
    refusal = message["timeline"][1]
    assert (refusal["code"], "adresse du compte" in refusal["explanation"]) == (553, True)
    assert delivered(postfix) == (LOGIN_HEADER, AGENT_HEADER, LOGIN, message["message_id"])
    assert postfix.log_text().count("not owned by user") == before + 1
