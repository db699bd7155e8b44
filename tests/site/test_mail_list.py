"""The folders of mail open as a list: what it shows, filters and sorts by, to whom; and searches find mail by what it holds."""

from BTrees.OOBTree import OOBTree
from datetime import datetime
from datetime import timedelta
from imio.mailbridge.desk import opened as memory
from imio.mailbridge.iadocs.mail_text import KEY
from plone import api
from plone.uuid.interfaces import IUUID
from tests.mails import redirected
from tests.site.compose import HTML
from tests.site.compose import token
from tests.site.quarantine import item
from zope.annotation.interfaces import IAnnotations
import lxml.html
import pytest
import transaction


LIST = "/incoming-mail"


def opened(site, path=LIST, user="agent", **params):
    answer = site.get(path, user, headers=HTML, params=params)
    assert answer.status_code == 200, answer.text
    return lxml.html.fromstring(answer.text)


def rows(page):
    """Return subject → the texts of the cells."""
    found = {}
    for row in page.cssselect(".mailbridge-list tbody tr"):
        cells = [" ".join(cell.text_content().split()) for cell in row.cssselect("td")]
        found[row.cssselect(".is-subject")[0].text_content().strip()] = cells
    return found


def subjects(site, *args, **kwargs):
    return list(rows(opened(site, *args, **kwargs)))


@pytest.fixture
def mails(site):
    """Three mails beside that of the demo; two of the town's answers."""
    first = item(site.receive(redirected("Réclamation sur la taxe")))
    second = item(site.receive(redirected("Véranda", **{"From": "Zoé Zénon <zoe@autre.test>"})))
    first.assigned_user = "agent"
    first.treating_groups = IUUID(
        site.portal.unrestrictedTraverse("contacts/plonegroup-organization/urbanisme")
    )
    for each in (first, second):
        each.reindexObject()
    transaction.commit()
    return first, second


def test_the_list(site, mails):
    page = opened(site)
    found = rows(page)
    assert set(found) == {"Réclamation sur la taxe", "Véranda", "Demande de permis d'urbanisme"}
    new, sender, _subject, received, service, agent, state, files = found["Réclamation sur la taxe"]
    assert (new, sender, service, agent, files) == ("new", "Jeanne Dupont", "Urbanisme", "Al Bert", "1")
    assert state == "En création"
    assert received
    assert list(rows(opened(site, mails[0].aq_parent.absolute_url()))), "a period opens as a list too"
    assert set(subjects(site, "/outgoing-mail")) == {
        "Permis d'urbanisme de Madame Dupont",
        "Invitation à la séance d'information",
    }


ONE, TWO, DEMO = "Réclamation sur la taxe", "Véranda", "Demande de permis d'urbanisme"
FILTERS = [
    ({"agent": "me"}, [ONE]),
    ({"agent": "agent2"}, [DEMO]),
    ({"agent": "-"}, [TWO]),
    ({"service": "-"}, [TWO]),
    ({"state": "created", "sort": "subject"}, [DEMO, ONE, TWO]),
    ({"answered": "yes"}, [DEMO]),
    ({"answered": "no", "sort": "subject"}, [ONE, TWO]),
    ({"from": "2026-11-16", "to": "2026-11-16"}, [DEMO]),
    ({"to": "2001-01-01"}, []),
    ({"q": "reclamation"}, [ONE]),
    ({"q": "zoe@autre.test"}, [TWO]),
    ({"sort": "name", "order": "desc"}, [TWO]),
    ({"sort": "files"}, [DEMO]),
]
BAD = [
    {"service": "x"},
    {"agent": "nobody"},
    {"state": "lost"},
    {"answered": "perhaps"},
    {"sort": "password"},
    {"order": "up"},
    {"from": "2026-13-45"},
    {"to": ["2026-11-16", "x"]},
    {"b_start": "x"},
    {"q": "***"},
    {"q": '(" AND NOT'},
    {"b_start:int": "-1"},
    {"b_start:list": "1"},
    {"sort": ["a", "b"]},
]


def test_filters_and_bad_addresses(site, mails):
    for params, expected in FILTERS:
        found = subjects(site, **params)
        assert found[: len(expected)] == expected, params
        assert len(found) == len(expected) or "sort" in params, params
    for params in BAD:
        page = opened(site, **params)
        told = page.cssselect("#content .alert-warning")
        assert (
            told
            or "b_start" in str(params)
            or "AND" in str(params)
            or isinstance([*params.values()][0], list)
        ), params
        assert rows(page) or "AND" in str(params), params


def test_next_page(site, mails, monkeypatch):
    monkeypatch.setattr("imio.mailbridge.desk.mail_list.PAGE", 2)
    page = opened(site, sort="subject")
    first = list(rows(page))
    (link,) = {each.get("href") for each in page.cssselect("li.next a")}
    assert first + subjects(site, link) == [DEMO, ONE, TWO]


def test_a_renamed_service_and_an_answer(site, mails, caught, send):
    service = site.portal.unrestrictedTraverse("contacts/plonegroup-organization/urbanisme")
    service.title = "Aménagement"
    service.reindexObject()
    transaction.commit()
    assert rows(opened(site))[ONE][4] == "Aménagement"
    path = "/".join(mails[1].getPhysicalPath()[2:])
    send(path=f"/{path}", body="<p>Le trottoir de la citadelle</p>", bcc=["secret@cache.test"])
    assert TWO in subjects(site, answered="yes")
    assert subjects(site, q="citadelle") == [TWO]
    assert subjects(site, q="cache.test") == []
    send(subject="Le permis", body="<p>Veuillez visiter la chapelle</p>", bcc=["secret@cache.test"])
    (permit,) = (each for each in rows(opened(site, "/outgoing-mail")).values() if "Madame" in each[1])
    assert permit[:1] + permit[3:5] == [
        "Jeanne Dupont",
        "Administration générale",
        "Al Bert, Employé, Administration générale",
    ]
    assert permit[2], "the day on which it was sent"
    assert subjects(site, "/outgoing-mail", q="chapelle", agent="me") == [permit[1]]
    assert subjects(site, "/outgoing-mail", q="secret") == found(site, "secret@cache.test") == []


def test_columns_are_kept(site, mails):
    page = opened(site)
    before = site.portal._p_jar.db().lastTransaction()
    opened(site)
    assert site.portal._p_jar.db().lastTransaction() == before, "reading writes nothing"
    data = {"columns_chosen": "1", "columns:list": ["date", "nonsense"]}
    assert site.post(LIST, "agent", data=data, headers=HTML).status_code == 200
    assert len(rows(opened(site))[ONE]) == 8, "without a token nothing is kept"
    data["_authenticator"] = token(lxml.html.tostring(page).decode())
    answer = site.post(f"{LIST}?agent=me", "agent", data=data, headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{site.url}{LIST}?agent=me")
    assert len(rows(opened(site))[ONE]) == 2
    assert len(rows(opened(site, user="agent2"))[ONE]) == 8


def test_opened(site, mails):
    url = f"{mails[0].absolute_url()}/@@mailbridge-opened"
    page = opened(site, f"{mails[0].absolute_url()}/view")
    assert page.cssselect("#mailbridge-opened")
    assert site.get(url, "agent").status_code == 404
    assert site.post(url, "agent").status_code == 403
    assert site.post(url, None).status_code in (302, 401, 403)
    data = {"_authenticator": token(lxml.html.tostring(page).decode())}
    assert site.post(url, "agent", data=data).status_code == 204
    assert rows(opened(site))[ONE][0] == ""
    assert rows(opened(site, user="agent2"))[ONE][0] == "new"
    assert not opened(site, f"{mails[0].absolute_url()}/view").cssselect("#mailbridge-opened")
    kept = IAnnotations(site.portal)[memory.KEY]
    kept["agent"]["long ago"] = 1
    kept["gone"] = OOBTree({"long ago": 1})
    memory.note_opened("agent", "now", datetime.now())
    assert set(memory.opened_by("agent")) == {IUUID(mails[0]), "now"}, "what counts as read is forgotten"
    memory.note_opened("chef", "now", datetime.now())
    assert set(kept) == {"agent", "chef"}, "and who opens nothing"
    assert not memory.is_unread({}, "x", datetime.now() - timedelta(days=memory.DAYS + 1))


def test_who_sees_what(site, mails):
    """The folder is shown to one who has no part in the mail; the catalog leaves the mail out."""
    folder = site.portal["incoming-mail"]
    folder.manage_delLocalRoles(["agents"])
    folder.manage_setLocalRoles("agent3", ["Reader"])
    mails[0].manage_setLocalRoles("agent2", ["Editor"])
    for mail in (*mails, folder["demande-de-permis"]):
        mail.__ac_local_roles_block__ = True
    folder.manage_setLocalRoles("agent2", ["Reader"])
    folder.reindexObjectSecurity()
    for mail in (*mails, folder["demande-de-permis"]):
        mail.reindexObjectSecurity()
    transaction.commit()
    assert subjects(site, user="agent3") == []
    assert subjects(site, user="agent2") == [ONE]
    assert subjects(site, user="agent2", q="demande") == [ONE]
    assert len(subjects(site, user="admin")) == 3
    for user, status in ((None, 302), ("gateway", 302), ("agent", 302), ("agent2", 200)):
        answer = site.get(LIST, user, headers=HTML)
        assert answer.status_code in (status, 401, 403), user


def found(site, words, user="agent", view="@@search"):
    page = site.get(f"/{view}", user, headers=HTML, params={"SearchableText": words}).text
    return [each.text_content().strip() for each in lxml.html.fromstring(page).cssselect(".result-title a")]


SECRET = "abcdefghjkmnpqrstuv22"


def test_search_finds_a_mail(site, mails):
    raw = redirected("Haie", **{"From": "Yvan Yernaux <y.yernaux@loin.test>"})
    raw = raw.replace(b"voici ma demande", f"la haie depasse in+{SECRET}@bridge.test".encode())
    hedge = item(site.receive(raw))
    for words in ("Haie", "yernaux", "y.yernaux@loin.test", "depasse", "plan.pdf", "dépasse"):
        assert "Haie" in found(site, words), words
        assert found(site, words).count("Haie") == 1, words
        assert "Haie" in subjects(site, q=words), words
    assert found(site, SECRET) == []
    assert len(found(site, "reclamation")) == 1
    live = site.get("/@@ajax-search", "agent", params={"SearchableText": "depasse"}).json()
    assert [each["title"] for each in live["items"]] == ["Haie"]
    with api.env.adopt_roles(["Manager"]):
        file = api.content.create(hedge, "dmsappendixfile", title="croquis du jardin", safe_id=True)
        transaction.commit()
        assert subjects(site, q="croquis") == ["Haie"]
        api.content.delete(file)
    del IAnnotations(hedge["mail"])[KEY]
    api.portal.get_tool("portal_catalog").reindexIndex("SearchableText", None)
    transaction.commit()
    assert subjects(site, q="croquis") == []
    assert subjects(site, q="depasse") == ["Haie"], "read from the message that is stored"
    assert "Permis d'urbanisme de Madame Dupont" in found(site, "rue de la Gare")
    assert "Permis d'urbanisme de Madame Dupont" in found(site, "PU-2026-114.pdf")
