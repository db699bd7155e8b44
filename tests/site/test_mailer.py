"""The mailer of an account as zope.sendmail knows mailers, against real servers."""

from dataclasses import replace
from imio.mailbridge.delivery.mailer import AccountMailer
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from zope.interface.verify import verifyObject
from zope.sendmail.delivery import DirectMailDelivery
from zope.sendmail.interfaces import ISMTPMailer
import pytest
import smtplib
import threading
import transaction


SITE = "info@maville.test"
JEANNE, PAUL = "jeanne@citizen.test", "paul@citizen.test"
TEXT = f"From: {SITE}\nTo: {JEANNE}\nMessage-Id: <a@maville.test>\nSubject: x\n\nUn\n.\nDeux\n"


@pytest.fixture
def account(site, caught):
    return settings().default_account


@pytest.fixture
def mailer(account):
    return AccountMailer(account)


@pytest.mark.parametrize(
    ("security", "expected"),
    [("none", (True, False, False)), ("starttls", (False, True, False)), ("tls", (False, False, True))],
)
def test_whole_interface(account, security, expected):
    password.write("secret")
    mailer = AccountMailer(replace(account, security=security, login="bridge"))
    assert verifyObject(ISMTPMailer, mailer)
    assert (mailer.no_tls, mailer.force_tls, mailer.implicit_tls) == expected
    assert (mailer.hostname, mailer.port) == (account.host, account.port)
    assert (mailer.username, mailer.password) == ("bridge", "secret")
    for name in ISMTPMailer.names():
        if name not in ("send", "vote", "abort"):
            ISMTPMailer[name].bind(mailer).validate(getattr(mailer, name))


def test_without_a_login_there_is_no_password(mailer):
    password.write("secret")
    assert (mailer.username, mailer.password) == (None, None)


@pytest.mark.parametrize(
    "to", [JEANNE, [JEANNE], (f"Renée <{JEANNE}>", JEANNE)], ids=["text", "list", "names"]
)
@pytest.mark.parametrize(
    "text", [TEXT, TEXT.encode(), TEXT.replace("\n", "\r\n")], ids=["lf", "bytes", "crlf"]
)
def test_send(mailer, caught, to, text):
    mailer.send(f"Commune <{SITE}>", to, text)
    (message,) = caught.messages
    assert (message.mail_from, message.rcpt_tos) == (SITE, [JEANNE])
    assert message.content == TEXT.replace("\n", "\r\n").encode()


def test_vote_keeps_its_connection_for_send(mailer, caught):
    mailer.vote(SITE, [JEANNE], TEXT)
    mailer.send(SITE, [JEANNE], TEXT)
    assert caught.received["ehlo"] == len(caught.messages) == 1
    mailer.send(SITE, [JEANNE], TEXT)
    assert caught.received["ehlo"] == len(caught.messages) == 2, "a connection serves one message"


def test_abort_sends_nothing_and_may_come_at_any_time(mailer, caught):
    mailer.abort()
    mailer.vote(SITE, [JEANNE], TEXT)
    mailer.abort()
    mailer.abort()
    assert not caught.received["mail"]


def test_threads_do_not_share_a_connection(mailer, caught):
    mailer.vote(SITE, [JEANNE], TEXT)
    other = threading.Thread(target=mailer.abort)
    other.start()
    other.join()
    mailer.send(SITE, [JEANNE], TEXT)
    assert caught.received["ehlo"] == 1


def test_vote_raises_what_is_known_to_stop_it(mailer, caught):
    caught.stop()
    with pytest.raises(smtplib.SMTPServerDisconnected, match="refused"):
        mailer.vote(SITE, [JEANNE], TEXT)


def test_refused_login(account, catcher_factory):
    server = catcher_factory(login="bridge", password="right")  # noqa: S106 - of a test
    password.write("wrong")
    mailer = AccountMailer(replace(account, port=server.port, login="bridge"))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        mailer.vote(SITE, [JEANNE], TEXT)


def test_every_recipient_refused(mailer, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        mailer.send(SITE, [JEANNE, PAUL], TEXT)
    assert raised.value.recipients == dict.fromkeys((JEANNE, PAUL), (550, b"5.1.1 no such user"))


def test_one_recipient_refused_is_logged(mailer, caught, caplog):
    caught.answers[f"rcpt:{PAUL}"] = "550 5.1.1 no such user"
    mailer.send(SITE, [JEANNE, PAUL], TEXT)
    assert caught.messages[0].rcpt_tos == [JEANNE]
    assert f"mail was refused for {PAUL}: 550 5.1.1 no such user" in caplog.text


def test_zope_sendmail_sends_it_at_commit(mailer, caught):
    assert DirectMailDelivery(mailer).send(SITE, [JEANNE], TEXT) == "a@maville.test"
    assert not caught.received["ehlo"]
    transaction.commit()
    assert (caught.received["ehlo"], len(caught.messages)) == (1, 1)


def test_zope_sendmail_aborts_what_the_mailer_refuses(mailer, caught):
    caught.stop()
    DirectMailDelivery(mailer).send(SITE, [JEANNE], TEXT)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        transaction.commit()
    transaction.abort()
