"""Many file into the folder of a week at once, and its pages list what it holds."""

from plone.dexterity.utils import createContent
from tests.mails import redirected
from transaction import TransactionManager
from zope.component.hooks import setSite
import pytest
import transaction


@pytest.fixture
def week(site):
    """Return the path, below the site, of the folder that two messages were filed in."""
    for subject in ("Une véranda", "Un abri"):
        answer = site.mail_in(redirected(subject))
        assert answer.status_code == 201, answer.text
    return answer.json()["items"][0]["@id"].removeprefix(site.url).rpartition("/")[0]


def test_two_that_put_something_into_it_do_not_conflict(site, week):
    database, opened = site.portal._p_jar.db(), []
    for id in ("one", "two"):
        manager = TransactionManager()
        connection = database.open(manager)
        folder = connection.root()["Application"]["plone"].unrestrictedTraverse(week.strip("/"))
        folder._setOb(id, createContent("Folder", id=id))
        opened.append((manager, connection))
    for manager, connection in opened:
        manager.commit()
        connection.close()
    setSite(site.portal)
    transaction.begin()
    folder = site.portal.unrestrictedTraverse(week.strip("/"))
    assert {"one", "two"} < set(folder.objectIds())


def test_its_pages_list_what_it_holds(site, week):
    listed = site.get(week, "admin").json()
    assert {item["title"] for item in listed["items"]} == {"Une véranda", "Un abri"}
    page = site.get(f"{week}/folder_contents", "admin", headers={"Accept": "text/html"})
    assert page.status_code == 200
    shown = site.get(f"{week}/view", "admin", headers={"Accept": "text/html"})
    assert "Un abri" in shown.text
    contents = site.get(
        f"{week}/@@getVocabulary?name=plone.app.vocabularies.Catalog&field=relatedItems&attributes=[\"Title\"]"
        '&query={"criteria":[{"i":"path","o":"plone.app.querystring.operation.string.path","v":"%s::1"}],'
        '"sort_on":"getObjPositionInParent","sort_order":"ascending"}' % week, "admin",
    )  # fmt: skip
    assert {item["Title"] for item in contents.json()["results"]} == {"Une véranda", "Un abri"}
