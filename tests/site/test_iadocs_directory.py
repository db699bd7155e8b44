"""The directory: identities of a user, completion, and the contacts that an address belongs to."""

from imio.mailbridge.iadocs.removal import remove
from imio.mailbridge.message.address import Address
from imio.mailbridge.ports.directory import IDirectory
from plone.app.testing import login
from plone.app.testing import logout
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.dexterity.utils import createContentInContainer
from plone.uuid.interfaces import IUUID
from z3c.relationfield import RelationValue
from zope.component import getUtility
from zope.event import notify
from zope.intid.interfaces import IIntIds
from zope.lifecycleevent import ObjectModifiedEvent
import pytest


AL_BERT = "contacts/personnel-folder/al-bert"


@pytest.fixture
def directory(portal):
    return IDirectory(portal)


@pytest.fixture
def services(portal):
    return portal["contacts"]["plonegroup-organization"]


def _position(portal, person, organization, **fields):
    relation = RelationValue(getUtility(IIntIds).getId(organization))
    return createContentInContainer(
        person, "held_position", checkConstraints=False, position=relation, **fields
    )


def test_agent_is_the_own_position(portal, directory):
    (identity,) = directory.identities("agent", ())
    assert identity.kind == "position"
    assert identity.address == Address("Al Bert", "al.bert@maville.test")
    assert identity.may_send_as is False
    assert identity.uid == IUUID(portal.unrestrictedTraverse(f"{AL_BERT}/administration-generale"))


def test_may_send_as_comes_from_the_record(portal, directory):
    portal.unrestrictedTraverse(f"{AL_BERT}/administration-generale").may_send_as = True
    assert directory.identities("agent", ())[0].may_send_as is True


def test_position_of_the_primary_service_is_first(portal, directory, services):
    person = portal.unrestrictedTraverse(AL_BERT)
    _position(portal, person, services["urbanisme"], id="aaa", email="bert@urbanisme.test")
    addresses = [identity.address.addr_spec for identity in directory.identities("agent", ())]
    assert addresses == ["al.bert@maville.test", "bert@urbanisme.test"]


def test_position_without_address_is_kept(portal, directory):
    portal.unrestrictedTraverse(f"{AL_BERT}/administration-generale").email = None
    assert directory.identities("agent", ())[0].address == Address("Al Bert", "")


@pytest.mark.parametrize("path", [AL_BERT, f"{AL_BERT}/administration-generale"])
def test_deactivated_agent_has_no_identity(portal, directory, path):
    setRoles(portal, TEST_USER_ID, ["Manager"])
    portal.portal_workflow.doActionFor(portal.unrestrictedTraverse(path), "deactivate")
    assert directory.identities("agent", ()) == ()


def test_services_are_those_the_agent_is_a_member_of(directory, services):
    uids = [IUUID(services["urbanisme"]), IUUID(services["administration-generale"]), "gone"]
    own, service = directory.identities("agent", uids)
    assert (own.kind, service.kind) == ("position", "service")
    assert service.address == Address("Administration générale", "administration@maville.test")


def test_member_of_a_service_is_one_of_the_organization_above(directory, services):
    identities = directory.identities("agent2", [IUUID(services)])
    assert identities[-1].address == Address("Commune de Maville", "info@maville.test")


def test_member_by_primary_organization(portal, directory, services):
    portal.unrestrictedTraverse(AL_BERT).primary_organization = IUUID(services["urbanisme"])
    identities = directory.identities("agent", [IUUID(services["urbanisme"])])
    assert [identity.kind for identity in identities] == ["position", "service"]


@pytest.mark.parametrize("userid", ["", None, "nobody", "gateway"])
def test_who_has_no_record_has_no_identity(directory, services, userid):
    assert directory.identities(userid, [IUUID(services["urbanisme"])]) == ()


def test_userid_outside_the_personnel_folder_makes_no_agent(portal, directory):
    person = createContentInContainer(
        portal["contacts"],
        "person",
        checkConstraints=False,
        lastname="Mallory",
        userid="agent",
        email="mallory@citizen.test",
    )
    _position(portal, person, portal["contacts"]["plonegroup-organization"], email="m@citizen.test")
    assert [identity.address.addr_spec for identity in directory.identities("agent", ())] == [
        "al.bert@maville.test"
    ]
    assert directory.agent_userid("mallory@citizen.test") == ""
    assert directory.agent_userid("m@citizen.test") == ""


@pytest.mark.parametrize(
    "text",
    ["dup jea", "dupont", "DUP", "jeanne dupont", "jeanne.dup", "citizen", "jeanne.dupont@citizen.test"],
)
def test_completion_finds_by_beginning_of_words(portal, directory, text):
    login(portal, "agent")
    assert Address("Jeanne Dupont", "jeanne.dupont@citizen.test") in directory.complete(text)


def test_completion_ignores_accents(portal, directory):
    login(portal, "agent")
    assert directory.complete("generale admin") == directory.complete("générale admin") != ()


@pytest.mark.parametrize("text", ["dup helene", "HÉL DUP", "hele", "ecole", "Ecole COM", "commun ecol"])
def test_completion_finds_words_in_any_order_case_and_accent(portal, directory, text):
    for kind, fields in (
        ("person", {"firstname": "Hélène", "lastname": "Dupré", "email": "h@citizen.test"}),
        ("organization", {"title": "École communale", "email": "ecole@citizen.test"}),
    ):
        createContentInContainer(portal["contacts"], kind, checkConstraints=False, **fields)
    login(portal, "agent")
    found = {address.display_name for address in directory.complete(text)}
    assert found == {
        "Hélène Dupré" if "h" in text.lower()[:5] and "ec" not in text.lower() else "École communale"
    }


def test_completion_finds_positions_by_the_name_of_the_person(portal, directory):
    login(portal, "agent")
    assert Address("Claire Fontaine", "claire.fontaine@maville.test") in directory.complete("fontaine")


def test_completion_follows_a_change_of_name(portal, directory):
    person = portal.unrestrictedTraverse("contacts/personnel-folder/claire-fontaine")
    person.lastname = "Rivière"
    notify(ObjectModifiedEvent(person))
    login(portal, "agent")
    assert directory.complete("riviere") == (Address("Claire Rivière", "claire.fontaine@maville.test"),)


def test_completion_has_a_limit(portal, directory):
    login(portal, "agent")
    assert len(directory.complete("maville", limit=2)) == 2


@pytest.mark.parametrize("text", ["", "  ", '"', "*", "(", "AND", "not ((", "x" * 5000])
def test_completion_survives_any_text(portal, directory, text):
    login(portal, "agent")
    assert directory.complete(text) == ()


def test_completion_shows_what_the_user_may_view(portal, directory):
    logout()
    assert directory.complete("dupont") == ()
    login(portal, "gateway")
    assert directory.complete("dupont") == ()


def test_completion_leaves_deactivated_contacts_out(portal, directory):
    setRoles(portal, TEST_USER_ID, ["Manager"])
    portal.portal_workflow.doActionFor(portal["contacts"]["jeanne-dupont"], "deactivate")
    assert directory.complete("dupont") == ()


@pytest.mark.parametrize(
    ("address", "userid"),
    [
        ("al.bert@maville.test", "agent"),
        ("Al.Bert@MAVILLE.test", "agent"),
        ("jeanne.dupont@citizen.test", ""),
        ("nobody@maville.test", ""),
        ("", ""),
    ],
)
def test_agent_of_an_address(directory, address, userid):
    assert directory.agent_userid(address) == userid


def test_contacts_with_address_are_agents_first(portal, directory, services):
    person = portal.unrestrictedTraverse(AL_BERT)
    other = _position(portal, person, services["urbanisme"], id="aaa", email="al.bert@maville.test")
    citizen = createContentInContainer(
        portal["contacts"],
        "person",
        checkConstraints=False,
        lastname="Homonyme",
        email="Al.Bert@maville.test",
    )
    contacts = directory.contacts_with_address("AL.BERT@maville.test")
    assert [IUUID(contact) for contact in contacts] == [
        IUUID(person["administration-generale"]),
        IUUID(other),
        IUUID(citizen),
    ]


def test_deactivated_contact_does_not_match(portal, directory):
    setRoles(portal, TEST_USER_ID, ["Manager"])
    portal.portal_workflow.doActionFor(portal["contacts"]["jeanne-dupont"], "deactivate")
    assert directory.contacts_with_address("jeanne.dupont@citizen.test") == ()


def test_nothing_is_found_without_our_indexes(portal, directory):
    remove(portal)
    assert directory.identities("agent", ()) == ()
    assert directory.complete("dupont") == ()
    assert directory.contacts_with_address("jeanne.dupont@citizen.test") == ()
