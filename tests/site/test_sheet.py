"""The set-up sheet says what the settings say, what is missing and who must do it, and holds no secret."""

from imio.mailbridge.inbound.forwarding.store import forwarding
from imio.mailbridge.message.rendition import pdf
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings import tokens
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.rows import EMPTY_ROW
from zope.schema import getFields
import lxml.html
import pytest
import re
import transaction
import zlib


URL = "/@@mailbridge-sheet"
SECRET = "in+abcdefgh23jkmnpqrstuv@bridge.test"
SIGNATURE = '<p><b tal:content="sender/name">x</b><br />Commune de Maville</p>'


@pytest.fixture
def town(site):
    """A town that is set up; return the token of its mail host."""
    values = stored_settings()
    values.smtp_host, values.smtp_port, values.smtp_security = "smtp.maville.test", 587, "starttls"
    values.smtp_login = "administration@maville.test"
    values.sender_policy = "auto"
    values.mailin_addresses = [
        *values.mailin_addresses,
        {"address": SECRET, "service": None, "mailbox": "info@maville.test"},
    ]
    values.alarm_address = "it@maville.test"
    values.signature = SIGNATURE
    values.iemail_state_set = [
        {name: EMPTY_ROW[name] for name in EMPTY_ROW if name != "tal_condition_2"}
        | {"forward": "agent", "state_value": "proposed_to_agent"}
    ]
    fields = {name: field.default for name, field in getFields(IImapMailboxRow).items()}
    given = {"name": "admin", "role": "login", "address": "administration@maville.test"}
    values.imap_mailboxes = [{**fields, **given, "host": "imap.maville.test", "login": "administration"}]
    secrets.write("Pa55-w0rd")
    secrets.write("Im4p-w0rd", "imap:admin")
    send_as.learn("default", "maville.test", allowed=True)
    send_as.learn("default", "cpas.test", allowed=False)
    forwarding("info@maville.test").add(
        {
            "at": now(),
            "outcome": "redirect",
            "fingerprint": {"form": "unchanged", "marks": (), "proof": "tag", "arrived": "in+…@bridge.test"},
            "seconds": 3,
            "text": "",
            "record": "",
            "differs": False,
        }
    )
    token = tokens.make("mail.maville.test")
    transaction.commit()
    return token


def entries(text):
    """Return label → text of the value, and the rows of the tables as texts."""
    (sheet,) = lxml.html.fromstring(text).find_class("mailbridge-sheet")
    read = lambda element: " ".join(element.text_content().split())  # noqa: E731
    named = {read(each.find("dt")): read(each.find("dd")) for each in sheet.iterfind(".//dl/div")}
    return named, [[read(cell) for cell in row] for row in sheet.iterfind(".//tbody/tr")]


def test_what_the_settings_say(site, town):
    text = page(site, URL)
    named, rows = entries(text)
    assert named["SMTP server"] == "smtp.maville.test"
    assert named["Port"] == "587"
    assert named["Encryption"].startswith("STARTTLS")
    assert named["Login"] == "administration@maville.test Password: kept, never shown"
    assert "The server allowed it for: maville.test" in named["May it send as the agents?"]
    assert "The server refused it for: cpas.test" in named["May it send as the agents?"]
    assert named["Error reports go to"] == "The address shown in From"
    assert named["Trusted mail servers"] == "127.0.0.0/8"
    assert named["Mail hosts that hand mail over"].startswith("mail.maville.test (token made on ")
    assert "If an agent forwarded the e-mail, then the document gets the state" in named["State on arrival"]
    assert "iA.docs <administration@maville.test>" in text
    assert named["Alarms go to"] == "it@maville.test"
    assert named["Signature"] == "Al Bert Commune de Maville Al Bert is an example."
    assert named["Largest incoming mail"] == "40 MB"
    hidden = "in+…@bridge.test (secret part hidden)"
    assert [hidden, "–", "info@maville.test"] in rows
    (mailbox,) = (row for row in rows if row[0] == "info@maville.test")
    assert mailbox[1:4] == ["–", hidden, "unchanged, secret address"]
    assert "Nothing is missing." in text
    assert "to be filled in" not in text


def test_no_secret_is_on_it(site, town):
    for path in (URL, f"{URL}?secret=1"):
        text = page(site, path)
        for secret in ("Pa55-w0rd", "Im4p-w0rd", town):
            assert secret not in text
    assert SECRET.partition("@")[0] not in page(site, URL)


def test_secret_addresses_are_asked_for_and_said(site, town):
    text = page(site, f"{URL}?secret=1")
    assert SECRET in text
    assert "Confidential: this sheet contains secret addresses." in text
    assert "Confidential" not in page(site, URL)


def test_what_is_empty_is_to_be_filled_in(site):
    values = stored_settings()
    for name in ("smtp_host", "smtp_login", "login_address"):
        setattr(values, name, None)
    values.mailin_addresses = values.mailboxes = values.agent_patterns = values.trusted_gateways = []
    transaction.commit()
    text = page(site, URL)
    named, rows = entries(text)
    for label in ("SMTP server", "Port", "Encryption", "Login", "Trusted mail servers", "Signature"):
        assert named[label] == "to be filled in"
    missing = {row[0]: row[1] for row in rows[:7]}
    assert (
        missing["Name the SMTP server, its port, the encryption and the login."] == "IT service of the town"
    )
    assert missing["Write the signature below e-mails."] == "administrator of iA.docs"
    assert any(task.startswith("Nothing brings mail in yet") for task in missing)


def test_a_mailbox_that_was_never_checked_is_missing(site):
    _named, rows = entries(page(site, URL))
    task = "Have these mailboxes pass their mail on unchanged, then check the forwarding: info@maville.test"
    assert [task, "IT service of the town", "Forwarding"] in rows


def test_pdf_has_two_pages_at_most(site, town):
    answer = site.get(f"{URL}?format=pdf", "admin")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", answer.content, re.DOTALL)
    objects = b"".join(zlib.decompress(each) for each in streams if each.startswith(b"x"))
    assert 1 <= len(re.findall(rb"/Type ?/Page\b", objects)) <= 2
    assert re.search(rb"/MediaBox ?\[0 0 595\.\d+ 841\.\d+\]", objects)


@pytest.mark.parametrize("shown", [False, True])
def test_pdf_is_made_of_the_sheet_and_fetches_nothing(site, town, monkeypatch, shown):
    made = []

    def render(source, target, _seconds):
        source.seek(0)
        made.append(source.read().decode())
        target.write(b"%PDF-")

    monkeypatch.setattr(pdf, "render", render)
    assert site.get(f"{URL}?format=pdf{'&secret=1' if shown else ''}", "admin").content == b"%PDF-"
    (document,) = made
    assert "smtp.maville.test" in document
    assert (SECRET in document) is shown
    assert ("secret part hidden" in document) is not shown
    assert not re.search(r"<(link|script|img)\b", document)


def test_without_weasyprint_it_is_said(site, monkeypatch):
    monkeypatch.setattr(pdf, "is_available", lambda: False)
    text = page(site, f"{URL}?format=pdf")
    assert "This server makes no PDF" in text
    assert "Open as PDF" not in text


def test_a_pdf_that_cannot_be_made_is_said(site, monkeypatch):
    def fail(*_given):
        raise pdf.confined.Unfinished("no time")

    monkeypatch.setattr(pdf, "render", fail)
    answer = site.get(f"{URL}?format=pdf", "admin", headers=HTML)
    assert answer.headers["Location"].endswith(URL)


@pytest.mark.parametrize("user", ["agent", "chef", None])
def test_only_admins(site, user):
    assert site.get(URL, user, headers=HTML).status_code in (302, 401, 403)
