"""An agent reads a mail, what we answered, and files it, on a screen and on a phone; screenshots in screenshots/."""

from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.letter import FILES
from tests.letter import letter
from tests.servers.listener import Listener
from tests.servers.waiting import wait_for
import pytest


TEXT = (
    "<p>Bonjour,</p><p>Veuillez trouver le plan et des photos de l'arbre tombé.</p>"
    "<img src='{0}/pixel.gif'><script>alert(1)</script>"
)


@pytest.fixture
def tracker():
    """An address that counts who connects."""
    with Listener() as listener:
        yield listener


@pytest.mark.browser
def test_reading_and_filing(person, iadocs, catcher, tracker):
    iadocs.set(smtp_host="127.0.0.1", smtp_port=catcher.port, login_address="administration@maville.test")
    hostile = ("page.html", "text/html", b"<script>alert(2)</script>")
    raw = letter(*FILES, hostile, **{"Message-ID": "<story@citizen.test>"})
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n\nBonjour\n", b"\n\nBonjour, voici le plan.\n")
    item = iadocs.mail_in(raw).json()["items"][0]["@id"]
    data = {"to": ["pro@citizen.test"], "subject": "Un accusé", "body": TEXT.format(tracker.url)}
    path = item.removeprefix(iadocs.url)
    assert iadocs.post(f"{path}/@send-email", "agent", json=data).status_code == 202
    wait_for(lambda: len(catcher.messages) == 1)
    agent = person("agent")
    page = agent.page
    for width, height in ((1366, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        agent.open(f"{path}/view")
        frame = page.locator("iframe.mailbridge-frame").first
        expect(frame.content_frame.locator("body")).to_contain_text("Bonjour, voici le plan.")
        agent.screenshot(f"desk-document-{width}")
        image = page.locator(".mailbridge-file:has-text('photo.png')")
        image.locator("summary").click()
        expect(image.locator("img")).to_be_visible()
        false = page.locator(".mailbridge-file:has-text('faux.pdf')")
        false.locator("summary").click()
        expect(false.locator("iframe").content_frame.locator("script")).to_have_count(0)
        assert page.locator(".mailbridge-file:has-text('logo.svg') summary").count() == 0
        assert page.locator(".mailbridge-file:has-text('page.html') summary").count() == 0
        line = page.locator("#mailbridge-messages > details:has-text('Un accusé')")
        line.locator("summary").first.click()
        expect(line.locator(".mailbridge-recipients")).to_contain_text("pro@citizen.test")
        sent = line.locator("iframe.mailbridge-frame").content_frame
        expect(sent.locator("body")).to_contain_text("Veuillez trouver le plan")
        assert sent.locator("script").count() == 0
        page.locator(".mailbridge-panel summary").click()
        expect(page.locator(".mailbridge-panel")).to_contain_text("E-mail")
        agent.screenshot(f"desk-document-open-{width}")
        assert serious(page, ".mailbridge-document") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.select_option("#mailbridge-treating_groups", label="Urbanisme")
    page.select_option("#mailbridge-assigned_user", label="Claire Fontaine")
    page.click(".mailbridge-panel button[name=assign]")
    expect(page.locator("#mailbridge-assigned_user option:checked")).to_have_text("Claire Fontaine")
    before = page.locator(".mailbridge-panel form strong").inner_text()
    page.click(".mailbridge-panel button[name=change]")
    expect(page.locator(".mailbridge-panel form strong")).not_to_have_text(before)
    agent.open("/@@my-emails")
    page.click("a:has-text('Un accusé')")
    expect(page.locator("#mailbridge-sent-text")).to_contain_text("pro@citizen.test")
    agent.screenshot("desk-sent-message-390")
    assert serious(page, "#content") == []
    assert tracker.connections == 0
    assert not agent.errors
