"""The one table between what smtplib, ssl and socket raise and a reply, in both directions."""

from imio.mailbridge.transport.oauth import TokenRefused
from imio.mailbridge.transport.oauth import TokenUnreachable
from imio.mailbridge.transport.smtp_errors import DIALOGUE_ERRORS
from imio.mailbridge.transport.smtp_errors import error_of
from imio.mailbridge.transport.smtp_errors import reply_to
from imio.mailbridge.transport.smtp_reply import SmtpReply
from imio.mailbridge.transport.tls import AuthorityUnreadable
from imio.mailbridge.transport.tls import client_context
from pathlib import Path
import pytest
import smtplib
import socket
import ssl


STAGES = ("connect", "tls", "auth", "mail", "rcpt", "data")
OF_A_MESSAGE = ("mail", "rcpt", "data")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (smtplib.SMTPResponseException(554, b"5.7.1 no\r\n"), ("{stage}", 554, "5.7.1 no")),
        (
            smtplib.SMTPResponseException(250, b"ok"),
            ("{lost}", 0, "the server gave an answer that is none here: 250 ok"),
        ),
        (
            smtplib.SMTPResponseException(-1, b"x"),
            ("{lost}", 0, "the server gave an answer that is none here: x"),
        ),
        (smtplib.SMTPNotSupportedError("no AUTH"), ("{stage}", 502, "no AUTH")),
        (smtplib.SMTPServerDisconnected("gone"), ("{lost}", 0, "gone")),
        (smtplib.SMTPException("No suitable authentication method found."), ("{lost}", 0, None)),
        (ConnectionRefusedError(111, "refused"), ("{lost}", 0, "[Errno 111] refused")),
        (socket.gaierror(-2, "unknown"), ("{lost}", 0, None)),
        (TimeoutError(), ("{lost}", 0, "TimeoutError")),
        (ssl.SSLError("wrong version"), ("{lost}", 0, None)),
        (ssl.SSLCertVerificationError("expired"), ("tls", 0, None)),
        (AuthorityUnreadable("ca.pem: no such file"), ("tls", 0, "ca.pem: no such file")),
        (TokenRefused(401, "invalid_client"), ("oauth", 401, "invalid_client")),
        (TokenUnreachable("token endpoint: 503"), ("connect", 0, "token endpoint: 503")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_raised_becomes_a_reply(error, expected, stage):
    assert isinstance(error, DIALOGUE_ERRORS)
    reply = reply_to(stage, error)
    lost = stage if stage in OF_A_MESSAGE else "connect"
    assert (reply.stage, reply.code) == (expected[0].format(stage=stage, lost=lost), expected[1])
    assert reply.text == (expected[2] or reply.text)
    assert reply.text


@pytest.mark.parametrize(
    ("stage", "expected"), [("auth", ("auth", 535)), ("rcpt", ("rcpt", 553)), ("connect", ("connect", 0))]
)
def test_characters_that_smtp_cannot_carry(stage, expected):
    with pytest.raises(UnicodeError) as raised:
        "é".encode("ascii")
    reply = reply_to(stage, raised.value)
    assert (reply.stage, reply.code) == expected


@pytest.mark.parametrize(
    ("stage", "code", "raised"),
    [
        ("connect", 554, smtplib.SMTPConnectError),
        ("tls", 454, smtplib.SMTPConnectError),
        ("auth", 535, smtplib.SMTPAuthenticationError),
        ("oauth", 401, smtplib.SMTPAuthenticationError),
        ("mail", 550, smtplib.SMTPSenderRefused),
        ("rcpt", 550, smtplib.SMTPRecipientsRefused),
        ("data", 554, smtplib.SMTPDataError),
        ("connect", 0, smtplib.SMTPServerDisconnected),
        ("data", 0, smtplib.SMTPServerDisconnected),
    ],
)
def test_a_reply_becomes_what_smtplib_raises(stage, code, raised):
    error = error_of({"a@x.test": SmtpReply(stage, code, "5.0.0 no")}, "from@x.test")
    assert type(error) is raised
    assert "5.0.0 no" in str(error)
    if raised not in (smtplib.SMTPServerDisconnected, smtplib.SMTPRecipientsRefused):
        assert error.smtp_code == code


@pytest.mark.parametrize("joined_by", ["\n", " ", "\r\n"])
def test_authority_may_stand_in_the_setting_itself(certificates, joined_by):
    text = joined_by.join(certificates.ca_file.read_text().split("\n"))
    machine = len(client_context().get_ca_certs())
    assert len(client_context(text).get_ca_certs()) == machine + 1


@pytest.mark.parametrize("inside", ["", "AAAA", "====", "MIIB é"])
def test_certificates_that_cannot_be_read(inside):
    text = f"-----BEGIN CERTIFICATE-----{inside}-----END CERTIFICATE-----"
    with pytest.raises(AuthorityUnreadable, match="certificates in the settings"):
        client_context(text)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authority_that_cannot_be_read(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(AuthorityUnreadable, match="ca.pem"):
        client_context(str(file))


def test_own_authority_is_trusted_beside_those_of_the_machine(certificates):
    machine = len(client_context().get_ca_certs())
    assert len(client_context(str(certificates.ca_file)).get_ca_certs()) == machine + 1


def test_context_is_made_anew_when_the_authority_changes(certificates, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_bytes(Path(certificates.ca_file).read_bytes())
    first = client_context(str(file))
    assert client_context(str(file)) is first
    file.write_text("no certificate")
    with pytest.raises(AuthorityUnreadable):
        client_context(str(file))
