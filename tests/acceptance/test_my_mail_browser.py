"""My mail: what opens at log-in, one click from what waits, at both sizes."""

from playwright.sync_api import expect
from tests.acceptance.conftest import Person
from tests.mails import redirected
import pytest


@pytest.fixture
def newest(iadocs):
    """The subject of the newest mail, for agent2's service."""
    subject = "Lanterne en panne"
    iadocs.post(
        "/@@mail-in",
        "gateway",
        data=redirected(Subject=subject),
        headers={
            "Content-Type": "message/rfc822",
            "X-Envelope-Recipient": "in@bridge.test",
            "X-Client-Address": "127.0.0.1",
        },
    )
    return subject


def test_log_in_and_one_click(iadocs, browser, newest):
    for width, height in ((1366, 768), (390, 844)):
        context = browser.new_context(locale="fr-BE", viewport={"width": width, "height": height})
        chef = Person(iadocs, context, "chef")
        chef.login()
        expect(chef.page).to_have_url(f"{iadocs.url}/@@my-mail")
        chef.page.locator("#mailbridge-figures").scroll_into_view_if_needed()
        expect(chef.page.locator("#mailbridge-figures table")).not_to_have_count(0)
        if width > 1000:
            expect(
                chef.page.locator("#portal-globalnav").get_by_role("link", name="Mon courrier")
            ).to_be_visible()
        assert chef.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        chef.screenshot(f"my-mail-{width}")
        assert chef.errors == []
        context.close()


def test_counts_stay_current(iadocs, person):
    agent2 = person("agent2")
    agent2.page.add_init_script(
        "const real = setInterval; window.setInterval = (call, ms) => real(call, Math.min(ms, 300));"
    )
    agent2.open("/@@my-mail")
    badge = agent2.page.locator("[data-count=sent]")
    expect(agent2.page.locator("#mailbridge-news a")).to_be_hidden()
    before = int(badge.inner_text())
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Nouveau", "body": "<p>Bonjour</p>"}
    assert iadocs.post("/incoming-mail/demande-de-permis/@send-email", "agent2", json=data).status_code == 202
    expect(badge).to_have_text(str(before + 1))
    expect(agent2.page.locator("#mailbridge-news a")).to_be_visible()
    agent2.page.locator("#mailbridge-news a").click()
    agent2.page.get_by_role("link", name="Nouveau").click()
    expect(agent2.page.locator("h1")).to_contain_text("Nouveau")
