"""Settings: the control panel and ``@controlpanels/mailbridge``, and that the password never comes back."""

from dataclasses import replace
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import Account
from tests.site.rows import row
from zope.interface import Invalid
from zope.schema import getFieldNames
import gzip
import pytest
import transaction


PANEL = "/@controlpanels/mailbridge"
SECRET = "s3cret-of-the-town"  # noqa: S105
KEYS = (
    "smtp_host smtp_port smtp_security smtp_login login_address sender_policy envelope_sender reply_to_agent close_on_send "
    "mailin_addresses mailboxes trusted_gateways agent_patterns service_senders inline_forward max_size smtp_ca_file"
)


def patch(site, user="admin", **values):
    return site.request("PATCH", PANEL, user, json=values, headers={"Accept-Language": "en"})


def test_keys_of_the_contract(site):
    data = site.get(PANEL, "admin").json()["data"]
    assert set(KEYS.split()) <= set(data) == set(getFieldNames(IMailbridgeSettings))
    assert data["max_size"] == 41943040
    assert data["mailin_addresses"] == [{"address": "in@bridge.test", "service": None, "mailbox": None}]


def test_panel_is_listed(site):
    assert "mailbridge" in {
        panel["@id"].rpartition("/")[2] for panel in site.get("/@controlpanels", "admin").json()
    }


@pytest.mark.parametrize(
    ("user", "status"), [(None, 401), ("agent", 401), ("gateway", 401), ("chef", 401), ("admin", 200)]
)
def test_who_reads_and_writes(site, user, status):
    assert site.get(PANEL, user).status_code == status
    assert patch(site, user, smtp_host="mail.maville.be").status_code == (204 if status == 200 else 401)


def test_write(site):
    rows = [{"address": "in+abcdefghijkl@bridge.test", "service": None, "mailbox": "info@maville.test"}]
    answer = patch(
        site,
        smtp_host="mail.maville.be",
        smtp_port=465,
        smtp_security="tls",
        sender_policy="auto",
        envelope_sender="bounce",
        mailin_addresses=rows,
        mailboxes=[{"address": "info@maville.test", "service": None}],
        trusted_gateways=["192.0.2.0/24", "2001:db8::/32"],
        agent_patterns=[r".+@maville\.test"],
        inline_forward="file-proposal",
    )
    assert answer.status_code == 204, answer.text
    values = stored_settings()
    assert (values.smtp_host, values.smtp_port, values.smtp_security) == ("mail.maville.be", 465, "tls")
    assert values.mailin_addresses == rows
    assert values.trusted_gateways == ["192.0.2.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("smtp_host", "https://mail.maville.be/", "name of a server"),
        ("smtp_host", "mail.maville.be:587", "name of a server"),
        ("smtp_host", "a b", "name of a server"),
        ("smtp_port", 0, ""),
        ("smtp_port", 70000, ""),
        ("smtp_port", "x", ""),
        ("smtp_security", "ssl", ""),
        ("smtp_ca_file", "relative.pem", "read a file"),
        ("smtp_ca_file", "/nonexistent.pem", "read a file"),
        ("smtp_ca_file", "-----BEGIN CERTIFICATE----- AAAA -----END CERTIFICATE-----", "in PEM format"),
        ("smtp_login", "a\0b", "printed"),
        ("login_address", "administration", "not an e-mail address"),
        ("sender_policy", "always", ""),
        ("mailin_addresses", [{"address": "in", "service": None, "mailbox": None}], "not an e-mail address"),
        ("mailin_addresses", [{"address": "in@bridge.test", "service": "0" * 32, "mailbox": None}], ""),
        ("mailin_addresses", "in@bridge.test", ""),
        ("mailboxes", [{"address": "x y@z.be", "service": None}], "not an e-mail address"),
        ("trusted_gateways", ["192.0.2.1/24"], "IP address or network"),
        ("trusted_gateways", ["mail.maville.be"], "IP address or network"),
        ("agent_patterns", ["("], "regular expression"),
        ("max_size", -1, ""),
        ("smtp_password", ["x"], "one line"),
        ("smtp_password", "a\r\nb", "one line"),
    ],
)
def test_bad_value_changes_nothing_and_says_why(site, field, value, says):
    before = site.get(PANEL, "admin").json()["data"]
    answer = patch(site, close_on_send=False, **{field: value})
    assert answer.status_code == 400, answer.text
    assert says in answer.text
    assert "Traceback" not in answer.text
    assert site.get(PANEL, "admin").json()["data"] == before
    assert not password.read()


def test_password_is_written_and_never_read(site):
    assert patch(site, smtp_password=SECRET).status_code == 204
    assert password.read() == SECRET
    assert password.source() == "site"
    for path in (
        PANEL,
        "/@registry?q=imio.mailbridge&b_size=100",
        "/@registry/imio.mailbridge.smtp_login",
        "/@mailbridge-status",
    ):
        answer = site.get(path, "admin")
        assert answer.status_code == 200, path
        assert SECRET not in answer.text
    for page in ("/@@mailbridge-controlpanel", "/portal_registry"):
        assert SECRET not in site.get(page, "admin", headers={"Accept": "text/html"}).text
    assert patch(site, smtp_password="").status_code == 204
    assert password.read() == ""


def test_password_from_outside(site, monkeypatch, tmp_path):
    password.write("kept in the site")
    path = tmp_path / "password"
    path.write_text("from the file\n")
    account = Account(host="smtp.maville.test", name="default")
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "smtp.maville.test")
    monkeypatch.setenv(password.FILE, str(path))
    assert (password.source(), password.password_of(account)) == ("file", "from the file")
    page = site.get(
        "/@@mailbridge-controlpanel", "admin", headers={"Accept": "text/html", "Accept-Language": "en"}
    ).text
    assert password.FILE in page
    assert "is for another mail server" in page, "the site has another one"
    assert "form.widgets.smtp_password" not in page
    monkeypatch.setenv(password.ENVIRONMENT, "from the variable")
    assert (password.source(), password.password_of(account)) == ("environment", "from the variable")
    assert password.password_of(replace(account, name="cpas")) == "", "it is that of the default account"
    monkeypatch.delenv(password.ENVIRONMENT)
    path.unlink()
    with pytest.raises(password.PasswordUnreadable):
        password.password_of(account)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/token", "https://localhost/token"])
def test_token_endpoint_on_this_machine_is_kept_by_nobody(site, url):
    answer = patch(site, oauth_token_url=url)
    assert (answer.status_code, "https address of a token endpoint" in answer.text) == (400, True)
    for name, value in (("oauth_token_url", url), ("smtp_accounts", [row(oauth_token_url=url)])):
        with pytest.raises(Invalid, match="https address of a token endpoint"):
            setattr(stored_settings(), name, value)


BRIDGE = Account(name="default", host="smtp.maville.test", login="bridge")


@pytest.mark.parametrize(
    ("named", "account", "is_given"),
    [
        ({}, BRIDGE, False),
        ({"host": "SMTP.maville.test"}, BRIDGE, True),
        ({"host": "smtp.maville.test"}, replace(BRIDGE, host="evil.test"), False),
        ({"host": "smtp.maville.test"}, replace(BRIDGE, host=""), False),
        ({"host": "smtp.maville.test"}, replace(BRIDGE, port=2525), True),
        ({"host": "smtp.maville.test", "port": "587"}, BRIDGE, True),
        ({"host": "smtp.maville.test", "port": "587"}, replace(BRIDGE, port=2525), False),
        ({"host": "smtp.maville.test", "login": "bridge"}, BRIDGE, True),
        ({"host": "smtp.maville.test", "login": "bridge"}, replace(BRIDGE, login="other"), False),
        ({"host": "smtp.maville.test"}, replace(BRIDGE, security="none"), False),
        ({"host": "smtp.maville.test", "security": "none"}, replace(BRIDGE, security="none"), True),
        ({"host": "smtp.maville.test", "security": "tls"}, BRIDGE, False),
    ],
)
@pytest.mark.parametrize("source", [password.ENVIRONMENT, password.FILE])
def test_password_from_outside_is_for_the_server_named_there(
    site, monkeypatch, tmp_path, source, named, account, is_given
):
    (tmp_path / "password").write_text(SECRET)
    monkeypatch.setenv(source, SECRET if source == password.ENVIRONMENT else str(tmp_path / "password"))
    for name, value in named.items():
        monkeypatch.setenv(f"MAILBRIDGE_SMTP_{name.upper()}", value)
    if is_given:
        assert password.password_of(account) == SECRET
    else:
        with pytest.raises(password.PasswordForAnother, match="for another mail server"):
            password.password_of(account)


def test_login_address_defaults_to_a_login_that_is_one(site):
    values = stored_settings()
    values.login_address = None
    values.smtp_login = "administration@maville.be"
    assert settings().default_account.login_address == "administration@maville.be"
    values.smtp_login = "MAVILLE\\bridge"
    assert settings().default_account.login_address == ""


def test_action_is_shown_to_agents_once_a_server_is_set(site):
    def actions():
        listing = site.get("/outgoing-mail/permis-durbanisme/@actions", "agent").json()
        return {action["id"] for action in listing["object_buttons"]}

    assert "mailbridge_send_email" in actions()
    stored_settings().smtp_host = None
    transaction.commit()
    assert "mailbridge_send_email" not in actions()
    page = site.get(
        "/outgoing-mail/permis-durbanisme/@@send-email", "agent", headers={"Accept": "text/html"}
    ).text
    assert "form.widgets.to" not in page
    panel = site.get(
        "/@@mailbridge-controlpanel", "admin", headers={"Accept": "text/html", "Accept-Language": "en"}
    )
    assert "not available" in panel.text


# the other accounts

CPAS = {"name": "cpas", "senders": ["cpas.test", "info@maville.test"], "host": "smtp.cpas.test"}


def test_accounts_are_written_with_defaults(site):
    assert patch(site, smtp_accounts=[CPAS]).status_code == 204
    (row,) = site.get(PANEL, "admin").json()["data"]["smtp_accounts"]
    assert row | CPAS == row
    assert (row["port"], row["security"], row["auth"], row["sender_policy"]) == (
        587,
        "starttls",
        "password",
        "login",
    )
    assert settings().account_for("al@cpas.test").host == "smtp.cpas.test"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": "https://x.test/"}, "Account cpas, SMTP server: This is not the name of a server"),
        ({"host": None}, "Account cpas, SMTP server: "),
        ({"port": 0}, "Account cpas, Port: "),
        ({"port": "587"}, "Account cpas, Port: "),
        ({"name": "default"}, "Account default, Name: This is not a name for an account"),
        ({"name": None}, "Account ?, Name: "),
        ({"senders": "cpas.test"}, "Account cpas, Sender addresses and domains: "),
        ({"senders": []}, "Account cpas, Sender addresses and domains: "),
        (
            {"senders": ["x y"]},
            "Sender addresses and domains: This is neither an e-mail address nor a domain",
        ),
        ({"security": "ssl"}, "Account cpas, Encryption: "),
        ({"login": "a\r\nb"}, "Account cpas, Login: "),
        (
            {"oauth_token_url": "https://login.test/TENANT/token"},
            "Account cpas, Token endpoint: Replace TENANT",
        ),
        (
            {"oauth_token_url": "https://127.0.0.1/token"},
            "Account cpas, Token endpoint: This is not the https",
        ),
        ({"password": SECRET}, "Account cpas, password: There is no such setting"),
    ],
)
def test_bad_account_changes_nothing_and_names_its_field(site, changes, says):
    answer = patch(
        site, close_on_send=False, smtp_accounts=[CPAS | changes], smtp_account_secrets={"cpas": {}}
    )
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["message"]
    assert stored_settings().smtp_accounts == []
    assert stored_settings().close_on_send
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "rows", ["x", [1], [CPAS, CPAS | {"senders": ["other.test"]}], [CPAS, CPAS | {"name": "other"}]]
)
def test_accounts_that_do_not_go_together(site, rows):
    answer = patch(site, smtp_accounts=rows)
    assert answer.status_code == 400
    assert "A list of rows" in answer.text or "is in two accounts" in answer.text
    assert stored_settings().smtp_accounts == []


def test_secrets_are_written_and_never_read(site):
    answer = patch(
        site,
        smtp_accounts=[CPAS],
        smtp_client_secret=f"{SECRET}-1",
        smtp_refresh_token=f"{SECRET}-2",
        smtp_account_secrets={"cpas": {"password": f"{SECRET}-3", "client_secret": f"{SECRET}-4"}},
    )
    assert answer.status_code == 204, answer.text
    assert [password.read(kind=kind) for kind in password.KINDS] == ["", f"{SECRET}-1", f"{SECRET}-2"]
    assert [password.read("cpas", kind) for kind in password.KINDS] == [f"{SECRET}-3", f"{SECRET}-4", ""]
    for path in (PANEL, "/@registry?q=imio.mailbridge&b_size=100", "/@mailbridge-status"):
        assert SECRET not in site.get(path, "admin").text
    export = site.portal.portal_setup.runExportStep("plone.app.registry")["tarball"]
    assert SECRET.encode() not in gzip.decompress(export)
    assert (
        patch(site, smtp_client_secret="", smtp_account_secrets={"cpas": {"password": ""}}).status_code == 204
    )
    assert (password.read(kind="client_secret"), password.read("cpas")) == ("", "")
    assert password.read("cpas", "client_secret") == f"{SECRET}-4", "what is not named stays"
    assert patch(site, smtp_accounts=[]).status_code == 204
    assert not password.read("cpas", "client_secret"), "removed with the account"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"smtp_client_secret": "a\nb"}, "one line"),
        ({"smtp_refresh_token": 5}, "one line"),
        ({"smtp_account_secrets": "x"}, "are expected here"),
        ({"smtp_account_secrets": {"cpas": "x"}}, "are expected here"),
        ({"smtp_account_secrets": {"cpas": {"pin": "x"}}}, "pin is not one of: password"),
        ({"smtp_account_secrets": {"cpas": {"password": None}}}, "one line"),
        ({"smtp_account_secrets": {"other": {"password": "x"}}}, "There is no account other"),
        ({"smtp_account_secrets": {"default": {"password": "x"}}}, "There is no account default"),
        (
            {"smtp_accounts": [], "smtp_account_secrets": {"cpas": {"password": "x"}}},
            "There is no account cpas",
        ),
    ],
)
def test_bad_secrets_change_nothing(site, values, says):
    assert patch(site, smtp_accounts=[CPAS]).status_code == 204
    answer = patch(site, **values)
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["message"]
    assert len(stored_settings().smtp_accounts) == 1
    assert not any(password.read(name, kind) for name in ("default", "cpas") for kind in password.KINDS)
