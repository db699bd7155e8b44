"""A day at the desk, its clicks counted: from log-in to the newest mail, its answer, what became of it, the next decision."""

from email import message_from_bytes
from email import policy
from playwright.sync_api import expect
from tests.acceptance.conftest import Person
from tests.acceptance.conftest import token
from tests.mails import redirected
from tests.servers.waiting import wait_for
import pytest


def urbanism(iadocs):
    """Return the service of agent2."""
    return iadocs.get("/incoming-mail/demande-de-permis", "admin").json()["treating_groups"]["token"]


def write_template(iadocs, name, text):
    """Keep a template of nobody's service, as a manager of mail does."""
    path, html = "/@@mailbridge-template-edit", {"Accept": "text/html"}
    data = {"form.widgets.kind:list": "template", "form.widgets.name": name, "form.widgets.body": text}
    data |= {"form.widgets.service:list": "--NOVALUE--", "form.widgets.subject": "", "form.buttons.save": "1"}
    data["_authenticator"] = token(iadocs.get(path, "chef", headers=html).text)
    assert iadocs.post(path, "chef", data=data, headers=html).status_code == 302


class Clicks:
    """Counts the clicks of somebody since they opened their mail."""

    def __init__(self, person):
        self.page, self.count = person.page, 0

    def on(self, locator):
        self.count += 1
        locator.click()


@pytest.fixture
def desk(iadocs, browser):
    """``desk("agent")`` logs in on a screen of an office; the page that opens is My mail."""
    contexts = []

    def desk(name):
        contexts.append(browser.new_context(locale="fr-BE", viewport={"width": 1366, "height": 768}))
        someone = Person(iadocs, contexts[-1], name)
        someone.login()
        someone.page.set_default_timeout(20000)
        expect(someone.page).to_have_url(f"{iadocs.url}/@@my-mail")
        return someone

    yield desk
    for context in contexts:
        context.close()


def test_from_the_newest_mail_to_its_answer_found_again(iadocs, desk, catcher):
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        login_address="administration@maville.test",
        undo_seconds=0,
    )
    iadocs.set(mailin_addresses=[{"address": "in@bridge.test", "service": urbanism(iadocs), "mailbox": None}])
    write_template(iadocs, "Visite", "<p>Chère {recipient.name},</p>")
    subject = "Nid-de-poule rue du Pont"
    assert iadocs.mail_in(redirected(subject)).status_code == 201
    agent = desk("agent2")
    page, clicks = agent.page, Clicks(agent)
    agent.open("/@@my-mail")

    clicks.on(page.get_by_role("link", name=subject))
    expect(page.locator("h1")).to_contain_text(subject)
    expect(page.locator("iframe.mailbridge-frame").content_frame.locator("body")).to_contain_text("Bonjour")
    assert clicks.count == 1, "to the newest mail"

    clicks.on(page.get_by_role("button", name="Répondre", exact=True))
    page.wait_for_url("**/@@send-email")
    page.wait_for_function("window.tinymce?.activeEditor?.hasFocus()")
    assert clicks.count == 2, "to its answer"
    page.keyboard.type("Un ouvrier passera lundi avec une échelle télescopique.")
    page.select_option("#mailbridge-template", label="Visite")
    page.get_by_role("button", name="Insérer", exact=True).click()
    editor = page.locator("iframe.tox-edit-area__iframe").content_frame
    expect(editor.locator("body")).to_contain_text("Chère Jeanne Dupont,")
    agent.screenshot("day-answer")
    page.click("#form-buttons-send")
    page.wait_for_url("**/view")
    page.wait_for_selector("#mailbridge-messages > details[data-state='sent']")
    wait_for(lambda: len(catcher.messages) == 1)
    sent = message_from_bytes(catcher.messages[0].content, policy=policy.default)
    html = sent.get_body(("html",)).get_content()
    assert "Chère Jeanne Dupont," in html
    assert '<blockquote type="cite"' in html

    agent.open("/@@my-mail")
    clicks = Clicks(agent)
    clicks.on(page.locator("section[aria-labelledby=sent] li a").first)
    expect(page.locator(".mailbridge-recipients")).to_contain_text("envoyé")
    assert clicks.count == 1, "to what became of the last e-mail"

    page.fill("#searchGadget", "télescopique")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results")).to_contain_text(f"Re: {subject}")
    agent.screenshot("day-found")
    assert not agent.errors


def test_the_next_decision_is_one_click_away(iadocs, desk):
    iadocs.mail_in(redirected("À décider aujourd’hui"), **{"X-Client-Address": "203.0.113.9"})
    chef = desk("chef")
    chef.open("/@@my-mail")
    clicks = Clicks(chef)
    clicks.on(chef.page.locator("section[aria-labelledby=decide] li a").first)
    expect(chef.page.get_by_role("button", name="Classer comme proposé").first).to_be_visible()
    assert clicks.count == 1
    assert not chef.errors
