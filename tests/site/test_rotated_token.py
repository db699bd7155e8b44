"""Refresh tokens that the provider replaces with each use: none is lost, and none is shown twice."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.delivery import accounts
from imio.mailbridge.delivery import connect
from imio.mailbridge.delivery.mailer import AccountMailer
from imio.mailbridge.settings import rotated_token
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.imap import account_of
from imio.mailbridge.settings.imap import ImapMailbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport import oauth
from tests.servers.token_endpoint import TokenEndpoint
from tests.servers.xoauth2 import TokenCatcher
import pytest
import time
import transaction


LOGIN = "bridge@maville.test"
ENTERED = "1//entered"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No token is left from another test."""
    monkeypatch.setattr(oauth, "_cache", {})


@pytest.fixture
def endpoint():
    with TokenEndpoint(refresh_token=ENTERED) as endpoint:
        endpoint.rotates = True
        yield endpoint


@pytest.fixture
def account(site, endpoint):
    """The default account, which logs in with tokens of ``endpoint``."""
    with TokenCatcher(LOGIN, endpoint.tokens) as server:
        values = stored_settings()
        values.smtp_port, values.smtp_auth, values.smtp_login = server.port, "oauth2", LOGIN
        values.oauth_token_url, values.oauth_client_id = endpoint.url, "bridge"
        secrets.write(ENTERED, kind="refresh_token")
        transaction.commit()
        yield settings().default_account


def asked(account):
    """Ask as a process does that has no token yet."""
    return oauth.CachedToken().get(connect._grant(account))


def shown(endpoint):
    return [form["refresh_token"] for form in endpoint.asked]


def test_each_process_goes_on_with_the_newest(account, endpoint):
    assert [asked(account) for _ in range(3)] == ["token-1", "token-2", "token-3"]
    assert shown(endpoint) == [ENTERED, "1//next-1", "1//next-2"]
    transaction.begin()
    assert secrets.read(kind="refresh_token") == ENTERED


def test_one_that_is_not_replaced_stays(account, endpoint):
    endpoint.rotates = False
    assert [asked(account) for _ in range(2)] == ["token-1", "token-2"]
    assert shown(endpoint) == [ENTERED, ENTERED]


def test_an_aborted_transaction_loses_none_and_nothing_of_it_is_stored(account, endpoint, site):
    site.portal.title = "not stored"
    AccountMailer(account).send(LOGIN, ["jeanne@citizen.test"], "Subject: x\n\ny")
    transaction.abort()
    assert site.portal.title != "not stored"
    asked(account)
    assert shown(endpoint) == [ENTERED, "1//next-1"]


def test_one_asks_at_a_time(account, endpoint):
    caches = [oauth.CachedToken() for _ in range(6)]
    grant = connect._grant(account)
    with ThreadPoolExecutor(6) as pool:
        tokens = list(pool.map(lambda cache: cache.get(grant), caches))
    assert set(tokens) == {f"token-{number}" for number in range(1, 7)}
    assert shown(endpoint) == [ENTERED, *(f"1//next-{number}" for number in range(1, 6))]


def test_who_was_killed_in_its_turn_keeps_no_other_waiting_for_ever(account, endpoint, monkeypatch):
    connect._grant(account).keeper.begin()
    monkeypatch.setattr(rotated_token, "TURN", 0)  # who comes next waits no time
    with pytest.raises(oauth.TokenUnreachable):
        asked(account)
    transaction.begin()
    secrets.write(str(time.time() - 1), kind=secrets.TURN)
    transaction.commit()
    assert asked(account) == "token-1"
    assert shown(endpoint) == [ENTERED]


def test_a_refused_one_ends_its_turn(account, endpoint):
    endpoint.refresh_token = "1//other"  # noqa: S105
    for _ in range(2):
        with pytest.raises(oauth.TokenRefused):
            asked(account)
    transaction.begin()
    assert secrets.read(kind=secrets.TURN) == ""


def test_what_is_entered_later_counts(account, endpoint):
    asked(account)
    endpoint.refresh_token = "1//authorised again"  # noqa: S105
    transaction.begin()
    secrets.write("1//authorised again", kind="refresh_token")
    transaction.commit()
    asked(account)
    assert shown(endpoint) == [ENTERED, "1//authorised again"]


def test_it_goes_where_its_account_goes(account, endpoint):
    asked(account)
    transaction.begin()
    newest = secrets.read(kind=secrets.ROTATED)
    assert newest.endswith(" 1//next-1")
    accounts.rename("default", "other")
    assert secrets.read("other", secrets.ROTATED) == newest
    assert secrets.read(kind=secrets.ROTATED) == ""
    secrets.forget("other")
    assert secrets.read("other", secrets.ROTATED) == ""


def test_also_for_mailboxes(account, endpoint):
    name = "imap:contact"
    secrets.write(ENTERED, name, "refresh_token")
    transaction.commit()
    mailbox = ImapMailbox(
        name="contact", host="127.0.0.1", login=LOGIN, address=LOGIN, auth="oauth2",
        oauth_token_url=endpoint.url, oauth_client_id="bridge",
    )  # fmt: skip
    for _ in range(2):
        oauth.CachedToken().get(account_of(mailbox).grant)
    assert shown(endpoint) == [ENTERED, "1//next-1"]
