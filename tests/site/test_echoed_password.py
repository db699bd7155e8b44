"""A server that repeats our password does not put it before anybody: it is masked in states, pages, exports and logs."""

from base64 import b64encode
from imio.mailbridge.delivery.mailer import AccountMailer
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport.secret_mask import SecretMask
from tests.servers.scripted import Scripted
import logging
import pytest
import smtplib
import transaction


SECRET = "Tr0ub4dor&3"
ECHOES = {
    "clear": SECRET,
    "plain": b64encode(f"\0bridge\0{SECRET}".encode()).decode(),
    "login": b64encode(SECRET.encode()).decode().rstrip("="),
    "url": "Tr0ub4dor%263",
}


@pytest.fixture
def account(site, certificates):
    """The account of ``site`` is on a server of its own, which does nothing unusual yet."""
    with Scripted(certificates) as server:
        server.password = SECRET
        values = stored_settings()
        values.smtp_port = server.port
        values.smtp_security = "starttls"
        values.smtp_ca_file = str(certificates.ca_file)
        values.smtp_login = "bridge"
        password.write(SECRET)
        transaction.commit()
        yield server


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize(
    ("stage", "code"),
    [("auth", "535 5.7.8"), ("mail", "550 5.7.1"), ("rcpt", "550 5.1.1"), ("end", "554 5.0.0")],
)
def test_nobody_sees_it(site, account, send, caplog, stage, code, echo):
    caplog.set_level(logging.DEBUG)
    account.script[stage] = f"{code} what is <{ECHOES[echo]}>"
    record = send("jeanne@citizen.test")
    ours = [line.getMessage() for line in caplog.records if line.name.startswith("imio.")]
    said = repr((list(record.history), dict(outbox().holds), ours))
    assert "what is <****>" in said
    for path, user in ((f"/@outbox/{record.id}", "agent"), ("/@@mailbridge-outbox.csv", "chef")):
        said += site.get(path, user, headers={"Accept": "*/*"}).text
    for form in ECHOES.values():
        assert form not in said


def test_errors_of_the_mailer_are_masked(account, caplog):
    account.script["rcpt"] = f"550 5.1.1 {SECRET}"
    mailer = AccountMailer(settings().default_account)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        mailer.send("info@maville.test", ["jeanne@citizen.test"], b"Subject: x\r\n\r\nx\r\n")
    assert SECRET not in str(raised.value) + caplog.text


@pytest.mark.parametrize("secret", ['a "quoted" \\ one', "two  spaces", "été"])
def test_forms_in_which_errors_repeat_it(secret):
    mask = SecretMask("bridge", secret)
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
    for echo in (secret, f'LOGIN bridge "{quoted}"', repr(quoted.encode()), " ".join(secret.split())):
        assert "****" in mask.masked(f"NO {echo}")


def test_exceptions_are_masked_with_what_they_came_from():
    inner, outer = OSError(f"said {SECRET}"), ValueError(f"NO {SECRET}".encode())
    outer.__cause__ = inner
    SecretMask("bridge", SECRET).mask_error(outer)
    assert (outer.args, inner.args) == (("NO ****",), ("said ****",))
