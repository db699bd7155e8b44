"""Several SMTP accounts: the pages that set them up, and by which of them mail leaves."""

from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.presets import PRESETS
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from plone.app.uuid.utils import uuidToObject
from tests.site.panel import ACCOUNTS
from tests.site.panel import act
from tests.site.panel import ADD
from tests.site.panel import DELETE
from tests.site.panel import EDIT
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
from tests.site.panel import SEND_AS
from tests.site.panel import SETTINGS
from tests.site.rows import keep
from tests.site.rows import row
from zope.schema import getFieldNames
import email
import pytest
import transaction


CPAS = {
    "name": "cpas",
    "senders": "cpas.test\ninfo@maville.test",
    "host": "smtp.cpas.test",
    "login": "mail@cpas.test",
}
SECRET = "s3cret-of-the-cpas"  # noqa: S105


def rows():
    return {each["name"]: each for each in stored_settings().smtp_accounts}


@pytest.fixture
def site_admin(site):
    """A user with the role Site Administrator."""
    site.portal.acl_users.userFolderAddUser("site-admin", "demo-iadocs", ["Member", "Site Administrator"], [])
    transaction.commit()
    return "site-admin"


PAGES = [ACCOUNTS, ADD, EDIT, DELETE, SEND_AS, SETTINGS]


@pytest.mark.parametrize("path", PAGES)
def test_who_sees_the_pages(site, site_admin, path):
    keep(row())
    for user in (None, "agent", "gateway", "chef"):
        assert site.get(path, user, headers=HTML).status_code in (302, 401), user
        data = {"release": "default", "delete": "1", "reset_all": "1", "account": "cpas"}
        assert site.post(path, user, data=data, headers=HTML).status_code in (302, 401), user
    for user in (site_admin, "admin"):
        assert site.get(path, user, headers=HTML).status_code == 200, user
    assert "cpas" in rows()


def test_add(site, site_admin):
    answer = press(site, ADD, "save", site_admin, **CPAS, password=SECRET)
    assert answer.headers["Location"].endswith(ACCOUNTS), answer.text
    kept = rows()["cpas"]
    assert kept["senders"] == ["cpas.test", "info@maville.test"]
    assert (kept["host"], kept["port"], kept["security"]) == ("smtp.cpas.test", 587, "starttls")
    assert set(kept) == set(getFieldNames(ISmtpAccountRow)), "nothing else, no secret"
    assert password.read("cpas") == SECRET
    text = messages(site, answer, site_admin)
    for expected in (
        "The account has been saved",
        "cpas",
        "smtp.cpas.test:587",
        "mail@cpas.test",
        "info@maville.test",
    ):
        assert expected in text
    for path in (ACCOUNTS, EDIT, SETTINGS):
        assert SECRET not in page(site, path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "Required"),
        ({"name": "default"}, "not a name for an account"),
        ({"name": "a b"}, "not a name for an account"),
        ({"name": "CPAS"}, "already an account with this name"),
        ({"senders": ""}, "Required"),
        ({"senders": "not a domain"}, "neither an e-mail address nor a domain"),
        ({"senders": "@Cpas.Test"}, "is in two accounts"),
        ({"host": "https://smtp.x.test/"}, "not the name of a server"),
        ({"port": "0"}, ""),
        ({"port": "x"}, ""),
        ({"login": "a\x0bb"}, "cannot be printed"),
        ({"password": "a\x0bb"}, "cannot be printed"),
        ({"login_address": "x"}, "not an e-mail address"),
        ({"oauth_token_url": "http://login.test/token"}, "https address"),
        ({"oauth_token_url": "https://login.test/TENANT/oauth2/v2.0/token"}, "Replace TENANT"),
        ({"auth": "oauth2"}, "needs the token endpoint"),
        ({"auth": "oauth2", "login": ""}, "needs the login"),
        ({"auth": "oauth2"}, "needs the client ID"),
        ({"auth": "oauth2", "oauth_client_id": "c"}, "needs the client secret"),
        ({"rate": "-1"}, ""),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(site, changes, says):
    keep(row())
    answer = press(site, ADD, "save", **(CPAS | {"name": "other", "senders": "other.test"} | changes))
    assert answer.status_code == 200
    assert says in answer.text
    assert "error" in answer.text
    assert set(rows()) == {"cpas"}


@pytest.mark.parametrize(("path", "prefix"), [(ADD, ""), (SETTINGS, "smtp_")])
@pytest.mark.parametrize("button", ["save", "preset"])
def test_typed_secret_is_not_shown_when_something_is_wrong(site, path, prefix, button):
    answer = press(site, path, button, **{f"{prefix}host": "a b", f"{prefix}password": SECRET})
    assert answer.status_code == 200
    assert SECRET not in answer.text
    assert "other secrets again" in answer.text


def test_edit_keeps_what_is_not_entered(site):
    keep(row())
    password.write(SECRET, "cpas")
    password.write("t", "cpas", "refresh_token")
    transaction.commit()
    text = page(site, EDIT)
    assert 'value="cpas"' in text
    assert press(site, EDIT, "save", rate="12000").status_code == 302
    assert rows()["cpas"]["rate"] == 12000
    assert password.read("cpas") == SECRET
    assert fields(page(site, EDIT))["form.widgets.rate"] == "12000", "as one types it"
    press(site, EDIT, "save", client_secret="c")
    assert password.read("cpas", "client_secret") == "c"
    assert password.read("cpas", "refresh_token") == "t"


def test_refresh_token_can_be_forgotten(site):
    keep(row())
    assert "forget_refresh_token" not in page(site, EDIT)
    password.write("t", "cpas", "refresh_token")
    transaction.commit()
    form = fields(page(site, EDIT)) | {
        "form.widgets.forget_refresh_token:list": "selected",
        "form.buttons.save": "x",
    }
    assert site.post(EDIT, "admin", data=form, headers=HTML).status_code == 302
    assert not password.read("cpas", "refresh_token")


@pytest.mark.parametrize("path", ["/@@mailbridge-account-edit", "/@@mailbridge-account-delete"])
@pytest.mark.parametrize(
    "query", ["", "?account=nobody", "?account=default", "?account=a&account=b", "?account:int=1"]
)
def test_accounts_that_are_not_there(site, path, query):
    assert site.get(f"{path}{query}", "admin", headers=HTML).status_code == 404


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize(("path", "prefix"), [(ADD, ""), (EDIT, ""), (SETTINGS, "smtp_")])
def test_presets_fill_the_form_in_and_save_nothing(site, preset, path, prefix):
    keep(row(host="smtp.old.test"))
    before = (stored_settings().smtp_host, rows())
    answer = press(site, path, "preset", preset=preset.name)
    filled = fields(answer.text)
    for name, value in preset.values.items():
        field = name if name.startswith("oauth") or name == "attachment_limit" else f"{prefix}{name}"
        key = next(key for key in filled if key.split(":")[0] == f"form.widgets.{field}")
        assert filled[key] == (f"{value // 1024**2}" if name == "attachment_limit" else str(value)), name
    assert "not saved yet" in answer.text
    assert (stored_settings().smtp_host, rows()) == before


def test_no_preset_chosen(site):
    assert "Choose your mail provider first" in press(site, ADD, "preset").text
    assert "Choose your mail provider first" in press(site, ADD, "preset", preset="nobody").text


def test_microsoft_365_in_the_main_form(site):
    values = {
        "smtp_host": "smtp.office365.com",
        "smtp_auth": "oauth2",
        "smtp_login": "mail@maville.test",
        "oauth_client_id": "c-1",
        "oauth_token_url": "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token",
    }
    assert "Replace TENANT" in press(site, SETTINGS, "save", **values, smtp_client_secret=SECRET).text
    values["oauth_token_url"] = values["oauth_token_url"].replace("TENANT", "0a1b")
    assert "needs the client secret" in press(site, SETTINGS, "save", **values).text
    assert stored_settings().smtp_host == "127.0.0.1"
    answer = press(site, SETTINGS, "save", **values, smtp_client_secret=SECRET)
    assert answer.status_code == 302, answer.text
    assert stored_settings().oauth_token_url.endswith("/0a1b/oauth2/v2.0/token")
    assert password.read(kind="client_secret") == SECRET
    assert press(site, SETTINGS, "save", **values).status_code == 302, "empty keeps the present one"
    assert password.read(kind="client_secret") == SECRET
    assert SECRET not in page(site, SETTINGS)


def test_main_form_shows_numbers_as_one_types_them(site):
    stored_settings().max_per_sender = 12000
    stored_settings().keep_sent_days = 3650
    transaction.commit()
    shown = fields(page(site, SETTINGS))
    for name, value in (("smtp_port", "9"), ("max_per_sender", "12000"), ("keep_sent_days", "3650")):
        assert shown[f"form.widgets.{name}"] == value


def test_panel_has_links_to_its_pages(site):
    for path in (SETTINGS, ACCOUNTS, SEND_AS):
        text = page(site, path)
        for name in ("controlpanel", "accounts", "send-as", "diagnosis"):
            assert f"/@@mailbridge-{name}" in text


# by which account mail leaves


@pytest.fixture
def second(catcher_factory):
    """The server of the account cpas."""
    server = catcher_factory()
    keep(row(port=server.port, login_address="noreply@cpas.test"))
    return server


@pytest.fixture
def send(caught, send):
    """Send as the agent, whose record has this address; return the record of the message."""
    send_one = send

    def send(address, run=True):
        uuidToObject(identities("agent", settings())[0].uid, unrestricted=True).email = address
        transaction.commit()
        return send_one(run=run)

    return send


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("al@cpas.test", "cpas"),
        ("AL@CPAS.test", "cpas"),
        ("chef@cpas.test", "chef"),
        ("al@maville.test", "default"),
        ("al@sub.cpas.test", "default"),
    ],
)
def test_address_before_domain_before_default(site, address, name):
    keep(row(), row("chef", ["Chef@cpas.test"]))
    assert settings().account_for(address).name == name


def test_each_leaves_by_its_account(send, caught, second):
    assert send("al@cpas.test").state == "sent"
    assert send("al@maville.test").state == "sent"
    (by_second,), (by_default,) = second.messages, caught.messages
    assert (by_second.mail_from, by_default.mail_from) == ("noreply@cpas.test", "administration@maville.test")
    assert "<noreply@cpas.test>" in email.message_from_bytes(by_second.content)["From"]


def test_one_held_account_does_not_hold_the_other(send, caught, second):
    second.answers["mail"] = "530 5.7.0 log in first"
    held, other = send("al@cpas.test"), send("al@maville.test")
    assert (held.state, other.state) == ("held", "sent")
    assert set(outbox().holds) == {"cpas"}


def test_try_again_now(site, send, second):
    second.answers["mail"] = "530 5.7.0 log in first"
    record = send("al@cpas.test")
    text = page(site, ACCOUNTS)
    for expected in ("stopped", "530 5.7.0 log in first", "Enter login and password", "Messages waiting:"):
        assert expected in text
    assert site.get(f"{ACCOUNTS}?release=cpas", "admin", headers=HTML).status_code == 404
    assert site.post(ACCOUNTS, "admin", data={"release": "cpas"}, headers=HTML).status_code == 200
    transaction.begin()
    assert "cpas" in outbox().holds
    second.stop()
    assert "still does not work" in messages(site, act(site, ACCOUNTS, release="cpas"))
    second.start()
    second.answers.clear()
    assert "is working again" in messages(site, act(site, ACCOUNTS, release="cpas"))
    assert not outbox().holds
    deliver()
    transaction.begin()
    assert record.state == "sent"
    assert "Last message accepted" in page(site, ACCOUNTS)


def test_deleted_account(site, send, caught, second):
    second.answers["mail"] = "530 5.7.0 log in first"
    held = send("al@cpas.test")
    second.answers["mail"] = "451 4.3.0 later"
    password.write(SECRET, "cpas")
    transaction.commit()
    text = " ".join(page(site, DELETE).split())
    assert "Messages waiting for it: 1" in text
    assert site.get(f"{DELETE}&delete=1", "admin", headers=HTML).status_code == 200
    assert site.post(DELETE, "admin", data={"delete": "1"}, headers=HTML).status_code == 200
    transaction.begin()
    assert "cpas" in rows(), "only with a token"
    assert "has been deleted" in messages(site, act(site, DELETE, delete="1"))
    assert not rows()
    assert not outbox().holds
    assert not password.read("cpas")
    for _turn in range(2):  # the first gives it to the other account
        deliver()
    transaction.begin()
    assert (held.account, held.state) == ("default", "sent")
    (message,) = caught.messages
    assert message.mail_from == "administration@maville.test"
    written = email.message_from_bytes(message.content)
    assert "<administration@maville.test>" in written["From"]
    assert "<al@cpas.test>" in written["Reply-To"]


def test_renamed_account_keeps_what_is_its_own(site, send, second):
    password.write(SECRET, "cpas")
    send_as.learn("cpas", "al@cpas.test", True)
    transaction.commit()
    second.answers["mail"] = "530 5.7.0 log in first"
    record = send("al@cpas.test")
    assert press(site, EDIT, "save", name="ocmw").status_code == 302
    assert set(rows()) == {"ocmw"}
    assert (record.account, record.state) == ("ocmw", "held")
    assert set(outbox().holds) == {"ocmw"}
    assert (password.read("cpas"), password.read("ocmw")) == ("", SECRET)
    assert send_as.verdict("ocmw", "al@cpas.test").allowed
    second.answers.clear()
    sweep()
    deliver()
    transaction.begin()
    assert record.state == "sent"


def test_another_server_forgets_what_the_old_one_said(site):
    keep(row())
    send_as.learn("cpas", "al@cpas.test", True)
    send_as.learn("cpas", "bo@cpas.test", False)
    keep(row(rate=5))
    assert len(send_as.verdicts()) == 2
    keep(row(rate=5, port=26))
    assert list(send_as.verdicts()) == [("cpas", "al@cpas.test")]
    keep(row(host="other.test"))
    assert not len(send_as.verdicts())
