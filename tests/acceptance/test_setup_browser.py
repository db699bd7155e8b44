"""A beginner sets mail up, from an empty site to "everything works", in four kinds of town, with a real Postfix and a real Dovecot.

Postfix asks Dovecot about the logins of the town that has passwords no more: Dovecot takes the tokens of the test's endpoint.
"""

from dataclasses import dataclass
from email import message_from_bytes
from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.instance import copied
from tests.servers.postfix import LOGIN
from tests.servers.postfix import PASSWORD
from tests.servers.postfix import Postfix
from tests.servers.resolver import Resolver
from tests.servers.token_endpoint import TokenEndpoint
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import contextlib
import pytest
import shutil


AGENT = "al.bert@maville.test"
BOX = "info@maville.test"
JEANNE = "jeanne.dupont@citizen.test"
#: The questions that this town is asked.
STEPS = (
    *("address", "provider", "way", "server", "login", "sender"),
    *("mailboxes", "forward", "watch", "test", "end"),
)
EMPTY = {
    "smtp_host": None,
    "smtp_login": None,
    "login_address": None,
    "sender_policy": "login",
    "mailin_addresses": [],
    "mailboxes": [],
    "imap_mailboxes": [],
}
SERVICE = (
    "\n127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes -o smtpd_sasl_type=dovecot "
    "-o smtpd_sasl_path=inet:127.0.0.1:{auth_port} -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n"
)


@dataclass(frozen=True)
class Servers:
    """What runs; ``token_port`` is the port of Postfix for tokens, ``trusted`` the file with the authorities of the machine."""

    postfix: Postfix
    dovecot: Dovecot
    tokens: TokenEndpoint
    token_port: int
    trusted: object


@pytest.fixture(scope="session")
def iadocs(demo, tmp_path_factory):
    """A demo whose authorities can be changed, and which may ask the token endpoint of the test."""
    home = tmp_path_factory.mktemp("setup")
    instance = copied(demo, home)
    instance.start(SSL_CERT_FILE=str(home / "trusted.pem"), MAILBRIDGE_ALLOW_INSECURE_TOKEN_URL="1")
    instance.set(undo_seconds=0)
    yield instance
    instance.stop()


@pytest.fixture(scope="session")
def first_settings(iadocs):
    return iadocs.settings()


@pytest.fixture(scope="session")
def logins():
    return {}


@pytest.fixture(scope="module")
def servers(iadocs, tmp_path_factory):
    with contextlib.ExitStack() as stack:
        tokens = stack.enter_context(TokenEndpoint())
        tokens.owner = LOGIN
        postfix = Postfix(
            stack.enter_context(open_folder("setup-postfix")),
            url=iadocs.url,
            token="gateway:demo-iadocs",
        )
        stack.enter_context(postfix)
        folder = stack.enter_context(open_folder("setup-dovecot"))
        dovecot = stack.enter_context(Dovecot(folder, postfix.certificates, tokens=tokens.url, auth=True))
        port = free_port()
        postfix.services = SERVICE.format(port=port, auth_port=dovecot.auth_port)
        postfix.bridge_to(iadocs.url)
        yield Servers(postfix, dovecot, tokens, port, iadocs.home / "trusted.pem")


@pytest.fixture
def town(iadocs, servers):
    """A site where nothing is set up; its machine trusts the servers."""
    shutil.copy(servers.postfix.ca_file, servers.trusted)
    servers.postfix.clear()
    servers.postfix.aliases.clear()
    with Resolver({("maville.test", "MX"): ["10 mx.maville.test."]}) as dns:
        iadocs.set(**EMPTY, dns_resolver=dns.address)
        yield servers


class Beginner:
    """The admin at the page; each method answers a question."""

    def __init__(self, admin):
        self.admin, self.page = admin, admin.page

    def asked(self, step):
        """Wait for a question."""
        expect(self.page.locator(f".mailbridge-setup[data-step={step}]")).to_be_visible()

    def answer(self, step, button="go_on", **entered):
        """Answer a question; what has no field is a choice."""
        self.asked(step)
        for name, value in entered.items():
            field = self.page.locator(f".mailbridge-setup form [name={name}]")
            if field.first.get_attribute("type") == "radio":
                self.page.check(f"[name={name}][value='{value}']")
            elif field.first.get_attribute("type") == "file":
                field.set_input_files(value)
            else:
                field.fill(value)
        self.page.click(f"button[name={button}]")


@pytest.fixture
def beginner(person, town):
    admin = person("admin", password="admin")
    yield Beginner(admin)
    assert not admin.errors


def begin(beginner, port):
    """From the settings to the server."""
    beginner.admin.open("/@@mailbridge-controlpanel")
    beginner.page.click("#mailbridge-propose-setup a")
    beginner.page.wait_for_selector(".mailbridge-setup")
    if beginner.page.locator("[data-step=end]").count():  # of the town before
        beginner.page.click("button[name=restart]")
    beginner.answer("address", address=AGENT)
    expect(beginner.page.locator("#setup-sources")).to_contain_text("mx.maville.test")
    beginner.answer("provider", provider="own")
    beginner.answer("way", auth="password")
    beginner.answer("server", host="localhost", port=str(port))


def finish(beginner, town, **login):
    """From the sender to the last page; return From, Reply-To and envelope sender of what the citizen got."""
    page, postfix = beginner.page, town.postfix
    beginner.answer("sender")
    beginner.answer("mailboxes", mailin_address="in@bridge.test", mailboxes=BOX)
    beginner.asked("forward")
    postfix.forward(BOX, page.locator(f"[data-mailbox='{BOX}'] input.font-monospace").input_value())
    page.click(f"[data-mailbox='{BOX}'] button[name=check_now]")
    expect(page.locator("[data-outcome]")).to_have_attribute("data-outcome", "redirect")
    beginner.answer("forward")
    beginner.answer("watch", host="localhost", port=str(town.dovecot.port), **login)
    beginner.answer("test", "send", to=JEANNE)
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "sent")
    beginner.answer("test")
    beginner.asked("end")
    verdicts = page.locator("[data-verdict]").evaluate_all("all => all.map(one => one.dataset.verdict)")
    assert set(verdicts) <= {"ok", "warning"}, page.inner_text("#content-core")
    expect(page.locator("#setup-works")).to_be_visible()
    (message,) = wait_for(lambda: postfix.messages(JEANNE), what=postfix.log_text)
    read = message_from_bytes(message.content)
    return read["From"], read["Reply-To"], message.envelope_sender


def mailbox(town):
    return {"login": town.dovecot.LOGIN, "password": town.dovecot.PASSWORD}


def test_server_lets_the_login_send_as_agents(beginner, town):
    begin(beginner, town.postfix.open_port)
    beginner.answer("login", login=LOGIN, password=PASSWORD)
    assert finish(beginner, town, **mailbox(town)) == (AGENT, None, AGENT)
    beginner.admin.screenshot("setup-end")
    for step in STEPS:
        beginner.admin.open(f"/@@mailbridge-setup?step={step}")
        beginner.asked(step)
        beginner.page.set_viewport_size({"width": 390, "height": 844})
        assert serious(beginner.page, "#content") == [], step
        assert beginner.page.evaluate("document.documentElement.scrollWidth") == 390, step


def test_server_does_not_let_it(beginner, town, iadocs):
    begin(beginner, town.postfix.enforcing_port)
    beginner.answer("login", login=LOGIN, password=PASSWORD)
    assert finish(beginner, town, **mailbox(town)) == (LOGIN, AGENT, LOGIN)
    assert iadocs.settings()["sender_policy"]["token"] == "login"
    assert "Send As" in beginner.page.locator("#setup-text").input_value()


def test_password_is_refused_and_oauth_offered(beginner, town):
    page = beginner.page
    begin(beginner, town.token_port)
    beginner.answer("login", login=LOGIN, password=PASSWORD)
    expect(page.locator("[data-failed=login]")).to_be_visible()
    beginner.admin.screenshot("setup-refused")
    beginner.answer("login", "use_oauth2")
    beginner.answer(
        "login", login=LOGIN, token_url=town.tokens.url, client_id="bridge", client_secret="s3cret"
    )
    assert finish(beginner, town, login=LOGIN, client_secret="s3cret") == (AGENT, None, AGENT)
    assert "s3cret" not in page.content()


def test_authority_of_the_town(beginner, town):
    town.trusted.unlink()
    begin(beginner, town.postfix.open_port)
    beginner.answer("authority", certificate=str(town.postfix.ca_file))
    beginner.answer("login", login=LOGIN, password=PASSWORD)
    assert finish(beginner, town, **mailbox(town)) == (AGENT, None, AGENT)
