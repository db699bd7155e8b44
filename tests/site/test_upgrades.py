"""A site of an older version becomes one of today."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbound import send_as
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from persistent.mapping import PersistentMapping
from plone import api
from plone.registry.interfaces import IRegistry
from tests.mails import redirected
from tests.mails import TRUSTED
from zope.annotation.interfaces import IAnnotations
from zope.component import getUtility
import transaction


PROFILE = "imio.mailbridge:default"


def test_1000_to_1001(site):
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "x"}
    answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
    record, box = outbox().get(answer.json()["id"]), outbox()
    box.update(record, {"jeanne.dupont@citizen.test": "held"})
    for name in ("holds", "by_user", "recent", "unseen", "with_bytes"):
        delattr(box, name)
    box.hold = {"at": now()}
    for name in ("origin", "account", "eight_bit", "written", "told"):
        delattr(record, name)
    for line in record.history:
        del line["answer"], line["by"]
    IAnnotations(site.portal)[send_as.KEY] = PersistentMapping({"al.bert@maville.test": now()})
    del getUtility(IRegistry).records[f"{PREFIX}.give_up_hours"]
    api.portal.get_tool("portal_actions").user.manage_delObjects(["mailbridge_my_emails"])
    api.portal.get_tool("portal_setup").setLastVersionForProfile(PROFILE, "1000")
    transaction.commit()
    assert box.unseen_of("agent") == 0, "pages work before the upgrade step ran"

    api.portal.get_tool("portal_setup").upgradeProfile(PROFILE)
    transaction.commit()

    assert settings().give_up_hours == 48
    assert settings().smtp_host == "127.0.0.1"
    assert not send_as.verdict("default", "al.bert@maville.test").allowed
    assert (record.account, record.state, dict(box.holds)) == ("default", "queued", {})
    assert box.newest_ids_of_user("agent") == [record.id]
    assert "mailbridge_my_emails" in api.portal.get_tool("portal_actions").user
    assert box.unseen_of("agent") == 0
    assert list(box.with_bytes) == [record.sort_key]
    assert site.get(f"/@outbox/{record.id}", "agent").json()["timeline"][0]["state"] == "queued"


def test_1001_to_1002(site):
    answer = site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    record, box = inbox().get(answer.json()["id"]), inbox()
    for name in ("by_original", "by_item", "recent"):
        delattr(box, name)
    for name in ("proof", "verdicts", "not_before"):
        delattr(record, name)
    record.evidence = (("resent-from", "info@maville.test"),)
    for name in ("proofs", "iemail_routing", "max_per_sender"):
        del getUtility(IRegistry).records[f"{PREFIX}.{name}"]
    api.portal.get_tool("portal_setup").setLastVersionForProfile(PROFILE, "1001")
    transaction.commit()

    api.portal.get_tool("portal_setup").upgradeProfile(PROFILE)
    transaction.commit()

    assert settings().proofs == ["tag", "gateway", "arc", "dkim", "results"]
    assert box.transfers(record.items[0]) == [record]
    for page in ("/@@mailbridge-inbox", f"/@@mailbridge-inbox-message?id={record.id}"):
        assert site.get(page, "chef", headers={"Accept": "text/html"}).status_code == 200, page
    again = site.post("/@@mail-in", "gateway", data=redirected("Autre"), headers=TRUSTED)
    assert again.json()["state"] == "filed"
