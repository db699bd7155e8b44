"""The page of the mailboxes and its forms; REST. What is wrong is said, secrets are never shown."""

from datetime import date
from imio.mailbridge.inbound import imap_reading as mailboxes
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.imap import account_of
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport.fetch_state import Failure
from imio.mailbridge.transport.fetch_state import FetchState
from lxml import html
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.site.panel import act
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
import pytest
import transaction


LOGIN = "administration@maville.test"
ROW = {
    "name": "admin",
    "role": "login",
    "address": LOGIN,
    "host": "imap.maville.test",
    "login": LOGIN,
}


@pytest.fixture(scope="module")
def server(certificates):
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as server:
        yield server


def patch(site, **values):
    return site.request("PATCH", "/@controlpanels/mailbridge", "admin", json=values)


@pytest.fixture
def declared(site):
    answer = patch(site, imap_mailboxes=[ROW], imap_mailbox_secrets={"admin": {"password": "s3cret"}})
    assert answer.status_code == 204, answer.text


PAGE = "/@@mailbridge-mailboxes"
ADD = "/@@mailbridge-mailbox-add"
EDIT = "/@@mailbridge-mailbox-edit?mailbox=admin"
DELETE = "/@@mailbridge-mailbox-delete?mailbox=admin"
ENTERED = {
    "name": "admin",
    "role": "login",
    "address": LOGIN,
    "host": "imap.maville.test",
    "login": LOGIN,
    "password": "s3cret",
}


def save(site, path=ADD, **changes):
    return press(site, path, "save", **{**(ENTERED if path == ADD else {}), **changes})


def problems(answer):
    found = html.fromstring(answer.text).cssselect(".invalid-feedback")
    return [each.text_content().strip() for each in found]


def test_rest_writes_rows_with_defaults_and_secrets_that_are_never_read(site, declared):
    row = site.get("/@controlpanels/mailbridge", "admin").json()["data"]["imap_mailboxes"][0]
    assert (row["port"], row["folder"], row["new_mail"]) == (993, "INBOX", "quarantine")
    assert "s3cret" not in site.get("/@controlpanels/mailbridge", "admin").text
    wanted = account_of(settings().imap_mailboxes["admin"])
    assert (wanted.password, wanted.address, wanted.since) == ("s3cret", LOGIN, None)
    assert "s3cret" not in repr(wanted)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"port": 0}, "Port"),
        ({"since": "gisteren"}, "This is not a day"),
        ({"colour": "red"}, "secrets go into imap_mailbox_secrets"),
        ({"address": "nobody"}, "This is not an e-mail address"),
        ({"role": "king"}, "Use"),
    ],
)
def test_rest_says_what_is_wrong(site, change, says):
    answer = patch(site, imap_mailboxes=[{**ROW, **change}])
    assert answer.status_code == 400
    assert says in answer.text


def test_rest_refuses_two_with_one_address_and_secrets_of_nobody(site):
    answer = patch(site, imap_mailboxes=[ROW, {**ROW, "name": "other"}])
    assert (answer.status_code, "is in two mailboxes" in answer.text) == (400, True)
    answer = patch(site, imap_mailbox_secrets={"ghost": {"password": "x"}})
    assert (answer.status_code, "There is no account ghost" in answer.text) == (400, True)


def test_add_edit_and_delete(site):
    assert "The mailbox has been saved" in messages(site, save(site))
    assert password.read(secrets_of("admin")) == "s3cret"
    assert "s3cret" not in page(site, EDIT)
    answer = save(site, EDIT, new_mail="file", since="2026-11-01")
    assert answer.status_code == 302, problems(answer)
    (row,) = stored_settings().imap_mailboxes
    assert (row["name"], row["new_mail"], row["since"]) == ("admin", "file", "2026-11-01")
    assert password.read(secrets_of("admin")) == "s3cret", "an empty one keeps the present one"
    mailboxes.ensure_status("admin")
    transaction.commit()
    assert site.post(DELETE, "admin", data={}).status_code == 200
    assert stored_settings().imap_mailboxes, "only with a token"
    answer = act(site, DELETE, delete="1")
    assert "is no longer read" in messages(site, answer)
    assert stored_settings().imap_mailboxes == []
    assert password.read(secrets_of("admin")) == ""
    assert mailboxes.status_of("admin") is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"password": ""}, "Enter the password of the mailbox."),
        ({"login": ""}, "Enter the login: usually the address of the mailbox."),
        ({"security": "starttls"}, "Port 993 speaks TLS from the start."),
        (
            {"role": "mail-in"},
            "This is not a mail-in address: add it to the settings of incoming mail first.",
        ),
        ({"address": "in@bridge.test"}, "This is a mail-in address; choose the other role."),
        ({"auth": "oauth2"}, "OAuth 2.0 needs the token endpoint of the provider."),
        ({"since": "hier"}, "This is not a day. Example: 2026-11-24"),
        ({"recipient_header": "a b"}, "This is not the name of a header. Example: Delivered-To"),
        ({"host": "https://x"}, "This is not the name of a server. Example: smtp.office365.com"),
    ],
)
def test_form_says_what_is_wrong(site, values, says):
    answer = save(site, **values)
    assert answer.status_code == 200
    assert says in problems(answer)
    assert not stored_settings().imap_mailboxes


def test_form_refuses_a_second_one(site, declared):
    assert "There is already a mailbox with this name." in problems(save(site))
    assert "There is already a mailbox with this address." in problems(save(site, name="other"))


def test_new_settings_are_tried_at_once(site, declared, monkeypatch):
    queued = []
    monkeypatch.setattr(mailboxes, "add", lambda url, method, params, queue: queued.append(params))
    mailboxes.ensure_status("admin").not_before = mailboxes.now() + mailboxes.LEASE
    transaction.commit()
    assert save(site, EDIT, password="better").status_code == 302
    assert queued == [{"name": "admin"}]
    assert mailboxes.status_of("admin").not_before is None


def test_mailbox_that_another_machine_reads_needs_no_login(site):
    answer = save(site, host="", login="", password="")
    assert answer.status_code == 302, problems(answer)
    assert account_of(settings().imap_mailboxes["admin"]) is None
    assert "another machine brings its mail" in page(site, PAGE)


@pytest.mark.parametrize(
    ("preset", "host"), [("microsoft365", "outlook.office365.com"), ("google", "imap.gmail.com")]
)
def test_preset_fills_in(site, preset, host):
    answer = press(site, ADD, "preset", preset=preset)
    found = fields(answer.text)
    assert (found["form.widgets.host"], found["form.widgets.port"]) == (host, "993")
    assert found["form.widgets.auth:list"] == "oauth2"
    assert not stored_settings().imap_mailboxes


def test_new_mailbox_begins_today(site):
    assert fields(page(site, ADD))["form.widgets.since"] == date.today().isoformat()


def test_try(site, declared, server):
    assert "session had changed" in site.post(PAGE, "admin", data={"try": "admin"}, headers=HTML).text
    assert site.get(f"{PAGE}?try=admin", "admin").status_code == 404
    patch(site, imap_mailboxes=[{**ROW, "host": "localhost", "port": 9}])
    assert "cannot be reached" in messages(site, act(site, PAGE, **{"try": "admin"}))
    row = {"host": "localhost", "port": server.port, "ca_file": str(server.certificates.ca_file)}
    patch(
        site,
        imap_mailboxes=[{**ROW, **row, "login": server.LOGIN}],
        imap_mailbox_secrets={"admin": {"password": server.PASSWORD}},
    )
    assert "The mailbox can be read." in messages(site, act(site, PAGE, **{"try": "admin"}))


def test_nobody_needs_to_look(site, declared):
    def says():
        return "Nobody needs to check this mailbox." in page(site, PAGE)

    assert not says(), "it was not read yet"
    about = mailboxes.ensure_status("admin")
    about.checked = mailboxes.now()
    transaction.commit()
    assert says()
    about.problem = {"stage": "login", "text": "NO <b>", "since": mailboxes.now(), "told": False}
    transaction.commit()
    assert not says()
    assert "NO <b>" in page(site, PAGE)
    about.problem = None
    about.state = FetchState(
        1, {}, {7: Failure(3, 0.0, "OSError: No space left", "Véranda", "Ann <a@b.test>")}
    ).as_json()
    transaction.commit()
    assert not says(), "one message cannot be filed"
    shown = page(site, PAGE)
    assert "OSError: No space left" in shown
    assert "Véranda" in shown
    assert "Ann <a@b.test>" in shown
    about.state = FetchState().as_json()
    transaction.commit()
    assert says()
    patch(site, imap_mailboxes=[{**ROW, "new_mail": "leave"}])
    assert not says(), "what is left there must be looked for"


def test_managers_see_on_every_page_that_a_mailbox_is_not_read(site, declared):
    def alarm(user):
        return "has not been read since" in " ".join(page(site, "/incoming-mail", user).split())

    about = mailboxes.ensure_status("admin")
    about.problem = {"stage": "login", "text": "NO", "since": mailboxes.now(), "told": False}
    transaction.commit()
    assert not alarm("chef"), "not for a moment"
    about.problem = {**about.problem, "since": mailboxes.now() - 2 * mailboxes.QUIET}
    transaction.commit()
    assert alarm("chef")
    assert not alarm("agent")


@pytest.mark.parametrize(
    "path", ["mailboxes", "mailbox-add", "mailbox-edit?mailbox=admin", "mailbox-delete?mailbox=admin"]
)
def test_only_admins(site, declared, path):
    for user in (None, "agent", "chef", "gateway"):
        answer = site.get(f"/@@mailbridge-{path}", user, headers={"Accept": "text/html"})
        assert answer.status_code in (302, 401, 403), (user, path)


def test_unknown_mailbox(site):
    for path in ("mailbox-edit?mailbox=ghost", "mailbox-delete?mailbox=ghost", "mailbox-edit"):
        assert site.get(f"/@@mailbridge-{path}", "admin").status_code == 404


@pytest.mark.parametrize(("role", "count"), [("login", 1), ("mail-in", 0)])
def test_copies_are_told_of_a_login_mailbox_only(site, role, count):
    row = {**ROW, "role": role, "copy_to_agent": True}
    assert patch(site, imap_mailboxes=[row]).status_code == 204
    assert page(site, PAGE).count("Agents get a copy of the answers.") == count
