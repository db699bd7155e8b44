"""What is known of senders: shown, forgotten, and learned by a real message."""

from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import stored_settings
from plone import api
from tests.site.panel import act
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import SEND_AS
from tests.site.rows import keep
from tests.site.rows import row
import email
import pytest
import transaction


AL = "al.bert@maville.test"
REFUSED = "553 5.7.1 <al.bert@maville.test>: Sender address rejected: not owned by user bridge"
EXCHANGE = "554 5.2.252 SendAsDenied; bridge not allowed to send as al.bert"


def known():
    return {key: verdict.allowed for key, verdict in send_as.verdicts().items()}


def test_shown_by_account(site, caught):
    keep(row())
    send_as.learn("default", AL, False, REFUSED)
    send_as.learn("cpas", "cpas.test", True, "250 2.0.0 <b>OK</b>", "probe")
    send_as.learn("default", send_as.BOUNCE, True)
    transaction.commit()
    text = page(site, SEND_AS)
    first, second = text.split('id="account-cpas"')
    for expected in (AL, "refused", REFUSED, "answer to a message", "address for error reports"):
        assert expected in first
    for expected in ("cpas.test", "allowed", "test"):
        assert expected in second
    assert "does not use what is learned here" in first
    raw = site.get(SEND_AS, "admin", headers=HTML).text
    assert "<b>OK" not in raw


def test_reset(site, caught):
    keep(row())
    for account, name in (("default", AL), ("default", "maville.test"), ("cpas", AL)):
        send_as.learn(account, name, False)
    transaction.commit()
    assert "Forgotten: 1" in messages(site, act(site, SEND_AS, account="default", reset=AL))
    assert known() == {("default", "maville.test"): False, ("cpas", AL): False}
    act(site, SEND_AS, account="default", reset_all="1")
    assert known() == {("cpas", AL): False}


@pytest.mark.parametrize("form", [{"reset": AL}, {"reset_all": "1"}, {"try": "1", "address": AL}])
def test_only_by_post_with_a_token_and_for_an_account(site, caught, form):
    send_as.learn("default", AL, False)
    transaction.commit()
    assert site.get(SEND_AS, "admin", params={"account": "default", **form}, headers=HTML).status_code == 404
    data = {"account": "default", **form}
    assert "session had changed" in site.post(SEND_AS, "admin", data=data, headers=HTML).text
    assert act(site, SEND_AS, account="nobody", **form).status_code == 404
    assert known() == {("default", AL): False}
    assert not caught.messages


def attempt(site, **changes):
    return messages(site, act(site, SEND_AS, **{"account": "default", "try": "1", "address": AL} | changes))


def test_allowed(site, caught):
    assert "lets iA.docs send as al.bert@maville.test" in attempt(site)
    (message,) = caught.messages
    assert (message.mail_from, message.rcpt_tos) == (AL, ["administration@maville.test"])
    assert email.message_from_bytes(message.content)["From"] == AL
    verdict = send_as.verdict("default", AL)
    assert (verdict.allowed, verdict.source) == (True, "probe")
    assert known() == {("default", AL): True}


@pytest.mark.parametrize(("stage", "answer"), [("mail", REFUSED), ("rcpt", REFUSED), ("data", EXCHANGE)])
def test_refused_at_any_stage(site, caught, stage, answer):
    send_as.learn("default", AL, True)
    transaction.commit()
    caught.answers[stage] = answer
    text = attempt(site, whole_domain="1")
    assert "does not let iA.docs send as" in text
    assert answer in text
    assert "Either ask the mail provider" in text
    assert known() == {("default", AL): False, ("default", "maville.test"): False}
    assert send_as.verdict("default", "claire.fontaine@maville.test").text == answer


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("rcpt", "451 4.7.1 greylisted"),
        ("rcpt", "550 5.1.1 no such user"),
        ("data", "554 5.7.1 content rejected as spam"),
        ("mail", "530 5.7.0 log in first"),
    ],
)
def test_unclear_answers_teach_nothing(site, caught, stage, answer):
    caught.answers[stage] = answer
    text = attempt(site, whole_domain="1")
    assert "says nothing about sending as" in text
    assert answer in text
    assert not known()


def test_no_server(site):
    assert "says nothing about sending as" in attempt(site)
    assert not known()


def test_refused_bounce_address_is_not_the_agents(site, caught):
    stored_settings().envelope_sender = "bounce"
    transaction.commit()
    caught.answers["mail:in@bridge.test"] = "553 5.7.1 Sender address rejected: not owned by user bridge"
    assert "says nothing about sending as" in attempt(site)
    assert known() == {("default", send_as.BOUNCE): False}


@pytest.mark.parametrize(
    "address", ["", "al", "a b@c.test", "al@c.test\r\nRCPT TO:<x@y.test>", f"a@{'x' * 70}.test", AL * 50]
)
def test_what_is_no_address(site, caught, address):
    assert "is not an e-mail address" in attempt(site, address=address)
    assert not caught.received["mail"]


def test_to_the_admin_where_the_account_has_no_address(site, caught):
    stored_settings().login_address = None
    transaction.commit()
    assert "There is no address to send the test to" in attempt(site)
    api.portal.set_registry_record("plone.email_from_address", "site@maville.test")
    transaction.commit()
    attempt(site)
    assert caught.messages[0].rcpt_tos == ["site@maville.test"]
    stored_settings().envelope_sender = "login"
    transaction.commit()
    assert "login address of the mail bridge is not set" in attempt(site)


def test_unreadable_password_file(site, caught, monkeypatch):
    stored_settings().smtp_login = "bridge"
    transaction.commit()
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MAILBRIDGE_SMTP_SECURITY", "none")
    monkeypatch.setenv(password.FILE, "/nonexistent")
    assert "The password file cannot be read" in attempt(site)
