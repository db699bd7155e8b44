"""No English is left on any page of ours: every msgid of the catalog is looked for in what a French browser shows."""

from tests.acceptance.pages import declare
from tests.acceptance.pages import fill
from tests.acceptance.pages import PAGES
from tests.french import english
from tests.french import left_over
import pytest


@pytest.fixture(scope="module")
def content(iadocs):
    return fill(iadocs)


@pytest.mark.parametrize("user", ["agent", "admin", "chef"])
def test_no_english_on_our_pages(iadocs, person, content, user):
    declare(iadocs)
    msgids = english()
    assert len(msgids) > 200
    assert left_over("Bonjour\nSend by e-mail\n", msgids) == ["Send by e-mail"], "this test can fail"
    someone = person(user, **({"password": "admin"} if user == "admin" else {}))
    for number, (_user, path) in enumerate(page for page in PAGES if page[0] == user):
        someone.open(path.format(**content))
        assert someone.page.locator("h1").first.inner_text()
        assert "error while rendering" not in someone.page.locator("body").inner_text(), "of a viewlet"
        someone.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        for tab in someone.page.locator(".autotoc-nav a").all():
            tab.click()
            assert left_over(someone.page.locator("body").inner_text(), msgids) == [], path
        assert left_over(someone.page.locator("body").inner_text(), msgids) == [], path
        titles = someone.page.locator("[title]").evaluate_all("all => all.map(one => one.title).join('\\n')")
        assert left_over(titles, msgids) == [], path
        someone.screenshot(f"fr-{user}-{number}")
    assert not someone.errors


def test_every_answer_of_the_rest_api_speaks_french(iadocs):
    headers = {"Accept-Language": "fr"}
    answer = iadocs.post(
        "/outgoing-mail/invitation/@send-email", "agent", json={"to": ["x"]}, headers=headers
    )
    texts = [error["message"] for error in answer.json()["errors"]]
    texts.append(iadocs.mail_in(b"x", **{"Content-Type": "text/plain"}, **headers).json()["message"])
    for record in iadocs.get("/@mail-in?state=quarantined", "chef", headers=headers).json()["items"]:
        texts += [record["explanation"], record["remedy"]]
    assert texts
    assert left_over("\n".join(texts), english()) == []
