"""A site of an earlier version of the profile becomes one of the present version."""

from BTrees.OOBTree import OOTreeSet
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.inbound import inbox as incoming
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox import record as outgoing
from imio.mailbridge.outbox.query import find
from imio.mailbridge.outbox.query import Query
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import SCHEMA
from pathlib import Path
from persistent.list import PersistentList
from plone import api
from tests.mails import redirected
from tests.mails import TRUSTED
from zope.annotation.interfaces import IAnnotations
import pytest
import transaction


#: Stores of former versions, exported from the databases of their tests: three messages that
#: were written, one of them not to everybody, a notice that waits, and two that came.
STORES = Path(__file__).parents[1] / "exports" / "stores"
PROFILE = "imio.mailbridge:default"


def test_stores_of_schema_1(site, caught):
    """A history was an object of its own, and what was to be written on documents a set of ids."""
    data = {"to": ["jeanne@citizen.test"], "subject": "Votre permis", "body": "x"}
    id = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data).json()["id"]
    box, arrived, came = outbox(), site.receive(redirected(), **TRUSTED), inbox()
    deliver(id)
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    written, record = document.email_status, box.get(id)
    document.email_status = None
    for each in (record, arrived):
        each.history = PersistentList(each.history)
    box.unwritten = OOTreeSet([id, "gone"])
    box.waiting = OOTreeSet()
    box.schema = came.schema = 1
    before = list(record.history), list(arrived.history)
    setup = api.portal.get_tool("portal_setup")
    setup.setLastVersionForProfile(PROFILE, "1000")

    setup.upgradeProfile(PROFILE)
    transaction.commit()

    assert (record.history, arrived.history) == (tuple(before[0]), tuple(before[1]))
    assert (box.schema, inbox().schema) == (SCHEMA, SCHEMA)
    assert box.to_write() == [id]
    sweep()
    assert (document.email_status, box.to_write()) == (written, [])
    setup.setLastVersionForProfile(PROFILE, "1000")
    setup.upgradeProfile(PROFILE)
    assert record.history == tuple(before[0]), "a second time changes nothing"


def former_stores(site, schema, version):
    """Put the stores of a former version into the site."""
    annotations = IAnnotations(site.portal)
    for key, name in ((outgoing.KEY, "outbox"), (incoming.KEY, "inbox")):
        path = STORES / f"schema-{schema}-{name}.zexp"
        annotations[key] = site.portal._p_jar.importFile(str(path), customImporters={b"<?xm": None})
    setup = api.portal.get_tool("portal_setup")
    setup.setLastVersionForProfile(PROFILE, version)
    return setup, annotations[outgoing.KEY], annotations[incoming.KEY]


@pytest.mark.parametrize(("schema", "version"), [(1, "1000"), (2, "1002")])
def test_stores_of_a_former_version(site, caught, schema, version):
    """Nothing is lost, everything is found, and what waited goes out."""
    setup, *stores = former_stores(site, schema, version)
    before = {id: record.state for store in stores for id, record in store.records.items()}

    setup.upgradeProfile(PROFILE)
    transaction.commit()

    box, arrived = outbox(), inbox()
    assert (box.schema, arrived.schema) == (SCHEMA, SCHEMA)
    assert {id: store.get(id).state for store in (box, arrived) for id in store.newest_ids()} == before
    assert box.counts() == {"sent": 2, "failed": 1, "queued": 1}
    assert arrived.counts() == {"filed": 1, "quarantined": 1}
    assert [box.get(id).subject for id in find(Query(text="votre 1"))] == ["Votre permis 1"]
    assert len(find(Query(agent="agent", state="sent"))) == 2
    assert [record.subject for record in box.waiting_in("deferred")] == ["Votre permis 1"], "beside failed"
    assert vars(box).keys() == vars(outgoing.Outbox()).keys()
    assert vars(arrived).keys() == vars(incoming.Inbox()).keys()
    sweep()
    transaction.begin()
    assert [each.rcpt_tos for each in caught.messages] == [["al.bert@maville.test"]], "the notice that waited"
    assert box.counts() == {"sent": 3, "failed": 1}


def test_until_the_upgrade_pages_say_what_to_do_and_mail_waits(site):
    """An administrator finds the button, a pipe is told to come back, and nothing is changed."""
    setup, *_stores = former_stores(site, 2, "1002")
    transaction.commit()
    page = site.get("/@@prefs_install_products_form", "admin", headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text[-2000:]
    assert "Open Site setup, Add-ons, and upgrade the mail bridge." in page.text
    assert site.get("", "agent", headers={"Accept": "text/html"}).status_code == 200
    for answer in (
        site.mail_in(redirected(), **TRUSTED),
        site.get("/@outbox", "chef"),
        site.get("/@@my-emails", "agent", headers={"Accept": "text/html"}),
    ):
        assert answer.status_code == 503
        assert "waiting for its upgrade" in answer.text
        assert answer.headers["Retry-After"] == "300"
    assert site.task("mailbridge-sweep-outbox") == 503
    setup.upgradeProfile(PROFILE)
    transaction.commit()
    assert site.mail_in(redirected("Une autre"), **TRUSTED).status_code == 201
    assert (
        "Open Site setup"
        not in site.get("/@@prefs_install_products_form", "admin", headers={"Accept": "text/html"}).text
    )
