"""The Postfix of the tests does what it is there for, and mailbridge-pipe loses nothing under it."""

from tests.servers.fake_site import FakeSite
from tests.servers.postfix import LOGIN
from tests.servers.postfix import PASSWORD
from tests.servers.waiting import free_port
from tests.servers.waiting import TIMEOUT
import base64
import contextlib
import os
import pytest
import smtplib


MESSAGE = (
    b"From: Zo\xc3\xa9 <zoe@citizen.test>\r\nTo: info@maville.test\r\nSubject: hello\r\n\r\n"
    b".dot\r\n\xff\x00\r\nend\r\n"
)


@pytest.fixture
def site():
    with FakeSite() as server:
        yield server


@contextlib.contextmanager
def submission(postfix, port, login=LOGIN, password=PASSWORD):
    with smtplib.SMTP("localhost", port, timeout=TIMEOUT) as smtp:
        smtp.starttls(context=postfix.client_context())
        smtp.login(login, password)
        yield smtp


def bring(postfix, recipient, message=MESSAGE, sender="zoe@citizen.test"):
    """Hand Postfix a message as the internet does."""
    with smtplib.SMTP("127.0.0.1", postfix.smtp_port, timeout=TIMEOUT) as smtp:
        assert smtp.sendmail(sender, recipient, message) == {}


def deferred(postfix):
    return [entry for entry in postfix.queue() if entry["queue_name"] == "deferred"]


@pytest.mark.parametrize("port", ["open_port", "enforcing_port"])
def test_login_after_starttls(postfix, port):
    with smtplib.SMTP("localhost", getattr(postfix, port), timeout=TIMEOUT) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        smtp.starttls(context=postfix.client_context())
        smtp.ehlo()
        assert smtp.has_extn("auth")
        with pytest.raises(smtplib.SMTPAuthenticationError) as error:
            smtp.login(LOGIN, "wrong")
        assert error.value.smtp_code == 535
    with (
        pytest.raises(smtplib.SMTPRecipientsRefused),
        smtplib.SMTP("localhost", getattr(postfix, port)) as smtp,
    ):
        smtp.sendmail(LOGIN, "info@maville.test", MESSAGE)
    with submission(postfix, getattr(postfix, port)) as smtp:
        smtp.sendmail(LOGIN, ["info@maville.test", "Other@citizen.test"], MESSAGE)
    for address in ("info@maville.test", "other@citizen.test"):
        [delivered] = postfix.wait_for(lambda address=address: postfix.messages(address))
        assert delivered.envelope_sender == LOGIN
        assert delivered.content.endswith(MESSAGE.replace(b"\r\n", b"\n"))


def test_the_open_port_takes_any_envelope_sender(postfix):
    with submission(postfix, postfix.open_port) as smtp:
        smtp.sendmail("al.bert@maville.test", "info@maville.test", MESSAGE)
    [delivered] = postfix.wait_for(lambda: postfix.messages("info@maville.test"))
    assert delivered.envelope_sender == "al.bert@maville.test"


def test_the_enforcing_port_refuses_another_envelope_sender(postfix):
    with submission(postfix, postfix.enforcing_port) as smtp:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as error:
            smtp.sendmail("al.bert@maville.test", "info@maville.test", MESSAGE)
        code, text = error.value.recipients["info@maville.test"]
        assert code == 553
        assert text.startswith(b"5.7.1 ")
        smtp.sendmail(LOGIN, "info@maville.test", MESSAGE)
    assert postfix.wait_for(lambda: postfix.messages("info@maville.test"))


def test_the_smtp_port_takes_mail_for_its_domains_only(postfix):
    bring(postfix, "anybody@maville.test", sender="")
    [delivered] = postfix.wait_for(lambda: postfix.messages("anybody@maville.test"))
    assert delivered.envelope_sender == ""
    for recipient, code in (
        ("x@example.org", 554),
        ("unknown@citizen.test", 550),
        ("later@citizen.test", 450),
    ):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as error:
            bring(postfix, recipient)
        assert error.value.recipients[recipient][0] == code


def test_a_bounce_comes_back(postfix):
    bring(postfix, "who@bounces.test", sender="info@maville.test")
    [report] = postfix.wait_for(lambda: postfix.messages("info@maville.test"))
    assert report.envelope_sender == ""
    assert b"Status: 5.1.1" in report.content


def test_the_bridge_gets_the_exact_bytes_once(postfix, site):
    postfix.bridge_to(site.url)
    bring(postfix, "In+Tag@bridge.test")
    postfix.wait_for(lambda: site.requests and not postfix.queue())
    [request] = site.requests
    assert request.path == "/site/@@mail-in"
    assert request.headers["X-Envelope-Recipient"] == "In+Tag@bridge.test"
    assert request.headers["X-Envelope-Sender"] == "zoe@citizen.test"
    assert request.headers["X-Client-Address"] == "127.0.0.1"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"gateway:secret").decode()
    assert request.body.startswith(b"Received: from ")
    assert request.body.endswith(MESSAGE.replace(b"\r\n", b"\n"))
    assert "2.0.0 'filed' as 'abc' (HTTP 201)" in postfix.log_text()


def test_a_message_near_the_limit_goes_through_the_bridge(postfix, site):
    postfix.bridge_to(site.url)
    large = b"Subject: large\r\n\r\n" + base64.encodebytes(os.urandom(29_000_000)).replace(b"\n", b"\r\n")
    bring(postfix, "in@bridge.test", large)
    postfix.wait_for(lambda: site.requests and not postfix.queue())
    assert site.requests[0].body.endswith(large.replace(b"\r\n", b"\n"))


def test_each_recipient_of_the_bridge_has_its_own_delivery(postfix, site):
    postfix.bridge_to(site.url)
    bring(postfix, ["a@bridge.test", "b@bridge.test"])
    postfix.wait_for(lambda: len(site.requests) == 2 and not postfix.queue())
    assert sorted(request.headers["X-Envelope-Recipient"] for request in site.requests) == [
        "a@bridge.test",
        "b@bridge.test",
    ]


def test_an_alias_to_the_bridge_arrives_under_the_mail_in_address(postfix_factory, site):
    with postfix_factory(aliases={"info@maville.test": "in+tag@bridge.test"}, url=site.url) as postfix:
        bring(postfix, "info@maville.test", sender="")
        postfix.wait_for(lambda: site.requests and not postfix.queue())
        [request] = site.requests
        assert request.headers["X-Envelope-Recipient"] == "in+tag@bridge.test"
        assert request.headers["X-Envelope-Sender"] == "<>"


def test_a_site_that_is_down_delays_the_message(postfix):
    port = free_port()
    postfix.bridge_to(f"http://127.0.0.1:{port}/site")
    bring(postfix, "in@bridge.test")
    [waiting] = postfix.wait_for(lambda: deferred(postfix))
    assert "Connection refused" in waiting["recipients"][0]["delay_reason"]
    with FakeSite(port) as site:
        postfix.wait_for(lambda: site.requests and not postfix.queue())
        assert len(site.requests) == 1
    assert postfix.messages("zoe@citizen.test") == []


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500, 503])
def test_an_answer_that_is_not_final_delays_the_message(postfix, site, status):
    site.answer = (status, b"<html>no</html>")
    postfix.bridge_to(site.url)
    bring(postfix, "in@bridge.test")
    [waiting] = postfix.wait_for(lambda: deferred(postfix))
    assert f"HTTP {status}" in waiting["recipients"][0]["delay_reason"]
    assert postfix.messages("zoe@citizen.test") == []


@pytest.mark.parametrize(("status", "code"), [(413, b"5.3.4"), (422, b"5.1.1")])
def test_a_final_refusal_bounces_the_message(postfix, site, status, code):
    site.answer = (status, {"message": "no"})
    postfix.bridge_to(site.url)
    bring(postfix, "in@bridge.test")
    [report] = postfix.wait_for(lambda: postfix.messages("zoe@citizen.test"))
    assert b"Status: " + code in report.content
    assert f"(HTTP {status})".encode() in report.content
    postfix.wait_for(lambda: not postfix.queue())
    assert len(site.requests) == 1


def test_a_broken_pipe_program_delays_the_message(postfix_factory, site):
    with postfix_factory(url=site.url) as postfix:
        program = postfix.folder / "bin" / "mailbridge_pipe.py"
        whole = program.read_bytes()
        for content in (b"", b"import nothing_like_this\n", None):
            program.unlink() if content is None else program.write_bytes(content)
            bring(postfix, "in@bridge.test")
            postfix.wait_for(lambda: deferred(postfix))
        assert postfix.messages("zoe@citizen.test") == []
        program.write_bytes(whole)
        postfix.flush()
        postfix.wait_for(lambda: len(site.requests) == 3 and not postfix.queue())


def test_the_queue_survives_a_restart(postfix_factory, site):
    postfix = postfix_factory(url=f"http://127.0.0.1:{free_port()}/")
    bring(postfix, "in@bridge.test")
    postfix.wait_for(lambda: deferred(postfix))
    postfix.stop()
    assert site.requests == []
    postfix.url = site.url
    postfix.start()
    postfix.wait_for(lambda: site.requests and not postfix.queue())
    postfix.stop()
    with pytest.raises(OSError):
        smtplib.SMTP("127.0.0.1", postfix.smtp_port, timeout=2)
