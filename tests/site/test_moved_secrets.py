"""A secret stays with the server and login that it was entered for: when these change, it is entered again."""

from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import DEFAULT
from tests.site.panel import EDIT
from tests.site.panel import press
from tests.site.panel import SETTINGS
from tests.site.rows import keep
from tests.site.rows import row
import pytest
import transaction


PANEL = "/@controlpanels/mailbridge"
MOVES = [
    ("host", "evil.test"),
    ("port", 2526),
    ("security", "tls"),
    ("login", "other"),
    ("oauth_token_url", "https://evil.test/token"),
]
KEPT = {
    "host": "smtp.maville.test",
    "port": 587,
    "security": "starttls",
    "login": "bridge",
    "oauth_token_url": "https://provider.test/token",
}


@pytest.fixture
def account(site):
    """The default account and another one, with all their secrets."""
    keep(row(**KEPT))
    values = stored_settings()
    for name, value in KEPT.items():
        setattr(values, name if name == "oauth_token_url" else f"smtp_{name}", value)
    for name in (DEFAULT, "cpas"):
        for kind in password.KINDS:
            password.write(f"{kind} of {name}", name, kind)
    transaction.commit()
    return site


def kept(name):
    return [kind for kind in password.KINDS if password.read(name, kind)]


@pytest.fixture
def mailbox(site):
    """A mailbox read by IMAP, with its password; return its row."""
    mailbox = {"name": "info", "address": "in@bridge.test", **KEPT}
    secrets = {"info": {"password": "typed"}}
    assert patch(site, imap_mailboxes=[mailbox], imap_mailbox_secrets=secrets).status_code == 204
    return mailbox


def patch(site, **values):
    return site.request("PATCH", PANEL, "admin", json=values)


def record_of(name):
    return name if name == "oauth_token_url" else f"smtp_{name}"


@pytest.mark.parametrize(("name", "value"), MOVES)
def test_whoever_changes_a_record_the_secrets_of_the_default_account_are_forgotten(account, name, value):
    setattr(stored_settings(), record_of(name), value)
    assert (kept(DEFAULT), kept("cpas")) == ([], list(password.KINDS))


@pytest.mark.parametrize(("name", "value"), MOVES)
def test_whoever_changes_a_table_the_secrets_of_its_row_are_forgotten(account, mailbox, name, value):
    stored_settings().smtp_accounts = [row(**{**KEPT, name: value})]
    assert (kept(DEFAULT), kept("cpas")) == (list(password.KINDS), [])
    stored_settings().imap_mailboxes = [
        {**each, name: value} for each in map(dict, stored_settings().imap_mailboxes)
    ]
    assert kept(secrets_of("info")) == []


@pytest.mark.parametrize(("name", "value"), MOVES)
def test_rest_wants_the_secret_with_the_change(account, mailbox, name, value):
    changes = [
        (DEFAULT, {record_of(name): value}, {"smtp_password": "new"}),
        (
            "cpas",
            {"smtp_accounts": [row(**{**KEPT, name: value})]},
            {"smtp_account_secrets": {"cpas": {"password": "new"}}},
        ),
        (
            secrets_of("info"),
            {"imap_mailboxes": [{**mailbox, name: value}]},
            {"imap_mailbox_secrets": {"info": {"password": "new"}}},
        ),
    ]
    for owner, change, secret in changes:
        before = kept(owner)
        answer = patch(account, **change, close_on_send=False)
        assert answer.status_code == 400, owner
        assert "enter the password again" in answer.json()["message"]
        assert kept(owner) == before
        assert stored_settings().close_on_send, "nothing is changed"
        assert patch(account, **change, **secret).status_code == 204
        assert (kept(owner), password.read(owner)) == (["password"], "new")


def test_rest_wants_the_secret_of_oauth(account):
    token = {"smtp_auth": "oauth2", "oauth_client_id": "bridge"}
    assert patch(account, **token).status_code == 204, "the same server"
    answer = patch(account, smtp_host="evil.test")
    assert answer.status_code == 400
    assert "enter the client secret or the refresh token again" in answer.json()["message"]
    rows = [row(**KEPT, auth="oauth2", oauth_client_id="bridge")]
    assert patch(account, smtp_accounts=rows).status_code == 204
    rows[0]["oauth_token_url"] = "https://evil.test/token"
    assert patch(account, smtp_accounts=rows).status_code == 400
    assert kept(DEFAULT) == kept("cpas") == list(password.KINDS)
    secrets = {"cpas": {"refresh_token": "new"}}
    assert patch(account, smtp_accounts=rows, smtp_account_secrets=secrets).status_code == 204
    assert kept("cpas") == ["refresh_token"]


def test_rest_removes_a_server_with_its_secrets(account):
    assert patch(account, smtp_host=None).status_code == 204
    assert kept(DEFAULT) == []


def test_in_two_steps_it_is_forgotten_too(account):
    for host in ("", "evil.test"):
        stored_settings().smtp_host = host or None
    assert kept(DEFAULT) == []


def test_what_is_entered_with_the_change_is_kept(account):
    changes = {
        "smtp_host": "new.test",
        "smtp_password": "new",
        "smtp_accounts": [row(**{**KEPT, "host": "new.test"})],
        "smtp_account_secrets": {"cpas": {"password": "new too"}},
    }
    assert account.request("PATCH", PANEL, "admin", json=changes).status_code == 204
    assert (password.read(DEFAULT), password.read("cpas")) == ("new", "new too")


def test_other_changes_keep_them(account):
    rows = [row(**KEPT, rate=5)]
    assert (
        account.request("PATCH", PANEL, "admin", json={"smtp_accounts": rows, "undo_seconds": 5}).status_code
        == 204
    )
    assert kept(DEFAULT) == kept("cpas") == list(password.KINDS)


@pytest.mark.parametrize(
    ("path", "prefix", "name"),
    [
        (SETTINGS, "smtp_", DEFAULT),
        (EDIT, "", "cpas"),
        ("/@@mailbridge-mailbox-edit?mailbox=info", "", secrets_of("info")),
    ],
)
def test_form_asks_for_the_password_again(account, mailbox, path, prefix, name):
    before = kept(name)
    answer = press(account, path, "save", **{f"{prefix}host": "evil.test"})
    assert "enter the password again" in answer.text
    assert kept(name) == before
    answer = press(account, path, "save", **{f"{prefix}host": "new.test", f"{prefix}password": "new"})
    assert answer.status_code == 302
    transaction.begin()
    assert password.read(name) == "new"
    assert kept(name) == ["password"]
