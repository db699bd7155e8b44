"""Every page of ours in French with nothing to show, with one thing and with two: plurals, no codes, no English, its title."""

from imio.mailbridge.browser import titles
from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox import returned
from imio.mailbridge.settings import tokens
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from lxml import html
from plone import api
from tests.acceptance.pages import PAGES
from tests.french import english
from tests.french import left_over
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.site.rows import keep
from tests.site.rows import row
from zope.schema import getFieldNamesInOrder
import pytest
import re
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "fr"}
UNTRUSTED = {"X-Client-Address": "192.0.2.1"}
BLOCKS = (
    "p",
    "div",
    "li",
    "td",
    "th",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "option",
    "label",
    "caption",
    "summary",
    "a",
    "button",
    "legend",
)
#: What is right with an s after one: words that end so, in French.
ALWAYS = {"fois", "mois", "temps"}
NOUNS = "message|e-mail|courrier|adresse|compte|fichier|document|destinataire|brouillon|boîte|pièce|jeton|jour|ligne|règle"
WRONG = (
    re.compile(rf"\b[01][^\S\n]+(?!(?:{'|'.join(ALWAYS)})\b)\w+s\b"),
    re.compile(rf"\b[2-9][^\S\n]+(?:{NOUNS})\b(?!-)"),
    re.compile(r"\w\(s\)|\(es\)"),
)
ENGLISH = re.compile(
    r"(?<![\w@.“«-])(?:the|and|of|with|from|is|are|was|not|your|this|that|for|by|mails|sent)(?![\w@.-])"
)
#: Codes that no person should read; those that are French words too are left out.
CODES = {
    *(code for code in REASONS if "-" in code),
    *titles.OUTGOING,
    *titles.INCOMING,
    *(code for code in titles.TRANSFER if "-" in code or code in ("forward", "receipt")),
    *(
        "gateway",
        "arc",
        "dkim",
        "results",
        "header-block",
        "sentence",
        "accept",
        "default",
        "send_as",
        "starttls",
        "file-proposal",
    ),
}
CODE = re.compile(rf"(?<![\w@./=:+-])(?:{'|'.join(map(re.escape, sorted(CODES)))})(?![\w@./=-])")


def fill(site, sent, count):
    """Make ``count`` of everything; return what stands in the paths of pages."""
    api.portal.set_registry_record("plone.available_languages", ["fr"])
    api.portal.set_registry_record("plone.default_language", "fr")
    values, found = stored_settings(), {}
    login = "administration@maville.test"
    values.mailboxes = [{"address": f"info{n or ''}@maville.test", "service": None} for n in range(count)]
    keep(*(row(name, (f"{name}.test",)) for name in ("cpas", "police")[:count]))
    mailbox = {"role": "login", "address": login, "host": "imap.maville.test", "login": login}
    site.request(
        "PATCH",
        "/@controlpanels/mailbridge",
        "admin",
        json={"imap_mailboxes": [{**mailbox, "name": "admin"}][:count]},
    )
    text = {"kind": "template", "service": "", "subject": "", "body": "<p>Bonjour,</p>"}
    row_of_rule = {"tg_value": "_empty_", "user_value": "_empty_"}
    values.iemail_routing = [
        dict.fromkeys(getFieldNamesInOrder(IRoutingRow)) | row_of_rule | {"subject_pat": pattern}
        for pattern in ("permis", ".*(a|b)")[:count]
    ]
    for number in range(count):
        mail_templates.save(mail_templates.Content(name=f"Modèle {number}", **text), "chef")
        tokens.make(f"Serveur {number}")
        transaction.commit()
        found["waiting"] = site.receive(redirected(f"Attend {number}"), **UNTRUSTED).id
        filed = site.mail_in(redirected(f"Classé {number}", From="inconnue@autre.test")).json()
        found["item"] = filed["items"][0]["@id"].removeprefix(site.url)
        recipients = [f"personne{each}@citizen.test" for each in range(count)]
        found["sent"] = sent(*recipients, state=("failed", "bounced")[number]).id
        for id in ("earlier", found["sent"]):
            returned.note(recipients[number], id)
    transaction.commit()
    if count > 1:
        site.mail_in(TEXT_FORWARD)
    return found


def lines(element):
    """Yield the texts of an element, what stands in one block together."""
    for each in element.xpath(".//script | .//style | .//code | .//pre | .//textarea"):
        each.drop_tree()
    for each in element.iter():
        if isinstance(each.tag, str) and each.tag in BLOCKS:
            each.text = f"\n{each.text or ''}"
            each.tail = f"\n{each.tail or ''}"
    for line in element.text_content().splitlines():
        if text := " ".join(line.split()):
            yield text


def wrong(text, msgids):
    """Return what is wrong in the lines of a page: numbers with their nouns, codes, English."""
    found = [each[0] for pattern in (*WRONG, ENGLISH, CODE) for each in pattern.finditer(text)]
    return sorted({*found, *left_over(text, msgids)})


def test_what_is_wrong_is_found():
    for text in (
        "1 messages",
        "0 messages",
        "2 message",
        "message(s)",
        "état : quarantined",
        "Sent by the bridge",
    ):
        assert wrong(text, english()), text
    for text in (
        "1 message",
        "2 messages",
        "1 fois",
        "2 e-mails",
        "info@quarantined.test",
        "Al Bert (agent)",
    ):
        assert not wrong(text, english()), text


@pytest.mark.parametrize("count", [0, 1, 2])
def test_words_and_counts(site, sent, count):
    found, names = fill(site, sent, count), {}
    problems, msgids = {}, english()
    for user, path in PAGES:
        try:
            path = path.format(**found)  # noqa: PLW2901
        except KeyError:
            continue  # a page of something that there is not
        answer = site.get(path, user, headers=HTML)
        if not count and answer.status_code in (302, 404):
            continue
        assert answer.status_code == 200, (path, answer.status_code)
        page = html.fromstring(answer.content)
        title = " ".join(page.findtext(".//title").split())
        if said := wrong("\n".join(lines(page.get_element_by_id("content"))), msgids):
            problems[path] = said
        if "@@" in path:
            names.setdefault(title, set()).add(re.sub(r"\?.*", "", path.rpartition("@@")[2]))
    assert problems == {}
    assert [title for title, pages in names.items() if len(pages) > 1] == [], "two pages have one title"
    assert names.get(api.portal.get_registry_record("plone.site_title")) == {"overview-controlpanel"}, (
        "of Plone"
    )
