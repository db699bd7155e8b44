"""The catcher follows its script."""

from tests.servers.catcher import Caught
from tests.servers.waiting import TIMEOUT
import pytest
import smtplib


MESSAGE = b"From: al.bert@maville.test\r\nSubject: hello\r\n\r\nhello\r\n"


def send(catcher, recipients, sender="al@maville.test", certificates=None, login=None):
    with smtplib.SMTP("localhost", catcher.port, timeout=TIMEOUT) as smtp:
        if certificates is not None:
            smtp.starttls(context=certificates.client_context())
        if login is not None:
            smtp.login(*login)
        return smtp.sendmail(sender, recipients, MESSAGE)


def test_it_keeps_what_it_takes(catcher):
    send(catcher, ["a@x.test", "b@x.test"])
    assert catcher.messages == [Caught("al@maville.test", ["a@x.test", "b@x.test"], MESSAGE)]
    assert catcher.received == {"ehlo": 1, "mail": 1, "rcpt": 2, "data": 1}


def test_a_script_by_address(catcher):
    catcher.answers = {"rcpt:bad@x.test": "550 5.1.1 no such user"}
    assert send(catcher, ["bad@x.test", "b@x.test"]) == {"bad@x.test": (550, b"5.1.1 no such user")}
    assert catcher.messages[0].rcpt_tos == ["b@x.test"]


def test_a_script_of_turns(catcher):
    catcher.answers = {"rcpt": ["450 4.2.0 greylisted"]}
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(catcher, ["b@x.test"])
    assert send(catcher, ["b@x.test"]) == {}


def test_a_script_that_looks_at_the_message(catcher):
    def exchange(envelope):
        return None if b"From: administration@" in envelope.content else "550 5.7.60 SendAsDenied"

    catcher.answers = {"data": exchange, "mail:other@maville.test": "550 5.7.30 basic authentication is off"}
    with pytest.raises(smtplib.SMTPDataError) as error:
        send(catcher, ["b@x.test"])
    assert error.value.smtp_code == 550
    with pytest.raises(smtplib.SMTPSenderRefused):
        send(catcher, ["b@x.test"], sender="other@maville.test")
    assert catcher.messages == []


def test_starttls_and_login(catcher_factory, certificates):
    catcher = catcher_factory(security="starttls", certificates=certificates, login="al", password="secret")
    with pytest.raises(smtplib.SMTPSenderRefused):
        send(catcher, ["b@x.test"])
    with pytest.raises(smtplib.SMTPSenderRefused):
        send(catcher, ["b@x.test"], certificates=certificates)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(catcher, ["b@x.test"], certificates=certificates, login=("al", "wrong"))
    assert send(catcher, ["b@x.test"], certificates=certificates, login=("al", "secret")) == {}
    assert len(catcher.messages) == 1


def test_tls_from_the_first_byte(catcher_factory, certificates):
    catcher = catcher_factory(security="tls", certificates=certificates)
    with smtplib.SMTP_SSL(
        "localhost", catcher.port, timeout=TIMEOUT, context=certificates.client_context()
    ) as smtp:
        assert smtp.sendmail("al@maville.test", ["b@x.test"], MESSAGE) == {}


def test_it_comes_back_at_the_same_port(catcher):
    catcher.stop()
    with pytest.raises(OSError):
        send(catcher, ["b@x.test"])
    catcher.start()
    assert send(catcher, ["b@x.test"]) == {}
