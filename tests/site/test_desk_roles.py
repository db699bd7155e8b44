"""Who opens which page of the desk: anonymous, an agent of another service, an agent, a reader, the gateway, managers."""

from imio.mailbridge.iadocs.demo import GROUP
from imio.mailbridge.iadocs.demo import PASSWORD
from tests.mails import citizen
from tests.mails import redirected
from tests.site.compose import HTML
from tests.site.quarantine import mail_manager
from tests.site.quarantine import STRANGER
import pytest
import transaction


LETTER, PERMIT = "/incoming-mail/demande-de-permis", "/outgoing-mail/permis-durbanisme"
#: Letter → user; the agent of another service has no right on the documents, the mail manager no other role.
USERS = {
    "A": None,
    "O": "agent3",
    "G": "agent",
    "R": "reader",
    "W": "gateway",
    "M": "martin",
    "S": "admin",
}
#: Path → who may open it.
MAY = {
    "/@@my-mail": "OGRWMS",
    "/@@my-mail-counts": "OGRWMS",
    "/@@mailbridge-figures": "MS",
    "/incoming-mail": "GRS",
    "/outgoing-mail": "GRS",
    f"{LETTER}/view": "GRS",
    f"{LETTER}/@@mailbridge-messages": "GRS",
    f"{LETTER}/@@mailbridge-other-fields": "GRS",
    f"{LETTER}/mail/@@mailbridge-frame": "GRS",
    f"{PERMIT}/@@mailbridge-draft": "GRS",
    f"{PERMIT}/@@send-email": "GS",
    f"{PERMIT}/@@mailbridge-complete?query=jeanne": "GS",
    "/@@mailbridge-sent-message?id={sent}": "GRMS",
    "/@@mailbridge-sent-text?id={sent}": "GRMS",
    "/@@my-emails": "OGRWMS",
    "/@@my-forwards": "OGRWMS",
    "/@@mailbridge-templates": "MS",
    "/@@mailbridge-template-edit": "MS",
    "/@@mailbridge-rules": "MS",
    "/@@mailbridge-rule": "MS",
    "/@@mailbridge-inbox": "MS",
    "/@@mailbridge-inbox-message?id={waits}": "MS",
    "/@@mailbridge-inbox-rule?id={unknown}": "MS",
    "/@@mailbridge-inbox-contact?id={unknown}": "MS",
    "/@@mailbridge-new-contact": "OGMS",
    "/@@mailbridge-hand-in": "GMS",
    "/incoming-mail/@@mailbridge-hand-in": "GMS",
}


@pytest.fixture
def names(site, sent):
    """Make what the pages show and who looks at it; return what stands in the paths."""
    found = {
        "sent": sent().id,
        "waits": site.receive(citizen(), **STRANGER).id,
        "unknown": site.receive(redirected("Inconnu", From="nobody@autre.test"), **STRANGER).id,
    }
    site.portal.acl_users.userFolderAddUser("reader", PASSWORD, ["Member"], [])
    mail_manager("martin")
    for folder, roles in (("incoming-mail", ["Editor"]), ("outgoing-mail", ["Editor", "Contributor"])):
        content = site.portal[folder]
        content.manage_delLocalRoles([GROUP])
        content.manage_setLocalRoles("agent", roles)
        content.manage_setLocalRoles("reader", ["Reader"])
        content.reindexObjectSecurity()
    transaction.commit()
    return found


def test_pages(site, names):
    opened = {
        path: "".join(
            letter
            for letter, user in USERS.items()
            if site.get(path.format(**names), user, headers=HTML).status_code == 200
        )
        for path in MAY
    }
    assert opened == MAY


def test_lists_show_only_what_one_may_see(site, names):
    for letter, user in USERS.items():
        text = site.get("/@@my-mail", user, headers=HTML).text if user else ""
        assert ("Demande de permis" in text) is False, (letter, "it is agent2's")
        found = site.get("/@search?SearchableText=permis", user).json()
        ids = [each["@id"] for each in found.get("items", ())]
        assert any(LETTER in id or PERMIT in id for id in ids) is (letter in "GRS"), (letter, ids)
