"""The SASL mechanism XOAUTH2, and when a new token is asked for."""

from imio.mailbridge.transport import oauth
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.secret_mask import SecretMask
from imio.mailbridge.transport.smtp_login import by_token
from imio.mailbridge.transport.xoauth2 import log_in
from imio.mailbridge.transport.xoauth2 import XOAuth2
from tests.servers.token_endpoint import TokenEndpoint
import pytest
import smtplib


class NotAccepted(Exception):
    pass


@pytest.fixture
def endpoint(monkeypatch):
    monkeypatch.setattr(oauth, "_cache", {})
    with TokenEndpoint() as endpoint:
        yield endpoint


def grant_of(endpoint):
    return Grant("login@x.test", endpoint.url, "bridge", "scope", endpoint.client_secret, "")


def show(endpoint, shown):
    def show(token):
        shown.append(token)
        if token not in endpoint.tokens:
            raise NotAccepted
        return "in"

    return show


def is_refusal(error):
    return isinstance(error, NotAccepted)


@pytest.mark.parametrize("empty", [None, b""], ids=["smtp", "imap"])
def test_token_first_then_an_empty_line(empty):
    mechanism = XOAuth2("login@x.test", "secret-token")
    assert mechanism(empty) == "user=login@x.test\1auth=Bearer secret-token\1\1"
    assert mechanism(b'{"status":"401"}\r\n') == ""
    assert mechanism.refusal("no secret-token") == 'no *** {"status":"401"}'


def test_long_challenge_is_cut():
    mechanism = XOAuth2("login@x.test", "secret-token")
    mechanism()
    mechanism("é".encode() * 5000)
    assert len(mechanism.refusal("")) == 400


def test_good_token_that_is_refused_is_asked_for_anew(endpoint):
    shown = []
    assert log_in("a", grant_of(endpoint), show(endpoint, shown), is_refusal) == "in"
    endpoint.tokens.clear()
    assert log_in("a", grant_of(endpoint), show(endpoint, shown), is_refusal) == "in"
    assert shown == ["token-1", "token-1", "token-2"]


def test_new_token_that_is_refused_is_not_tried_twice_nor_kept(endpoint):
    def refuse(token):
        shown.append(token)
        raise NotAccepted

    shown = []
    for _ in range(2):
        with pytest.raises(NotAccepted):
            log_in("a", grant_of(endpoint), refuse, is_refusal)
    assert shown == ["token-1", "token-2"]


def test_other_errors_do_not_drop_the_token(endpoint):
    def break_down(token):
        raise ConnectionResetError

    shown = []
    with pytest.raises(ConnectionResetError):
        log_in("a", grant_of(endpoint), break_down, is_refusal)
    assert log_in("a", grant_of(endpoint), show(endpoint, shown), is_refusal) == "in"
    assert len(endpoint.asked) == 1


def test_accounts_do_not_share_a_token(endpoint):
    shown = []
    for owner in ("smtp:a", "imap:a"):
        log_in(owner, grant_of(endpoint), show(endpoint, shown), is_refusal)
    assert shown == ["token-1", "token-2"]


class Server(smtplib.SMTP):
    """A connection whose server answers by a script."""

    def __init__(self, *replies):
        super().__init__()
        self.esmtp_features = {"auth": " PLAIN XOAUTH2"}
        self.replies = list(replies)
        self.said = []

    def docmd(self, cmd, args=""):
        self.said.append(cmd)
        return self.replies.pop(0)


@pytest.mark.parametrize(
    ("challenge", "text"),
    [
        (b"eyJzdGF0dXMiOiI0MDEifQ==", '5.7.8 no {"status":"401"} (XOAUTH2)'),
        (b"not base64!", "5.7.8 no (XOAUTH2)"),
        (b"", "5.7.8 no (XOAUTH2)"),
    ],
)
def test_challenge_of_an_smtp_server(endpoint, challenge, text):
    server = Server((334, challenge), (535, b"5.7.8 no"))
    with pytest.raises(smtplib.SMTPAuthenticationError) as raised:
        by_token("smtp:a", grant_of(endpoint), SecretMask())(server)
    assert (raised.value.smtp_code, raised.value.smtp_error) == (535, text)
    assert server.said == ["AUTH", ""], "an empty line after the challenge"


def test_temporary_refusal_keeps_the_token(endpoint):
    authenticate = by_token("smtp:a", grant_of(endpoint), SecretMask())
    with pytest.raises(smtplib.SMTPAuthenticationError):
        authenticate(Server((454, b"4.7.0 later")))
    assert authenticate(Server((235, b"2.7.0 ok"))) == (235, b"2.7.0 ok")
    assert len(endpoint.asked) == 1


def test_server_that_takes_no_token_is_not_asked(endpoint):
    server = Server()
    server.esmtp_features = {"auth": "PLAIN LOGIN"}
    with pytest.raises(smtplib.SMTPNotSupportedError):
        by_token("smtp:a", grant_of(endpoint), SecretMask())(server)
    assert not endpoint.asked
