"""A site of an earlier version of the profile becomes one of the present version."""

from BTrees.OOBTree import OOTreeSet
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import SCHEMA
from persistent.list import PersistentList
from plone import api
from tests.mails import redirected
from tests.mails import TRUSTED
import transaction


PROFILE = "imio.mailbridge:default"


def test_stores_of_schema_1(site, caught):
    """A history was an object of its own, and what was to be written on documents a set of ids."""
    data = {"to": ["jeanne@citizen.test"], "subject": "Votre permis", "body": "x"}
    id = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data).json()["id"]
    box, arrived = outbox(), site.receive(redirected(), **TRUSTED)
    deliver(id)
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    written, record = document.email_status, box.get(id)
    document.email_status = None
    for each in (record, arrived):
        each.history = PersistentList(each.history)
    box.unwritten = OOTreeSet([id, "gone"])
    box.schema = inbox().schema = 1
    before = list(record.history), list(arrived.history)
    setup = api.portal.get_tool("portal_setup")
    setup.setLastVersionForProfile(PROFILE, "1000")

    setup.upgradeProfile(PROFILE)
    transaction.commit()

    assert (record.history, arrived.history) == (tuple(before[0]), tuple(before[1]))
    assert (box.schema, inbox().schema) == (SCHEMA, SCHEMA)
    assert box.to_write() == [id]
    sweep()
    assert (document.email_status, list(box.waiting)) == (written, [])
    setup.setLastVersionForProfile(PROFILE, "1000")
    setup.upgradeProfile(PROFILE)
    assert record.history == tuple(before[0]), "a second time changes nothing"
