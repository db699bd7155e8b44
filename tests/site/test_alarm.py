"""An account stops: one e-mail by something that works, one all-clear, and a warning on every page of a manager."""

from datetime import timedelta
from email import message_from_bytes
from email import policy
from imio.mailbridge.browser import alarm as alarm_viewlet
from imio.mailbridge.delivery import account_alarm as alarm
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.notify import alarm as notify_alarm
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from imio.mailbridge.site_mail import mailhost
from imio.mailbridge.store.store import now
from plone import api
from plone.registry.interfaces import IRegistry
from zope.component import getUtility
from zope.schema import getFieldNames
import logging
import pytest
import transaction


ADMIN = "admin@maville.test"
REFUSED = "530 5.7.0 log in <b>first</b>"


@pytest.fixture
def stop(site, caught):
    """Let the default account stop over one message; return its record."""

    def stop():
        caught.answers["mail"] = REFUSED
        data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Permis", "body": "x"}
        id = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data).json()["id"]
        deliver(id)
        deliver()
        transaction.begin()
        return outbox().get(id)

    stored_settings().alarm_address = ADMIN
    transaction.commit()
    return stop


@pytest.fixture
def other(catcher_factory):
    """Another account, with a server of its own."""
    server = catcher_factory()
    row = {
        "name": "cpas", "senders": ["cpas.test"], "host": "127.0.0.1", "port": server.port, "security": "none",
        "login_address": "noreply@cpas.test", "sender_policy": "login", "auth": "password",
    }  # fmt: skip
    stored_settings().smtp_accounts = [dict.fromkeys(getFieldNames(ISmtpAccountRow)) | row]
    transaction.commit()
    return server


@pytest.fixture
def plone_server(catcher_factory):
    """The mail server in Plone's own mail settings."""
    server = catcher_factory()
    api.portal.set_registry_record("plone.smtp_host", "127.0.0.1")
    api.portal.set_registry_record("plone.smtp_port", server.port)
    api.portal.set_registry_record("plone.email_from_address", "site@maville.test")
    transaction.commit()
    return server


def read(caught_message):
    message = message_from_bytes(caught_message.content, policy=policy.default)
    return message, message.get_body(("plain",)).get_content()


def release():
    assert outbox().holds
    outbox().retry_held()
    transaction.commit()
    sweep()
    deliver()
    transaction.begin()


def test_by_another_account(site, stop, other, caught):
    assert stop().state == "held"
    (sent,) = other.messages
    assert (sent.mail_from, sent.rcpt_tos) == ("noreply@cpas.test", [ADMIN])
    message, text = read(sent)
    assert message["Auto-Submitted"] == "auto-generated"
    assert "default" in message["Subject"]
    assert "530 5.7.0 log in <b>first</b>" in text
    assert f"{site.url}/@@mailbridge-accounts" in text
    assert "1" in text
    assert "<b>first" not in message.get_body(("html",)).get_content()
    assert not caught.messages


def test_by_plone_when_there_is_no_other_account(stop, plone_server, caught):
    stop()
    (sent,) = plone_server.messages
    assert (sent.mail_from, sent.rcpt_tos) == ("site@maville.test", [ADMIN])
    message, text = read(sent)
    assert message["Auto-Submitted"] == "auto-generated"
    assert "530 5.7.0 log in <b>first</b>" in text
    assert not caught.messages


def test_not_by_the_broken_account_when_it_sends_the_mail_of_the_site(stop, plone_server, caught):
    stored_settings().whole_site = True
    transaction.commit()
    stop()
    assert mailhost.is_ours()
    caught.answers.clear()  # the server of the account would take it now
    release()
    assert [message.mail_from for message in plone_server.messages] == ["site@maville.test"] * 2
    assert [message.rcpt_tos for message in caught.messages] == [["jeanne.dupont@citizen.test"]]


def test_to_the_address_of_the_site_when_none_is_set(stop, plone_server):
    stored_settings().alarm_address = None
    transaction.commit()
    stop()
    assert plone_server.messages[0].rcpt_tos == ["site@maville.test"]


def test_by_nothing_that_is_broken(stop, plone_server, caught, caplog):
    api.portal.set_registry_record("plone.smtp_port", caught.port)
    transaction.commit()
    with caplog.at_level(logging.ERROR):
        stop()
    assert "no alarm is sent" in caplog.text
    assert not caught.messages
    assert caught.received["mail"] == 1
    assert not plone_server.messages


def test_to_nobody(stop, other, caplog):
    stored_settings().alarm_address = None
    getUtility(IRegistry)["plone.email_from_address"] = None
    transaction.commit()
    with caplog.at_level(logging.ERROR):
        stop()
    assert "neither an alarm address" in caplog.text
    assert not other.messages


def test_a_server_of_plone_that_fails_is_logged(stop, plone_server, caplog):
    plone_server.stop()
    with caplog.at_level(logging.ERROR):
        assert stop().state == "held"
    assert "the alarm could not be sent" in caplog.text


@pytest.mark.parametrize("way", ["other", "plone_server"])
def test_once_and_one_all_clear(request, way, stop, caught):
    server = request.getfixturevalue(way)
    stop()
    stop()
    caught.stop()
    sweep()
    assert len(server.messages) == 1, "held is held"
    caught.start()
    del caught.answers["mail"]
    release()
    assert not outbox().holds
    subjects = [read(message)[0]["Subject"] for message in server.messages]
    assert len(subjects) == 2
    assert subjects[0] != subjects[1]
    assert len(caught.messages) == 2


def test_no_all_clear_without_an_alarm(stop, caught, other):
    stored_settings().alarm_address = None
    getUtility(IRegistry)["plone.email_from_address"] = None
    transaction.commit()
    stop()
    stored_settings().alarm_address = ADMIN
    transaction.commit()
    del caught.answers["mail"]
    release()
    assert not other.messages


def test_account_that_stops_again_and_again_is_reported_once(stop, caught, other):
    """Its login works all the time, and each message is refused."""
    record = stop()
    for _ in range(3):
        release()
        assert outbox().holds
    assert len(other.messages) == 1, "no all-clear"
    assert [line["state"] for line in record.history].count("held") == 1
    assert caught.received["mail"] == 4


@pytest.mark.parametrize("hours", [1, 7])
def test_account_that_stops_another_time_soon_is_not_reported_again(stop, caught, other, hours):
    stop()
    caught.answers.clear()
    release()
    assert len(other.messages) == 2, "the alarm and the all-clear"
    at, is_open = alarm._alarms()["default"]
    alarm._alarms()["default"] = (at - timedelta(hours=hours), is_open)
    transaction.commit()
    stop()
    assert len(other.messages) == (2 if hours == 1 else 3)


def test_account_that_stays_stopped_is_reported_once_the_silence_is_over(stop, caught, other):
    stop()
    caught.answers.clear()
    release()
    stop()
    assert len(other.messages) == 2, "the alarm and the all-clear"
    at, is_open = alarm._alarms()["default"]
    alarm._alarms()["default"] = (at - alarm.QUIET, is_open)
    transaction.commit()
    for _time in range(2):
        sweep()
        assert len(other.messages) == 3
    assert read(other.messages[2])[0]["Subject"] == read(other.messages[0])[0]["Subject"]


def test_account_that_was_removed_works_no_more(stop, caught, other):
    stop()
    stored_settings().smtp_host = None
    transaction.commit()
    release()
    assert not outbox().holds
    assert len(other.messages) == 1, "no all-clear"


def test_error_in_writing_the_alarm_does_not_send_again(stop, other, monkeypatch, caught, caplog):
    monkeypatch.setattr(alarm, "waiting", lambda name: 1 / 0)
    with caplog.at_level(logging.ERROR):
        assert stop().state == "held"
    assert "no alarm is sent" in caplog.text


def test_error_does_not_keep_the_account_from_stopping(stop, other, monkeypatch, caplog):
    monkeypatch.setattr(notify_alarm, "send_notice", lambda *args: 1 / 0)
    with caplog.at_level(logging.ERROR):
        assert stop().state == "held"
    assert "no alarm is sent" in caplog.text


@pytest.fixture
def held(site):
    outbox().holds["default"] = {
        "at": now(),
        "code": 535,
        "text": "5.7.8 <script>alert(1)</script>",
        "explanation": "The mail server refused the login of iA.docs.",
        "remedy": "Correct login and password in the control panel. Some providers require an app password here.",
    }
    transaction.commit()


HTML = {"headers": {"Accept": "text/html"}}


@pytest.mark.parametrize("path", ["", "/outgoing-mail/permis-durbanisme", "/@@search", "/@@mailbridge-inbox"])
def test_a_manager_sees_it_on_every_page(site, held, path):
    page = site.get(path, "chef", **HTML).text
    assert "mailbridge-alarm" in page
    assert "/@@mailbridge-accounts" not in page, "no link to a page that is not for them"
    assert "Tell your IT service." in page
    assert "Correct login and password" not in page, "no remedy that is not theirs"
    assert "5.7.8 &lt;script" in page
    assert "<script>alert(1)" not in page
    outbox().holds.clear()
    transaction.commit()
    assert "mailbridge-alarm" not in site.get(path, "chef", **HTML).text


def test_who_may_set_up_finds_the_accounts(site, held):
    with api.env.adopt_roles(["Manager"]):
        api.user.grant_roles("chef", roles=["Site Administrator"])
    transaction.commit()
    page = site.get("", "chef", **HTML).text
    assert "/@@mailbridge-accounts" in page
    assert "Correct login and password in the control panel." in page
    assert "Tell your IT service." not in page


def test_it_counts_what_waits_for_the_account(site, stop, monkeypatch):
    stop()
    assert "Messages waiting: 1<" in site.get("", "chef", **HTML).text
    monkeypatch.setattr(alarm_viewlet, "MANY", 1)
    stop()
    assert "Messages waiting: 1+<" in site.get("", "chef", **HTML).text


def test_it_stands_once_on_a_page_of_the_control_panel(site, held):
    page = site.get("/@@mailbridge-accounts", "admin", **HTML)
    assert page.status_code == 200
    assert page.text.count("mailbridge-alarm") == 1


@pytest.mark.parametrize("user", [None, "agent", "gateway"])
def test_nobody_else_sees_it(site, held, user):
    for path in ("", "/outgoing-mail/permis-durbanisme"):
        assert "mailbridge-alarm" not in site.get(path, user, **HTML).text
