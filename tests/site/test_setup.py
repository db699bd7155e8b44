"""The set-up as a conversation: each answer is tried, nothing changes before it works, no secret is kept or shown."""

from dataclasses import replace
from imio.mailbridge.controlpanel.setup import answers as kept
from imio.mailbridge.controlpanel.setup.receiving import STEPS
from imio.mailbridge.controlpanel.setup.sending import as_pem
from imio.mailbridge.controlpanel.setup.server import ports
from imio.mailbridge.controlpanel.setup.server import TRIAL
from imio.mailbridge.controlpanel.setup.view import path
from imio.mailbridge.controlpanel.setup.view import SCREENS
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.diagnosis.knowledge import keep_returned
from imio.mailbridge.diagnosis.returned import Shown
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.providers import PROVIDERS
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport.tls import certificates_in
from pathlib import Path
from tests.servers.certificates import Certificates
from tests.servers.resolver import Resolver
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.setup_page import Conversation
from tests.site.setup_page import PAGE
from zope.annotation.interfaces import IAnnotations
import pytest
import transaction


AGENT = "al.bert@maville.test"
LOGIN = "administration@maville.test"
PASSWORD = "Zeer geheim wachtwoord"


@pytest.fixture
def town(site):
    """A site where nothing is set up, and the DNS of its town."""
    records = {("maville.test", "MX"): ["10 mx.maville.test."]}
    with Resolver(records) as server:
        values = stored_settings()
        values.smtp_host = values.login_address = None
        values.mailin_addresses = values.mailboxes = []
        values.dns_resolver = server.address
        transaction.commit()
        yield server


@pytest.fixture
def server(catcher_factory, certificates):
    return catcher_factory(security="starttls", certificates=certificates, login=LOGIN, password=PASSWORD)


@pytest.fixture
def trusted(monkeypatch, certificates):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))


def begun(site, provider="own"):
    return Conversation(site).press(address=AGENT).press(provider=provider)


def at_login(site, server):
    talk = begun(site).press(auth="password")
    return talk.press(host="localhost", port=str(server.port), security="")


def test_from_an_empty_site_to_the_end(site, town, server, trusted):
    assert "Set up mail in a few questions" in page(site, "/@@mailbridge-controlpanel")
    talk = Conversation(site)
    assert (talk.step, talk.press(address=AGENT).step) == ("address", "provider")
    assert "The MX record of maville.test is mx.maville.test." in talk.text
    assert talk.press(provider="own").step == "way"
    assert talk.press(auth="password").step == "server"
    assert talk.press(host="localhost", port=str(server.port), security="").step == "login"
    assert stored_settings().smtp_host is None, "nothing is set before a log-in works"
    assert talk.press(login=LOGIN, password=PASSWORD).step == "sender"
    account = settings().default_account
    assert (account.host, account.port, account.security) == ("localhost", server.port, "starttls")
    assert (account.login_address, account.sender_policy) == (LOGIN, "login")
    assert secrets.read() == PASSWORD
    assert not secrets.read(TRIAL)

    assert talk.press(agent=AGENT).step == "mailboxes"
    assert settings().default_account.sender_policy == "auto"
    assert [each.mail_from for each in server.messages] == [AGENT]
    talk.press(mailin_address="in@bridge.test", mailboxes="info@maville.test\nurba@maville.test")
    assert talk.step == "forward"
    rows = list(settings().mailin_addresses.values())
    assert rows[0].address == "in@bridge.test"
    assert [(is_secret(row.address), row.source_mailbox) for row in rows[1:]] == [
        (True, "info@maville.test"),
        (True, "urba@maville.test"),
    ]
    assert rows[1].address in talk.text
    talk.press("check_now", "info@maville.test")
    assert "on its way" in talk.text
    assert talk.press().step == "watch"
    assert talk.press("leave_out").step == "test"
    assert talk.press("send", to="jeanne@citizen.test").step == "test"
    deliver()
    transaction.begin()
    talk.open("test")
    assert "The server accepted" in talk.text or "sent" in talk.text
    assert server.messages[-1].mail_from == AGENT
    assert talk.press().step == "end"
    verdicts = {title.split(" ", 2)[-1]: verdict for title, verdict in talk.verdicts.items()}
    assert len(verdicts) == 8
    assert "bad" not in verdicts.values()
    assert rows[1].address not in talk.text, "what is sent on shows no secret address"
    assert PASSWORD not in talk.text
    assert "First time here?" not in page(site, "/@@mailbridge-controlpanel")


def test_at_most_twelve_questions():
    assert len(SCREENS) == 12
    for provider in PROVIDERS:
        given = kept.Answers(
            provider=provider.name, asks_server=True, asks_authority=True, mailboxes=("info@maville.test",)
        )
        assert len(path(given)) <= 12
        assert len(path(replace(given, asks_server=False, asks_authority=False, mailboxes=()))) <= 9


def test_password_is_refused_and_then_typed_again(site, town, server, trusted):
    talk = at_login(site, server)
    talk.press(login=LOGIN, password="wrong " + PASSWORD)
    assert (talk.step, talk.failed) == ("login", "login")
    assert stored_settings().smtp_host is None
    assert not secrets.read(TRIAL), "a secret that does not work is kept nowhere"
    assert not secrets.read()
    assert "Log in with OAuth 2.0 instead" in talk.text, "the right next question"
    assert PASSWORD not in talk.text
    letter = talk.tree.cssselect("#setup-letter")[0].text
    assert "AUTH PLAIN ****" in letter
    assert talk.form()["login"] == LOGIN
    assert talk.press("use_oauth2", login=LOGIN).step == "login"
    assert {"token_url", "client_id", "client_secret"} <= set(talk.form())
    assert talk.press("use_password").press(password=PASSWORD).step == "sender"


def test_authority_of_the_town(site, town, server, certificates, tmp_path):
    talk = at_login(site, server)
    assert talk.step == "authority"
    assert "The certificate of localhost was issued by" in talk.text
    other = {"certificate": ("ca.pem", b"no certificate")}
    assert talk.press(files=other).errors == {"certificate": "No certificate can be read in it."}
    other = Certificates(tmp_path).ca_file.read_bytes()
    assert (talk.press(files={"certificate": ("ca.pem", other)}).step, talk.failed) == ("authority", "tls")
    content = certificates.ca_file.read_bytes()
    assert talk.press(files={"certificate": ("ca.pem", content)}).step == "login"
    assert talk.press(login=LOGIN, password=PASSWORD).step == "sender"
    text = stored_settings().smtp_ca_file
    assert text.startswith("-----BEGIN CERTIFICATE----- ")
    assert certificates_in(text) == certificates_in(content.decode())
    assert as_pem(certificates_in(text)[0]) == text, "as Windows exports it (DER)"
    assert talk.open("authority").press(pem=content.decode()).step == "login"


def test_authority_that_the_settings_know_is_chosen(site, town, server, certificates):
    row = {"name": "info", "role": "login", "address": "info@maville.test", "host": "imap.maville.test"}
    row |= {"login": "info", "ca_file": str(certificates.ca_file)}
    changed = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"imap_mailboxes": [row]})
    assert changed.status_code == 204, changed.text
    assert at_login(site, server).step == "login"
    assert kept.answers().ca_file == str(certificates.ca_file)


def test_each_provider_says_how_a_mailbox_forwards():
    assert set(STEPS) == {provider.name for provider in PROVIDERS}
    guides = {path.stem for path in (Path(__file__).parents[2] / "docs/guides/fr").glob("*.rst")}
    assert {guide for guide, _steps in STEPS.values()} <= guides


def test_password_of_the_environment_is_not_asked_for(site, town, server, trusted, monkeypatch):
    monkeypatch.setenv(secrets.ENVIRONMENT, PASSWORD)
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "localhost")
    talk = at_login(site, server)
    assert "password" not in talk.form()
    assert "comes from the iA.docs server" in talk.text
    assert talk.press(login=LOGIN).step == "sender"
    assert PASSWORD not in repr(dict(IAnnotations(site.portal)))


def test_limits_of_an_expert_stay(site, town, server, trusted):
    stored_settings().smtp_rate = 7
    transaction.commit()
    at_login(site, server).press(login=LOGIN, password=PASSWORD)
    assert settings().default_account.rate == 7


def test_begun_again(site, town, server, trusted):
    kept.keep(step="end", provider="own", address=AGENT)
    transaction.commit()
    talk = Conversation(site)
    assert talk.step == "end"
    assert "There is still something to do" in talk.text
    assert talk.press("restart").step == "address"
    assert talk.form()["address"] == ""


def test_server_that_dns_names_and_that_is_silent_is_asked_for(site, town):
    town.records[("_submission._tcp.maville.test", "SRV")] = ["0 1 9 mx.localhost."]
    talk = begun(site)
    assert kept.answers().smtp == ("mx.localhost", 9, "starttls")
    assert talk.press(auth="password").step == "server"
    assert talk.form()["host"] == "mx.localhost"
    assert talk.tree.cssselect("#setup-problem")


def test_another_provider_begins_anew(site, town, server, trusted):
    at_login(site, server)
    talk = Conversation(site).open("provider").press(provider="zimbra")
    assert talk.step == "server"
    assert talk.form()["host"] == talk.form()["port"] == ""


def test_closed_port_has_others_tried(site, town):
    talk = begun(site).press(auth="password").press(host="localhost", port="9", security="")
    assert (talk.step, talk.failed) == ("server", "connect")
    assert "port 9" in talk.text
    assert "Text to send to your provider" in talk.text
    assert ports(9, "")[:2] == [(9, "starttls"), (9, "tls")]
    assert ports(0, "")[0] == (587, "starttls")
    assert ports(465, "")[0] == (465, "tls")
    assert ports(25, "none") == [(25, "none")]


def test_left_and_taken_up_again_by_another_admin(site, town, server, trusted):
    at_login(site, server)
    talk = Conversation(site, "admin")
    assert (talk.step, talk.press("use_password").step) == ("login", "login")
    talk.open("provider")
    assert talk.form()["provider"] == "own"
    assert talk.open("end").step == "login", "no question is skipped"
    talk.open("address").press(address="x@other.test")
    assert talk.open("login").step == "provider", "another domain has what follows asked again"


@pytest.mark.parametrize(
    ("step", "entered", "field"),
    [
        ("address", {"address": "al.bert@maville.test\r\nBcc: x@evil.test"}, "address"),
        ("address", {"address": "al.bert"}, "address"),
        ("server", {"host": "127.0.0.1:22"}, "host"),
        ("server", {"host": "smtp.maville.test\r\nX"}, "host"),
        ("server", {"host": "smtp.maville.test", "port": "70000"}, "port"),
        ("server", {"host": "smtp.maville.test", "security": "nothing"}, "security"),
        ("login", {"login": f"{LOGIN}\r\nX", "password": "x"}, "login"),
        ("login", {"login": LOGIN, "password": "x\r\nMAIL FROM:<>"}, "password"),
        ("login", {"login": "bridge", "password": "x"}, "login_address"),
    ],
)
def test_hostile_answers(site, town, server, trusted, step, entered, field):
    talk = {
        "address": lambda: Conversation(site),
        "server": lambda: begun(site).press(auth="password"),
        "login": lambda: at_login(site, server),
    }[step]()
    talk.press(**entered)
    assert talk.step == step
    assert list(talk.errors) == [field]
    assert not server.messages
    assert stored_settings().smtp_host is None


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"mailin_address": "in@bridge.test", "mailboxes": "info@maville.test\nnot an address"}, "mailboxes"),
        ({"mailin_address": "in@bridge.test", "mailboxes": ""}, "mailboxes"),
        ({"mailin_address": "in@bridge.test", "mailboxes": "in@bridge.test"}, "mailboxes"),
        ({"mailin_address": "in\n@bridge.test", "mailboxes": "info@maville.test"}, "mailin_address"),
    ],
)
def test_hostile_mailboxes(site, town, entered, field):
    kept.keep(step="mailboxes", provider="own", address=AGENT)
    transaction.commit()
    assert list(Conversation(site).press(**entered).errors) == [field]
    assert not settings().source_mailboxes


def test_dns_that_does_not_answer(site, town):
    stored_settings().dns_resolver = "127.0.0.1:9"
    transaction.commit()
    talk = Conversation(site).press(address=AGENT)
    assert talk.step == "provider"
    assert "No DNS server answers" in talk.text


def test_microsoft_and_its_dates(site, town):
    town.records[("maville.test", "MX")] = ["10 maville-test.mail.protection.outlook.com."]
    talk = Conversation(site).press(address=AGENT)
    assert talk.form()["provider"] == "microsoft365"
    kept.keep(step="login", provider="microsoft365", auth="oauth2", host="smtp.office365.com", port=587)
    transaction.commit()
    talk.open("way")
    for words in ("end of December 2026", "second half of 2027"):
        assert words in talk.text
    talk.open("login")
    assert {"tenant", "client_id", "client_secret"} <= set(talk.form())
    for tenant in ("TENANT", "../../evil", "a b", ""):
        talk.press(login=LOGIN, tenant=tenant, client_id="1", client_secret="s3cret")
        assert "tenant" in talk.errors, tenant


def test_no_rights(site, town):
    for user in (None, "agent", "chef"):
        for answer in (
            site.get(PAGE, user, headers=HTML),
            site.post(PAGE, user, data={"step": "address", "address": AGENT, "go_on": "1"}, headers=HTML),
        ):
            assert answer.status_code in (302, 401, 403)
            assert "mailbridge-setup" not in answer.headers.get("Location", "").partition("?")[0]
    assert kept.answers().address == ""


def test_nothing_secret_is_in_page_or_annotation(site, town, server, trusted):
    talk = at_login(site, server).press(login=LOGIN, password=PASSWORD)
    for step in talk_through(talk):
        assert PASSWORD not in talk.text, step
    assert PASSWORD not in repr(dict(IAnnotations(site.portal)[kept.KEY]))
    answer = site.get("/@controlpanels/mailbridge", "admin")
    assert PASSWORD not in answer.text


def talk_through(talk):
    for step in ("address", "provider", "way", "server", "login", "sender"):
        yield talk.open(step).step


def test_sender_that_must_fail_is_not_set(site, town, server, trusted):
    """The server lets the login send as an agent, whose domain asks receivers to refuse what neither SPF nor DKIM stands for."""
    town.records |= {
        ("maville.test", "TXT"): ["v=spf1 a:mx.maville.test -all"],
        ("_dmarc.autre.test", "TXT"): ["v=DMARC1; p=reject"],
        ("autre.test", "MX"): ["10 mx.maville.test."],
    }
    talk = at_login(site, server).press(login=LOGIN, password=PASSWORD)
    keep_returned("localhost", Shown(author="autre.test", server="mx.citizen.test"), "citizen.test")
    transaction.commit()
    assert talk.press(agent="x@autre.test").step == "mailboxes"
    assert settings().default_account.sender_policy == "login"
    assert "asks receivers to refuse such mail" in repr(kept.answers().found["sender"])
    talk.press("leave_out").press("leave_out").press("leave_out")
    assert talk.step == "end"
    assert "maville.test TXT v=DMARC1; p=none" in talk.text, "to be entered in DNS"


def test_what_works_stays_until_another_works(site, caught, server, trusted):
    before = settings().default_account
    with Resolver({("maville.test", "MX"): ["10 mx.maville.test."]}) as dns:
        stored_settings().dns_resolver = dns.address
        transaction.commit()
        at_login(site, server).press(login=LOGIN, password="wrong")
        assert settings().default_account == before
