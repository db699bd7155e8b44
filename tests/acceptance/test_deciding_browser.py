"""A manager decides on 25 messages by keyboard, at both sizes of screen."""

from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.mails import redirected
from tests.servers.waiting import wait_for


STRANGER = {"X-Client-Address": "203.0.113.9"}
LIST = "/@@mailbridge-inbox?text=Au+clavier"


def waiting(iadocs, ids):
    found = {id: iadocs.get(f"/@mail-in/{id}", "chef").json()["state"] for id in ids}
    return [id for id, state in found.items() if state == "quarantined"]


def test_25_messages_by_keyboard(person, iadocs):
    oldest, *ids = [iadocs.mail_in(redirected(f"Au clavier {n}"), **STRANGER).json()["id"] for n in range(26)]
    chef = person("chef")
    page = chef.page
    page.set_viewport_size({"width": 1366, "height": 768})
    chef.open(LIST)
    lines = page.locator("tr[data-id]")
    expect(lines).to_have_count(25)
    shown = page.locator(".mailbridge-pane .mailbridge-message")
    lines.last.locator("a").click()
    expect(shown).to_have_attribute("data-id", ids[0])
    page.keyboard.press("j")
    expect(shown).to_have_attribute("data-id", oldest)
    page.wait_for_selector("body.patterns-loaded")
    page.keyboard.press("o")
    page.wait_for_url(f"**/@@mailbridge-inbox-message?id={oldest}**")
    page.wait_for_selector("body.patterns-loaded")
    page.keyboard.press("a")
    wait_for(lambda: waiting(iadocs, [oldest]) == [])
    chef.open(LIST)
    seen = "all => all.filter(one => one.getBoundingClientRect().bottom <= innerHeight).length"
    assert lines.evaluate_all(seen) >= 12
    for selector in ("[data-mailbridge-key=a]", ".mailbridge-discard summary"):
        assert page.locator(selector).evaluate("one => one.getBoundingClientRect().bottom <= innerHeight")
    chef.screenshot("deciding-list")
    assert serious(page, "#content") == []

    page.keyboard.press("?")
    expect(page.locator("dialog.mailbridge-keys")).to_be_visible()
    assert serious(page, "dialog.mailbridge-keys") == []
    page.keyboard.press("Escape")
    page.locator("#inbox-text").press_sequentially("ae")
    assert len(waiting(iadocs, ids)) == 25, "letters in a field are letters"
    chef.open(LIST)

    page.keyboard.press("j")
    expect(shown).to_have_attribute("data-id", ids[23])
    assert f"id={ids[23]}" in page.url
    page.keyboard.press("k")
    expect(shown).to_have_attribute("data-id", ids[24])
    for number in range(24, 0, -1):
        expect(shown).to_have_attribute("data-id", ids[number])
        if number % 2:
            page.keyboard.press("a")
        else:
            page.keyboard.press("e")
            page.keyboard.press("Enter")
        page.wait_for_url(f"**done={ids[number]}")
        page.wait_for_selector("body.patterns-loaded")
    chef.screenshot("deciding-done")
    expect(shown).to_have_attribute("data-id", ids[0])
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**done={ids[0]}")
    wait_for(lambda: waiting(iadocs, ids) == [])
    page.click(".mailbridge-done button[name=restore]")
    expect(shown).to_have_attribute("data-id", ids[0])
    assert waiting(iadocs, ids) == [ids[0]]

    page.set_viewport_size({"width": 390, "height": 844})
    chef.open(LIST)
    expect(page.locator("#mailbridge-pane")).to_be_hidden()
    page.click("tr[data-id] a")
    expect(shown).to_be_visible()
    expect(lines.first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page, "#content") == []
    chef.screenshot("deciding-phone")
    page.click(".mailbridge-back a")
    expect(lines.first).to_be_visible()
    assert not chef.errors
