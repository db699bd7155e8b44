"""No English is left on any page of ours: every msgid of the catalog is looked for in what a French browser shows."""

from pathlib import Path
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
import pytest
import re


CATALOG = (
    Path(__file__).resolve().parent.parent.parent
    / "src/imio/mailbridge/locales/fr/LC_MESSAGES/imio.mailbridge.po"
)


def english():
    """Return the msgids that differ from their translation, longest first; short words could be French ones too."""
    entries = re.findall(
        r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', CATALOG.read_text("utf-8"), re.MULTILINE
    )
    joined = [[re.sub(r'"\n"|^"|"\n?$', "", text).replace('\\"', '"') for text in entry] for entry in entries]
    return [msgid for msgid, text in joined if msgid != text and len(_words(msgid)) > 3]


def _words(msgid):
    return re.sub(r"\$\{\w+\}", "", msgid).strip()


def left_over(text, msgids):
    lines = {line.strip() for line in text.splitlines()}
    return [msgid for msgid in msgids if msgid in lines or (len(msgid) > 25 and _words(msgid)[:40] in text)]


PAGES = [
    ("agent", "/outgoing-mail"),
    ("agent", "/outgoing-mail/permis-durbanisme"),
    ("agent", "/outgoing-mail/permis-durbanisme/edit"),
    ("agent", "/outgoing-mail/permis-durbanisme/@@send-email"),
    ("agent", "/outgoing-mail/++add++dmsoutgoingmail"),
    ("agent", "/incoming-mail"),
    ("agent", "/incoming-mail?agent=x&sort=y&from=z&q=*"),
    ("agent", "/contacts/jeanne-dupont"),
    ("agent", "/contacts/jeanne-dupont/@@send-email"),
    ("admin", "/contacts/jeanne-dupont/edit"),
    ("admin", "/contacts/++add++organization"),
    ("admin", "/contacts/++add++person"),
    ("admin", "/incoming-mail/++add++dmsincoming_email"),
    ("admin", "/@@mailbridge-controlpanel"),
    ("admin", "/@@mailbridge-accounts"),
    ("admin", "/@@mailbridge-account-add"),
    ("admin", "/@@mailbridge-send-as"),
    ("admin", "/@@mailbridge-diagnosis"),
    ("admin", "/@@mailbridge-mailboxes"),
    ("admin", "/@@mailbridge-mailbox-add"),
    ("admin", "/@@mailbridge-forwarding"),
    ("chef", "/@@mailbridge-outbox"),
    ("chef", "/@@mailbridge-returned"),
    ("chef", "/@@mailbridge-templates"),
    ("chef", "/@@mailbridge-template-edit"),
    ("agent", "/@@my-emails"),
    ("chef", "/@@my-mail"),
    ("chef", "/@@mailbridge-figures"),
    ("admin", "/@@overview-controlpanel"),
    ("chef", "/@@mailbridge-inbox"),
    ("chef", "/@@mailbridge-inbox-message?id={waiting}"),
    ("chef", "/@@mailbridge-inbox-rule?id={waiting}"),
    ("chef", "/@@mailbridge-rules"),
    ("chef", "/@@mailbridge-rule"),
    ("chef", "/@@mailbridge-dry-run"),
    ("agent", "/@@my-forwards"),
    ("agent", "/incoming-mail/@@mailbridge-hand-in"),
    ("agent", "{item}/view"),
    ("agent", "{item}/@@mailbridge-other-fields"),
    ("agent", "/@@mailbridge-sent-message?id={sent}"),
    ("agent", "{item}/@@mailbridge-proof"),
    ("admin", "{item}/@@mailbridge-create-contact"),
    ("admin", "/@@mailbridge-new-contact"),
    ("admin", "/@@mailbridge-addresses"),
    ("admin", "/@@mailbridge-tokens"),
]


@pytest.fixture(scope="module")
def content(iadocs):
    """Give every list something to show; return what stands in the paths."""
    found = {}
    for raw, address in (
        (redirected("Une", **{"From": "inconnue@autre.test"}), "127.0.0.1"),
        (redirected("Deux"), "192.0.2.1"),
        (TEXT_FORWARD, "127.0.0.1"),
    ):
        answer = iadocs.mail_in(raw, **{"X-Client-Address": address})
        assert answer.status_code in (200, 201, 202), answer.text
        body = answer.json()
        found["item" if body["items"] else "waiting"] = (
            body["items"][0]["@id"].removeprefix(iadocs.url) if body["items"] else body["id"]
        )
    data = {"to": ["personne@citizen.test"], "subject": "Essai", "body": "x"}
    for path in ("/outgoing-mail/permis-durbanisme", "/contacts/jeanne-dupont"):
        answer = iadocs.post(f"{path}/@send-email", "agent", json=data)
        assert answer.status_code == 202
        found["sent"] = answer.json()["id"]
    return found


@pytest.mark.parametrize("user", ["agent", "admin", "chef"])
def test_no_english_on_our_pages(person, content, user):
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
