"""The demo's town: who can log in, what they are, and documents that can be sent at once."""

from imio.mailbridge.iadocs.demo import AGENTS
from imio.mailbridge.iadocs.demo import load
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.ports.sending import ISendingContext
from plone import api
from plone.app.testing import login
import pytest


@pytest.mark.parametrize(
    ("userid", "roles", "groups"),
    [
        ("agent", set(), {"agents"}),
        ("agent2", set(), {"agents"}),
        ("agent3", set(), {"agents"}),
        ("chef", {"Mail Manager"}, {"agents"}),
        ("gateway", {"Mail Gateway"}, set()),
    ],
)
def test_users(portal, userid, roles, groups):
    user = portal.acl_users.authenticate(userid, PASSWORD, portal.REQUEST)
    assert user is not None
    assert set(user.getRoles()) == {"Member", "Authenticated", *roles}
    assert set(user.getGroups()) - {"AuthenticatedUsers"} == groups


@pytest.mark.parametrize("userid", AGENTS)
def test_agents_have_one_position_with_their_address(portal, userid):
    (identity,) = IDirectory(portal).identities(userid, ())
    assert identity.address.addr_spec == AGENTS[userid][2]
    assert api.user.get(userid).getProperty("email") == AGENTS[userid][2]


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("incoming-mail", {"View", "Modify portal content"}),
        ("outgoing-mail", {"View", "Modify portal content", "Add portal content"}),
        ("contacts", {"View", "Add portal content"}),
        ("contacts/personnel-folder", {"View"}),
    ],
)
def test_what_agents_may_do(portal, path, may):
    login(portal, "agent")
    permissions = {"View", "Modify portal content", "Add portal content"}
    assert {
        name for name in permissions if api.user.has_permission(name, obj=portal.unrestrictedTraverse(path))
    } == may


def test_loading_twice_changes_nothing(portal):
    before = {brain.UID: brain.modified for brain in portal.portal_catalog.unrestrictedSearchResults()}
    load(portal)
    after = {brain.UID: brain.modified for brain in portal.portal_catalog.unrestrictedSearchResults()}
    assert before == after


def test_document_ready_to_be_sent(portal):
    login(portal, "agent")
    context = ISendingContext(portal["outgoing-mail"]["permis-durbanisme"])
    defaults = context.defaults()
    assert all(defaults[field] for field in ("to", "subject", "body", "attachments"))
    assert defaults["sender"] == IDirectory(portal).identities("agent", ())[0].uid


def test_pdf_is_well_formed(portal):
    data = portal["outgoing-mail"]["permis-durbanisme"]["permis"].file.data
    table = int(data.rsplit(b"startxref\n")[1].split()[0])
    assert data[table:].startswith(b"xref\n0 6\n")
    offsets = [int(line[:10]) for line in data[table:].splitlines()[3:8]]
    assert [data[offset:].split(b" ", 1)[0] for offset in offsets] == [b"1", b"2", b"3", b"4", b"5"]
