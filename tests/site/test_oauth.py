"""OAuth 2.0: a token endpoint and an SMTP server of the tests' own, through all that can go wrong between them."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport import oauth as token
from tests.servers.token_endpoint import TokenEndpoint
from tests.servers.xoauth2 import TokenCatcher
import gzip
import json
import logging
import pytest
import time
import transaction


LOGIN = "bridge@maville.test"
CLIENT_SECRET = "s3cret-client-value"  # noqa: S105
REFRESH_TOKEN = "1//refresh-token-value"  # noqa: S105


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No token is left from another test."""
    monkeypatch.setattr(token, "_cache", {})


@pytest.fixture
def endpoint():
    with TokenEndpoint(client_secret=CLIENT_SECRET) as endpoint:
        yield endpoint


@pytest.fixture
def server(endpoint):
    with TokenCatcher(LOGIN, endpoint.tokens) as server:
        yield server


@pytest.fixture
def account(site, endpoint, server):
    """Let the default account use both; return a function that gives its present ``Account``."""
    change(
        smtp_port=server.port,
        smtp_auth="oauth2",
        smtp_login=LOGIN,
        oauth_token_url=endpoint.url,
        oauth_client_id="bridge",
        oauth_scope="https://outlook.office365.com/.default",
        undo_seconds=0,
    )
    password.write(CLIENT_SECRET, kind="client_secret")
    transaction.commit()
    return lambda: settings().default_account


@pytest.fixture
def send(account, send):
    """Send by the account that logs in with OAuth 2.0."""
    return send


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def again(*records):
    """Let the sweep run when the next try has come."""
    for record in records:
        outbox().try_at(record, None)
    outbox().retry_held()
    transaction.commit()
    sweep()
    deliver()
    transaction.begin()


def probe(account):
    connection = connection_to(account())
    try:
        return connection.probe()
    finally:
        connection.close()


def test_delivered(send, endpoint, server):
    assert send().state == "sent"
    assert endpoint.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "bridge",
            "client_secret": CLIENT_SECRET,
            "scope": "https://outlook.office365.com/.default",
        }
    ]
    assert server.shown == ["token-1"]
    assert len(server.messages) == 1


def test_refresh_token(send, endpoint, server):
    endpoint.refresh_token = REFRESH_TOKEN
    password.write(REFRESH_TOKEN, kind="refresh_token")
    transaction.commit()
    assert send().state == "sent"
    assert endpoint.asked[0] | {"scope": ""} == {
        "grant_type": "refresh_token",
        "refresh_token": REFRESH_TOKEN,
        "client_id": "bridge",
        "client_secret": CLIENT_SECRET,
        "scope": "",
    }


def test_one_token_serves_many_messages(send, endpoint, server):
    records = [send(run=False) for _number in range(3)]
    deliver()
    assert send().state == "sent"
    transaction.begin()
    assert {record.state for record in records} == {"sent"}
    assert len(server.messages) == 4
    assert len(server.shown) == 2, "one connection for three messages, and another one"
    assert len(endpoint.asked) == 1


def test_expired_token_is_not_shown_again(send, endpoint, server):
    endpoint.expires_in = token.MARGIN
    send()
    send()
    assert server.shown == ["token-1", "token-2"]


def test_many_threads_ask_for_one_token(account, endpoint, server):
    connections = [connection_to(account()) for _number in range(6)]
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda connection: connection.probe(), connections)) == [None] * 6
    for connection in connections:
        connection.close()
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("changes", [{"oauth_client_id": "other"}, {"oauth_scope": "other"}])
def test_another_grant_has_another_token(send, endpoint, changes):
    send()
    change(**changes)
    send()
    assert len(endpoint.asked) == 2


def test_refused_token_is_fetched_once_more(send, endpoint, server):
    send()
    endpoint.tokens.clear()  # revoked
    assert send().state == "sent"
    assert server.shown == ["token-1", "token-1", "token-2"]
    assert server.replies == [b""], "an empty line after the challenge"


def test_account_without_the_right_is_held_after_one_try(send, endpoint, server):
    server.login = "somebody-else@maville.test"
    record = send()
    assert record.state == "held"
    assert len(endpoint.asked) == len(server.shown) == 1
    line = record.history[-1]
    assert (line["code"], line["answer"]) == (535, "token-refused")
    assert '"status":"400"' in line["text"], "the server's challenge, decoded"
    server.login = LOGIN
    again()
    assert record.state == "sent"
    assert len(endpoint.asked) == 2, "the refused token was not kept"


@pytest.mark.parametrize(
    ("challenge", "state"), [("\0\r\nnot json", "held"), ("", "held"), ("é" * 5000, "deferred")]
)
def test_odd_challenge(send, server, challenge, state):
    """A line that is too long is no answer: what the server meant cannot be known."""
    server.login, server.challenge = "nobody", challenge
    record = send()
    assert record.state == state
    assert record.history[-1]["text"].isprintable()
    assert len(record.history[-1]["text"]) < 1000


def test_server_that_offers_no_xoauth2(site, send, catcher):
    change(smtp_port=catcher.port)
    record = send()
    assert (record.state, record.history[-1]["answer"]) == ("held", "no-login-offered")
    assert "XOAUTH2 is not offered" in record.history[-1]["text"]


def stall(handler):
    """Begin an answer, and leave it there until the client has gone."""
    handler.send_response(200)
    handler.end_headers()
    handler.connection.recv(1)


def drip(handler):
    """Send a header that has no end."""
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def bomb(handler):
    """Send little that unpacks to much, though it was not asked for."""
    handler.reply(200, gzip.compress(bytes(50_000_000)), **{"Content-Encoding": "gzip"})


def huge(handler):
    handler.reply(200, b'{"access_token": "' + b"x" * 10_000_000 + b'"}')


TEMPORARY = {
    "500": (500, b"<html>sorry</html>"),
    "503": (503, {"error": "temporarily_unavailable"}),
    "429": (429, {}),
    "says so": (400, {"error": "temporarily_unavailable"}),
    "garbage": (200, b"\x00\xff<html>"),
    "list": (200, [1]),
    "no token": (200, {"token_type": "Bearer"}),
    "token is no text": (200, {"access_token": 5}),
    "token of two lines": (200, {"access_token": "a\r\nMAIL FROM:<x@y.test>"}),
    "odd life": (200, {"access_token": "a", "expires_in": "soon"}),
    "life without end": (200, b'{"access_token": "a", "expires_in": 1e999}'),
    "life that is no number": (200, b'{"access_token": "a", "expires_in": NaN}'),
    "deep": (200, b"[" * 60_000),
    "drips": drip,
    "bomb": bomb,
    "stalls": stall,
    "huge": huge,
}


@pytest.mark.parametrize("answer", TEMPORARY.values(), ids=TEMPORARY)
def test_trouble_at_the_endpoint_is_temporary(send, endpoint, server, monkeypatch, answer):
    endpoint.answer = answer
    with monkeypatch.context() as context:
        if answer in (stall, drip):
            context.setattr(token, "TIMEOUT", 0.3)
        record = send()
    line = record.history[-1]
    assert (record.state, line["answer"]) == ("deferred", "token-endpoint")
    assert line["text"].startswith("token endpoint: ")
    assert line["text"].isprintable()
    assert not server.shown
    endpoint.answer = None
    again(record)
    assert record.state == "sent"


def test_endpoint_that_is_down(send, endpoint, server):
    change(oauth_token_url="http://127.0.0.1:9/token")
    password.write(CLIENT_SECRET, kind="client_secret")
    transaction.commit()
    record = send()
    assert (record.state, record.history[-1]["answer"]) == ("deferred", "token-endpoint")
    change(oauth_token_url=endpoint.url)
    password.write(CLIENT_SECRET, kind="client_secret")
    transaction.commit()
    again(record)
    assert record.state == "sent"


def test_wrong_secret_holds_the_account_until_it_is_right(send, server):
    password.write("wrong", kind="client_secret")
    transaction.commit()
    record = send()
    assert record.state == "held"
    hold = outbox().hold_of()
    assert (hold["code"], hold["remedy"]) == (401, answer_named("token").remedy)
    assert hold["text"] == "invalid_client: AADSTS7000215: Invalid client secret provided. Trace ID: 5e2f"
    password.write(CLIENT_SECRET, kind="client_secret")
    transaction.commit()
    again()
    assert record.state == "sent"
    assert outbox().hold_of() is None


REFUSALS = {
    "scope": (400, {"error": "invalid_scope", "error_description": "AADSTS1002012"}),
    "error with 200": (200, {"error": "invalid_grant"}),
    "not found": (404, b"<html>"),
    "odd error": (400, {"error": {"code": 1}}),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_refusals_hold_the_account(account, endpoint, answer):
    endpoint.answer = answer
    reply = probe(account)
    assert reply.stage == "oauth"
    assert 400 <= reply.code <= 404
    assert reply.text


def test_redirect_is_not_followed(account, endpoint):
    with TokenEndpoint() as elsewhere:
        endpoint.answer = lambda handler: handler.reply(307, b"", Location=elsewhere.url)
        reply = probe(account)
        assert (reply.stage, reply.code) == ("oauth", 307)
        assert not elsewhere.asked


@pytest.mark.parametrize(
    ("changes", "secret", "says"),
    [
        ({"smtp_login": None}, CLIENT_SECRET, "login"),
        ({"oauth_token_url": None}, CLIENT_SECRET, "token endpoint"),
        ({"oauth_client_id": None}, CLIENT_SECRET, "client ID"),
        ({}, "", "client secret"),
    ],
)
def test_what_is_not_set_is_named(account, endpoint, changes, secret, says):
    change(**changes)
    password.write(secret, kind="client_secret")
    reply = probe(account)
    assert (reply.stage, reply.code) == ("oauth", 400)
    assert says in reply.text
    assert not endpoint.asked


def test_secrets_are_shown_nowhere(site, send, endpoint, server, caplog):
    endpoint.refresh_token = REFRESH_TOKEN
    password.write(REFRESH_TOKEN, kind="refresh_token")
    transaction.commit()
    echo = {"error": "invalid_grant", "error_description": f"no: {CLIENT_SECRET} {REFRESH_TOKEN}"}
    with caplog.at_level(logging.DEBUG):
        caplog.set_level(
            logging.INFO, "mail.log"
        )  # aiosmtpd logs what comes, as a server of a provider might
        endpoint.answer = (400, echo)
        record = send()
        assert record.state == "held"
        endpoint.answer = None
        again()
        assert record.state == "sent"
    registry = site.get("/@registry?q=imio.mailbridge&b_size=500", "admin").text
    export = site.portal.portal_setup.runExportStep("plone.app.registry")["tarball"]
    seen = {
        "log": caplog.text,
        "timeline": repr(record.history),
        "messages": site.get("/outgoing-mail/permis-durbanisme/@send-email", "agent").text,
        "outbox": site.get(f"/@outbox/{record.id}", "admin").text,
        "panel": site.get("/@controlpanels/mailbridge", "admin").text,
        "status": site.get("/@mailbridge-status", "admin").text,
        "registry": registry,
        "export": gzip.decompress(export).decode("utf-8", "replace"),
        "form": site.get("/@@mailbridge-controlpanel", "admin", headers={"Accept": "text/html"}).text,
    }
    for where, text in seen.items():
        for secret in (CLIENT_SECRET, REFRESH_TOKEN, *endpoint.tokens):
            assert secret not in text, where
    assert "***" in seen["timeline"]
    assert "oauth_client_id" in seen["export"]


def test_grant_does_not_show_itself():
    assert CLIENT_SECRET not in repr(token.Grant("l", "u", "c", "s", CLIENT_SECRET, ""))
    assert CLIENT_SECRET not in json.dumps(token.Grant("l", "u", "c", "s", CLIENT_SECRET, "").key)
