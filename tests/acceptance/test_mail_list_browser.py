"""An agent works in the list of incoming mail, on a screen and on a telephone; screenshots in screenshots/."""

from tests.acceptance.axe import serious
from tests.mails import redirected
import pytest


LIST = ".mailbridge-list"


@pytest.fixture
def mails(iadocs):
    for subject, author in (
        ("Réclamation taxe déchets", "Yvan Yernaux <yvan@citizen.test>"),
        ("Haie mitoyenne, rue de la Gare 14 : elle dépasse de deux mètres", "Zoé Zénon <zoe@citizen.test>"),
    ):
        assert iadocs.mail_in(redirected(subject, **{"From": author})).status_code in (200, 201)


def row(page, subject):
    return page.locator(f"{LIST} tbody tr").filter(has_text=subject)


def test_a_morning_in_the_list(person, mails):
    agent = person("agent")
    page = agent.page
    page.set_viewport_size({"width": 1366, "height": 768})
    agent.open("/incoming-mail")
    assert row(page, "Réclamation").locator(".badge").count() == 1, "not opened yet"
    agent.screenshot("list-1366")
    assert serious(page, "#content") == []
    with page.expect_response(lambda response: response.url.endswith("@@mailbridge-opened")) as opened:
        page.click(f"{LIST} a:has-text('Réclamation')")
    assert opened.value.status == 204
    agent.open("/incoming-mail")
    assert row(page, "Réclamation").locator(".badge").count() == 0
    page.fill("#mailbridge-list-q", "zenon")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=zenon**")
    assert page.locator(f"{LIST} tbody tr").count() == 1
    page.click("details summary:has-text('Filtres')")
    agent.screenshot("list-filtered-1366")
    page.set_viewport_size({"width": 390, "height": 844})
    for path, name in (("/incoming-mail", "list-390"), ("/incoming-mail?q=zenon&agent=me", "list-empty-390")):
        agent.open(path)
        agent.screenshot(name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert serious(page, "#content") == []
    assert not agent.errors
