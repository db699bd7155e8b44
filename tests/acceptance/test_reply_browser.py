"""An agent opens a mail, answers it above its text in one click, and sees the answer in the conversation; screenshots."""

from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.servers.waiting import wait_for
import pytest


@pytest.mark.browser
def test_answering(person, iadocs, catcher):
    iadocs.set(smtp_host="127.0.0.1", smtp_port=catcher.port, login_address="administration@maville.test")
    iadocs.set(signature="<p>Commune de Maville</p>")
    agent = person("agent")
    page = agent.page
    for number, (width, height) in enumerate(((390, 844),), 1):
        page.set_viewport_size({"width": width, "height": height})
        agent.open("/incoming-mail/demande-de-permis/view")
        agent.screenshot(f"reply-document-{width}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click(".mailbridge-reply button[value=reply]")
        page.wait_for_url("**/@@send-email")
        editor = page.locator("iframe.tox-edit-area__iframe").content_frame
        expect(editor.locator("body")).to_contain_text("transformer ma maison")
        page.wait_for_function("window.tinymce?.activeEditor?.hasFocus()")
        page.keyboard.type(f"Voici la liste {number}.")
        agent.screenshot(f"reply-compose-{width}")
        text = editor.locator("body").inner_text()
        assert (
            text.index("Voici la liste")
            < text.index("Commune de Maville")
            < text.index("transformer ma maison")
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#form-buttons-send")
        page.wait_for_url("**/view")
        wait_for(lambda number=number: len(catcher.messages) == number)
        agent.open("/incoming-mail/demande-de-permis/view")
        expect(page.locator("#mailbridge-messages > details:has-text('Re: Demande')")).to_have_count(number)
        agent.screenshot(f"reply-sent-{width}")
        assert serious(page, ".mailbridge-document") == []
    assert b"In-Reply-To: <20261116081200.demande@citizen.test>" in catcher.messages[0].content
    assert not agent.errors
