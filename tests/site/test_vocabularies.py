"""Who may list the choices of our forms over REST: names of agents and services are not for everybody."""

from Acquisition import aq_base
from imio.mailbridge.iadocs.install import BEHAVIORS
from plone import api
from plone.dexterity.utils import iterSchemataForType
from tests.site.compose import HTML
from zope.component import getUtilitiesFor
from zope.component import getUtility
from zope.schema import getFieldsInOrder
from zope.schema.interfaces import IChoice
from zope.schema.interfaces import ICollection
from zope.schema.interfaces import IVocabularyFactory
import pytest


USERS = (None, "gateway", "agent", "chef", "admin")
QUESTION = "/incoming-mail/demande-de-permis"
#: who gets the vocabulary at the site root and on a document that the agents edit
EDITORS = ({"admin"}, {"agent", "chef", "admin"})
MAIL_MANAGERS = ({"chef", "admin"}, {"chef", "admin"})
VOCABULARIES = {
    "imio.mailbridge.agents": EDITORS,
    "imio.mailbridge.files": EDITORS,
    "imio.mailbridge.incoming_states": MAIL_MANAGERS,
    "imio.mailbridge.incoming_transitions": MAIL_MANAGERS,
    "imio.mailbridge.mail_types": EDITORS,
    "imio.mailbridge.positions": EDITORS,
    "imio.mailbridge.route_services": MAIL_MANAGERS,
    "imio.mailbridge.route_users": MAIL_MANAGERS,
    "imio.mailbridge.send_modes": EDITORS,
    "imio.mailbridge.services": EDITORS,
}
#: one content object of each type whose fields offer choices
CONTENT = {
    "dmsincoming_email": QUESTION,
    "dmsoutgoingmail": "/outgoing-mail/permis-durbanisme",
    "person": "/contacts/personnel-folder/al-bert",
    "held_position": "/contacts/personnel-folder/al-bert/administration-generale",
}


def is_ours(name):
    return name.startswith("imio.mailbridge.")


def choices(portal_type):
    """Return the names of the fields that offer choices."""
    fields = (field for schema in iterSchemataForType(portal_type) for field in getFieldsInOrder(schema))
    return [
        name
        for name, field in fields
        if IChoice.providedBy(field.value_type if ICollection.providedBy(field) else field)
    ]


def test_each_vocabulary_stands_in_the_table(portal):
    assert {name for name, _factory in getUtilitiesFor(IVocabularyFactory) if is_ours(name)} == {
        *VOCABULARIES
    }


def test_services_are_looked_up_once_and_again_after_a_change(site, monkeypatch):
    """A form asks for each row of a table; the second of the two answers comes without a search."""
    factory = getUtility(IVocabularyFactory, name="imio.mailbridge.services")
    before = {term.title for term in factory(site.portal)}
    with monkeypatch.context() as patch:
        patch.setattr(type(aq_base(site.portal.portal_catalog)), "unrestrictedSearchResults", None)
        assert {term.title for term in factory(site.portal)} == before
    (urbanisme,) = api.content.find(portal_type="organization", Title="Urbanisme", unrestricted=True)
    service = urbanisme._unrestrictedGetObject()
    service.title = "Permis"
    service.reindexObject()
    assert {term.title for term in factory(site.portal)} == before - {"Urbanisme"} | {"Permis"}


def test_each_type_with_choices_stands_in_the_table(portal):
    assert {portal_type for portal_type in BEHAVIORS if choices(portal_type)} == {*CONTENT}


@pytest.mark.parametrize("user", USERS)
def test_vocabularies(site, user):
    for name, (at_root, on_document) in VOCABULARIES.items():
        for path, allowed in (("", at_root), (QUESTION, on_document)):
            answer = site.get(f"{path}/@vocabularies/{name}?b_size=0", user)
            refusal = {401} if user is None else {401, 403}
            assert answer.status_code in ({200} if user in allowed else refusal), f"{path} {name}"


@pytest.mark.parametrize("user", USERS)
def test_choices_of_a_form(site, user):
    """``@@getVocabulary`` is what the widgets of Plone ask."""
    for name, (at_root, _on_document) in VOCABULARIES.items():
        answer = site.get(f"/@@getVocabulary?name={name}", user)
        assert ("results" in answer.json()) is (user in at_root), name


@pytest.mark.parametrize("service", ["@sources", "@querysources"])
@pytest.mark.parametrize("user", USERS)
def test_our_fields_are_no_sources(site, user, service):
    """Neither service lists a named vocabulary, and both refuse all but administrators."""
    for portal_type, path in CONTENT.items():
        for name in choices(portal_type):
            answer = site.get(f"{path}/{service}/{name}?query=a", user)
            assert "items" not in answer.json(), f"{path} {name}"
            assert user == "admin" or answer.status_code in (401, 403), f"{path} {name}"


def test_values_stay_valid_for_those_who_edit(site):
    """The permission is about listing: a value can be written, and the form offers it."""
    assert site.request("PATCH", QUESTION, "agent", json={"assigned_user": "nobody"}).status_code == 400
    answer = site.request("PATCH", QUESTION, "agent", json={"assigned_user": "agent3"})
    assert answer.status_code == 204
    assert site.portal.unrestrictedTraverse(QUESTION[1:]).assigned_user == "agent3"
    assert 'value="agent3"' in site.get(f"{QUESTION}/edit", "agent", headers=HTML).text


@pytest.mark.parametrize("user", [None, "gateway"])
def test_descriptions_of_types_name_nobody(site, user):
    for portal_type in CONTENT:
        text = site.get(f"/@types/{portal_type}", user).text
        assert "Fontaine" not in text
        assert "agent3" not in text
