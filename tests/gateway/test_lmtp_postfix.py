"""A real Postfix hands mail over to ``mailbridge-lmtp``: deferred while the site is away, one answer for each recipient."""

from tests.mails import citizen
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.fixtures import open_folder
from tests.servers.lmtp import Lmtp
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import pytest
import shutil
import smtplib


SERVICE = (
    "\nbridge-lmtp unix - - n - 10 lmtp -o lmtp_send_xforward_command=yes -o lmtp_line_length_limit=0"
    " -o lmtp_tls_security_level=none\n"
)
IN, OTHER, NOBODY = "in@maville.test", "autre@maville.test", "nobody@maville.test"
SENDER = "jeanne.dupont@citizen.test"


@pytest.fixture
def lmtp():
    """The LMTP server, for a site that is not there yet; its URL is ``site_port``."""
    port = free_port()
    with Lmtp(f"http://127.0.0.1:{port}/site", "--max-size", "41943040") as server:
        server.site_port = port
        yield server


@pytest.fixture
def mail_host(lmtp, postfix_factory):
    transport = f"bridge-lmtp:inet:127.0.0.1:{lmtp.port}"
    postfix = postfix_factory(services=SERVICE, transports=dict.fromkeys((IN, OTHER, NOBODY), transport))
    yield postfix
    postfix.stop()


def send(postfix, *recipients, subject="Bonjour"):
    with smtplib.SMTP("127.0.0.1", postfix.smtp_port, timeout=30) as smtp:
        smtp.sendmail(SENDER, recipients, citizen(subject).as_bytes())


def test_through_postfix(lmtp, mail_host):
    send(mail_host, IN)
    wait_for(lambda: "status=deferred" in mail_host.log_text(), what=mail_host.log_text)
    assert "bounced" not in mail_host.log_text()

    def answer(handler):
        handler.read()
        unknown = handler.headers["X-Envelope-Recipient"] == NOBODY
        handler.reply(*((422, {}) if unknown else (201, ACCEPTED)))

    with FakeSite(lmtp.site_port, answer) as site:
        mail_host.flush()
        wait_for(lambda: not mail_host.queue() and site.requests, what=mail_host.log_text)
        (first,) = site.requests
        assert first.headers["X-Client-Address"] == "127.0.0.1"
        assert first.headers["X-Envelope-Sender"] == SENDER
        assert citizen("Bonjour").as_bytes() in first.body
        assert b"\r\n" not in first.body
        assert first.body.startswith(b"Received: "), "no lines of a delivery agent before it"

        send(mail_host, IN, OTHER, NOBODY, subject="À trois")
        wait_for(lambda: len(site.requests) >= 4, what=mail_host.log_text)
        reports = lambda: mail_host.messages(SENDER)  # noqa: E731
        wait_for(reports, what=mail_host.log_text)
        assert {request.headers["X-Envelope-Recipient"] for request in site.requests[1:]} == {
            IN,
            OTHER,
            NOBODY,
        }
        report = reports()[0].content
        assert b"5.1.1" in report
        assert NOBODY.encode() in report
        assert b"Final-Recipient: rfc822; " + IN.encode() not in report, "who has it is not reported"


def test_by_the_socket_of_the_unit(postfix_factory):
    """Only its group may use it: that of Postfix's client, which has no other (docs/examples/mailbridge-lmtp.service)."""
    with open_folder("socket") as folder, FakeSite() as site:
        path = folder / "lmtp"
        with Lmtp(site.url, "--max-size", "41943040", "--listen", f"unix:{path}"):
            wait_for(path.exists)
            shutil.chown(path, "nobody", "postfix")
            assert path.stat().st_mode & 0o777 == 0o660
            postfix = postfix_factory(services=SERVICE, transports={IN: f"bridge-lmtp:unix:{path}"})
            send(postfix, IN)
            wait_for(lambda: site.requests, what=postfix.log_text)
            postfix.stop()


def test_long_lines_are_not_folded(lmtp, mail_host):
    """Else the signature of the author (DKIM) would not hold, and a pipe would hand over other bytes."""
    line = b"x" * 5000
    with FakeSite(lmtp.site_port) as site, smtplib.SMTP("127.0.0.1", mail_host.smtp_port, timeout=30) as smtp:
        smtp.sendmail(SENDER, [IN], citizen("Long").as_bytes() + line + b"\n")
        wait_for(lambda: site.requests, what=mail_host.log_text)
        assert line in site.requests[0].body


def test_stopped_and_started_in_the_middle(lmtp, mail_host):
    """The gateway is stopped and killed while 40 messages come: each reaches the site."""
    with FakeSite(lmtp.site_port) as site:
        for number in range(40):
            send(mail_host, IN, subject=f"Numéro {number}")
            if number in (10, 25):
                lmtp.process.terminate() if number == 10 else lmtp.process.kill()
                lmtp.process.wait(60)
                lmtp.__enter__()
        wait_for(lambda: mail_host.flush() or not mail_host.queue(), what=mail_host.log_text)
        bodies = [request.body for request in site.requests]
    for number in range(40):
        assert any(citizen(f"Numéro {number}").as_bytes() in body for body in bodies), number
    assert "bounced" not in mail_host.log_text()
