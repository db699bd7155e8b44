"""An agent drops three Outlook messages at once on the list of incoming mail, and chooses others."""

from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.message.compound_file import msg
import pytest


SIZES = {"wide": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
DROP = """([selector, files]) => {
    const data = new DataTransfer();
    for (const [name, octets] of files) data.items.add(new File([Uint8Array.from(octets)], name));
    const place = document.querySelector(selector);
    for (const type of ["dragover", "drop"]) {
        place.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
}"""


def outlook(subject):
    return msg(
        {
            0x0037: subject,
            0x1000: "Bonjour,\r\nvoici ma demande.\r\n",
            0x0C1A: "Jeanne Dupont",
            0x5D01: "jeanne.dupont@citizen.test",
            0x1035: f"<{subject.encode().hex()}@citizen.test>",
        },
        [("plan.pdf", "application/pdf", b"%PDF-1.4")],
    )


def test_three_at_once(person, tmp_path):
    agent = person("agent")
    page = agent.page
    files = [(f"Demande {number}.msg", outlook(f"Demande de prime {number}")) for number in (1, 2, 3)]
    agent.open("/incoming-mail")
    results = page.locator("[data-handed-in]")
    page.evaluate(DROP, ["#mailbridge-drop-area form", [[name, list(octets)] for name, octets in files]])
    expect(results).to_have_count(3)
    expect(page.locator("[data-handed-in=success] a")).to_have_text(
        [f"Demande de prime {number}" for number in (1, 2, 3)]
    )
    expect(page.locator("#content-core").get_by_role("link", name="Demande de prime 2")).to_be_visible()
    expect(page.locator("#content-core")).to_have_count(1)
    paths = [tmp_path / "faux.msg", tmp_path / "Demande 2.msg", tmp_path / "Demande 4.msg"]
    for path, octets in zip(paths, (b"<html>", files[1][1], outlook("Demande de prime 4")), strict=True):
        path.write_bytes(octets)
    page.focus("#mailbridge-drop-files")
    page.set_input_files("#mailbridge-drop-files", paths)
    expect(results).to_have_count(6)
    kinds = results.evaluate_all("all => all.map(one => one.dataset.handedIn)")
    assert kinds == ["success"] * 3 + ["danger", "info", "success"], "in the order in which they came"
    expect(page.locator("#mailbridge-drop-files")).to_be_focused()
    expect(page.locator("#mailbridge-drop-area [aria-live=polite] li")).to_have_count(6)
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert serious(page, "#mailbridge-drop-area") == []
        agent.screenshot(f"hand-in-{name}")
    results.first.locator("a").click()
    expect(page.locator("h1")).to_have_text("Demande de prime 1")
    page.goto(f"{page.url.removesuffix('/view')}/@@mailbridge-proof")
    expect(page.locator("#content")).to_contain_text("Al Bert <al.bert@maville.test>")
    agent.screenshot("hand-in-proof")
    assert not agent.errors


def test_a_session_that_ended_is_told_and_nothing_is_lost(person):
    agent = person("agent")
    agent.open("/incoming-mail/@@mailbridge-hand-in")
    agent.page.context.clear_cookies()
    agent.page.set_input_files(
        "#mailbridge-drop-files",
        [{"name": "a.msg", "mimeType": "application/vnd.ms-outlook", "buffer": outlook("Perdu ?")}],
    )
    expect(agent.page.locator("#mailbridge-drop-area li")).to_contain_text("session")
    expect(agent.page.locator("#mailbridge-drop-area progress")).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_without_javascript_the_form_does_the_same(browser, iadocs, logins, person, size):
    person("agent")
    context = browser.new_context(
        locale="fr-BE", java_script_enabled=False, storage_state=logins["agent"], viewport=SIZES[size]
    )
    page = context.new_page()
    page.goto(f"{iadocs.url}/incoming-mail/@@mailbridge-hand-in")
    page.set_input_files(
        "#mailbridge-drop-files",
        [
            {"name": f"{subject}.msg", "mimeType": "text/plain", "buffer": outlook(f"{subject} {size}")}
            for subject in ("Un", "Deux")
        ],
    )
    page.click("#mailbridge-drop-area button")
    expect(page.locator("[data-handed-in=success]")).to_have_count(2)
    page.screenshot(path=f"screenshots/hand-in-plain-{size}.png", full_page=True)
    context.close()
