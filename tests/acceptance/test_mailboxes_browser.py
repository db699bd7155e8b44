"""An admin lets the bridge watch the login mailbox: a citizen's answer is filed and copied, a report is noted, nobody looks in."""

from email import message_from_bytes
from email import policy
from playwright.sync_api import expect
from tests.mails import citizen
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.waiting import wait_for
import pytest


LOGIN = "administration@maville.test"


@pytest.fixture
def dovecot(certificates):
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as server:
        yield server


@pytest.fixture
def clean(iadocs):
    yield
    iadocs.set(imap_mailboxes=[])


def crlf(message):
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_login_mailbox(person, iadocs, catcher, dovecot, clean):
    iadocs.set(smtp_host="127.0.0.1", smtp_port=catcher.port, smtp_security="none", login_address=LOGIN)
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    sent = iadocs.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
    assert sent.status_code == 202, sent.text
    wait_for(lambda: catcher.messages)

    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-mailboxes")
    admin.screenshot("mailboxes-none")
    page.click("a[href$='@@mailbridge-mailbox-add']")
    expect(page.locator("[name='form.widgets.role:list']")).to_be_visible()
    expect(page.locator("[name='form.widgets.new_mail:list']")).to_be_hidden()
    page.select_option("[name='form.widgets.role:list']", "login")
    expect(page.locator("[name='form.widgets.new_mail:list']")).to_be_visible()
    expect(page.locator("[name='form.widgets.oauth_token_url']")).to_be_hidden()
    page.fill("[name='form.widgets.name']", "administration")
    page.fill("[name='form.widgets.address']", LOGIN)
    page.fill("[name='form.widgets.host']", "imap.maville.be")
    page.fill("[name='form.widgets.login']", LOGIN)
    admin.screenshot("mailbox-add")
    page.fill("[name='form.widgets.host']", "localhost")
    page.fill("[name='form.widgets.port']", str(dovecot.port))
    page.locator("#fieldset-server summary").click()
    page.fill("[name='form.widgets.ca_file']", str(dovecot.certificates.ca_file))
    page.fill("[name='form.widgets.login']", dovecot.LOGIN)
    page.fill("[name='form.widgets.password']", "wrong")
    page.click("[name='form.buttons.save']")
    page.click("tr[data-mailbox=administration] button[name=try]")
    page.wait_for_selector(".statusmessage-error, .alert-danger")
    admin.screenshot("mailboxes-wrong-password")
    page.click("tr[data-mailbox=administration] a[href*='mailbox-edit']")
    page.fill("[name='form.widgets.password']", dovecot.PASSWORD)
    page.click("[name='form.buttons.save']")
    page.click("tr[data-mailbox=administration] button[name=try]")
    page.wait_for_selector(".statusmessage-info, .alert-info")

    answer = {"To": LOGIN, "In-Reply-To": sent.json()["message_id"]}
    dovecot.append(crlf(citizen("Re: Votre permis", **answer)))
    dovecot.append(crlf(citizen("Absence", **answer, **{"Auto-Submitted": "auto-replied"})))
    dovecot.append(crlf(citizen("Une question", To=LOGIN)))

    def filed():
        items = iadocs.get("/@mail-in?b_size=100", "chef").json()["items"]
        return len([item for item in items if item["envelope_recipient"] == LOGIN]) == 3

    def status():
        return str(iadocs.get("/@mailbridge-status", "chef").json())

    iadocs.sweep()
    wait_for(filed, what=status)
    wait_for(lambda: len(catcher.messages) == 2, what=status)
    copy = message_from_bytes(catcher.messages[1].content, policy=policy.default)
    assert catcher.messages[1].rcpt_tos == ["al.bert@maville.test"]
    assert str(copy["reply-to"]) == "Jeanne Dupont <jeanne.dupont@citizen.test>"

    def watched():
        admin.open("/@@mailbridge-mailboxes")
        return "Inutile de consulter cette boîte" in page.inner_text("tr[data-mailbox=administration]")

    wait_for(watched)
    text = page.inner_text("tr[data-mailbox=administration]")
    for line in (
        "Réponses classées auprès de leur document : 1",
        "Rapports notés sur leur e-mail : 1",
        "décision : 1",
    ):
        assert line in text.replace("\u00a0", " ")
    admin.screenshot("mailboxes-watched")
    agent = person("agent")
    agent.open("/outgoing-mail/permis-durbanisme")
    agent.screenshot("timeline-answered-by-imap")
    page.click("tr[data-mailbox=administration] a[href*='mailbox-delete']")
    admin.screenshot("mailbox-delete")
    assert not admin.errors
