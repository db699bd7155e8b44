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


@pytest.mark.parametrize(("name", "value"), MOVES)
def test_rest_forgets_the_secrets_of_the_default_account(account, name, value):
    name = name if name == "oauth_token_url" else f"smtp_{name}"
    assert account.request("PATCH", PANEL, "admin", json={name: value}).status_code == 204
    assert (kept(DEFAULT), kept("cpas")) == ([], list(password.KINDS))


@pytest.mark.parametrize(("name", "value"), MOVES)
def test_rest_forgets_the_secrets_of_a_row(account, name, value):
    rows = [row(**{**KEPT, name: value})]
    assert account.request("PATCH", PANEL, "admin", json={"smtp_accounts": rows}).status_code == 204
    assert (kept(DEFAULT), kept("cpas")) == (list(password.KINDS), [])


@pytest.mark.parametrize(("name", "value"), MOVES)
def test_secrets_of_a_mailbox_are_forgotten(site, name, value):
    mailbox = {"name": "info", "address": "in@bridge.test", **KEPT}
    assert site.request("PATCH", PANEL, "admin", json={"imap_mailboxes": [mailbox]}).status_code == 204
    password.write("typed", secrets_of("info"))
    transaction.commit()
    changed = {**mailbox, name: value}
    assert site.request("PATCH", PANEL, "admin", json={"imap_mailboxes": [changed]}).status_code == 204
    assert kept(secrets_of("info")) == []


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
    ("path", "button", "prefix", "name"), [(SETTINGS, "save", "smtp_", DEFAULT), (EDIT, "save", "", "cpas")]
)
def test_form_asks_for_the_password_again(account, path, button, prefix, name):
    answer = press(account, path, button, **{f"{prefix}host": "evil.test"})
    assert "enter the password again" in answer.text
    assert kept(name) == list(password.KINDS)
    answer = press(account, path, button, **{f"{prefix}host": "new.test", f"{prefix}password": "new"})
    assert answer.status_code == 302
    transaction.begin()
    assert password.read(name) == "new"
    assert kept(name) == ["password"]
