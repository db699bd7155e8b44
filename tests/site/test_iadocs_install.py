"""The profile ``iadocs`` makes what is missing and leaves what is there; its removal keeps documents."""

from AccessControl.PermissionRole import rolesForPermissionOn
from imio.mailbridge.iadocs import install
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.removal import remove
from plone.app.testing import applyProfile
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.dexterity.fti import DexterityFTI
from plone.dexterity.utils import createContentInContainer
import pytest


FIELDS = {
    "dmsincoming_email": {
        "title",
        "orig_sender_email",
        "sender",
        "original_mail_date",
        "reception_date",
        "mail_type",
        "treating_groups",
        "recipient_groups",
        "assigned_user",
        "external_reference_no",
        "internal_reference_no",
        "send_modes",
        "reply_to",
    },
    "dmsoutgoingmail": {
        "sender",
        "recipients",
        "orig_sender_email",
        "send_modes",
        "reply_to",
        "treating_groups",
        "outgoing_date",
        "email_status",
        "email_subject",
        "email_sender",
        "email_recipient",
        "email_cc",
        "email_bcc",
        "email_attachments",
        "email_body",
    },
    "dmsmainfile": {"file"},
    "dmsommainfile": {"file"},
    "dmsappendixfile": {"file"},
    "person": {"lastname", "firstname", "userid", "primary_organization"},
    "held_position": {"position", "label", "email", "phone"},
    "organization": {"title", "email"},
}


@pytest.mark.parametrize("portal_type", FIELDS)
def test_types_have_the_fields_of_iadocs(portal, portal_type):
    assert FIELDS[portal_type] <= set(portal.portal_types[portal_type].lookupSchema().names(all=True))


@pytest.mark.parametrize("portal_type", install.BEHAVIORS)
def test_types_have_our_behaviors(portal, portal_type):
    assert set(install.BEHAVIORS[portal_type]) <= set(portal.portal_types[portal_type].behaviors)


@pytest.mark.parametrize("path", install.FOLDERS)
def test_folders_are_closed_to_anonymous(portal, path):
    folder = portal.unrestrictedTraverse(path)
    assert folder.portal_type == install.FOLDERS[path][0]
    assert folder.title == install.FOLDERS[path][1]
    assert "Anonymous" not in rolesForPermissionOn("View", folder)


def test_folders_take_their_documents(portal):
    setRoles(portal, TEST_USER_ID, ["Manager"])
    addable = {fti.getId() for fti in portal[names.INCOMING_FOLDER].allowedContentTypes()}
    assert addable == {names.INCOMING_EMAIL, "Folder"}
    addable = {fti.getId() for fti in portal[names.CONTACTS_FOLDER].allowedContentTypes()}
    assert addable == {names.ORGANIZATION, names.PERSON, names.DIRECTORY}


@pytest.mark.parametrize(
    ("portal_type", "states"),
    [
        (
            "dmsincoming_email",
            {"created", "proposed_to_manager", "proposed_to_agent", "in_treatment", "closed"},
        ),
        ("dmsoutgoingmail", {"created", "to_be_signed", "sent"}),
    ],
)
def test_workflow_states(portal, portal_type, states):
    (workflow,) = portal.portal_workflow.getWorkflowsFor(portal_type)
    assert set(workflow.states.objectIds()) == states
    for state in workflow.states.objectValues():
        for permission in (
            "View",
            "Access contents information",
            "Modify portal content",
            "Add portal content",
        ):
            roles = state.getPermissionInfo(permission)
            assert not roles["acquired"]
            assert not {"Anonymous", "Authenticated", "Member"} & set(roles["roles"])


@pytest.mark.parametrize("state", ["created", "to_be_signed"])
def test_mail_can_be_marked_as_sent_from(portal, state):
    (workflow,) = portal.portal_workflow.getWorkflowsFor("dmsoutgoingmail")
    assert "mark_as_sent" in workflow.states[state].transitions
    assert workflow.transitions["mark_as_sent"].new_state_id == "sent"


def test_applying_twice_changes_nothing(portal):
    types = {id: fti.behaviors for id, fti in portal.portal_types.items() if id in install.BEHAVIORS}
    ids = portal.objectIds()
    applyProfile(portal, "imio.mailbridge:iadocs")
    applyProfile(portal, "imio.mailbridge:demo")
    assert {id: fti.behaviors for id, fti in portal.portal_types.items() if id in install.BEHAVIORS} == types
    assert portal.objectIds() == ids


def _foreign_person(portal):
    """Put a type of the site's own in place of ours, as on a production site."""
    setRoles(portal, TEST_USER_ID, ["Manager"])
    portal.manage_delObjects([names.CONTACTS_FOLDER])
    remove(portal)
    for portal_type in (names.PERSON, names.HELD_POSITION):
        if portal_type in portal.portal_types:
            portal.portal_types._delObject(portal_type)
    source = """<model xmlns="http://namespaces.plone.org/supermodel/schema"><schema>
        <field name="lastname" type="zope.schema.TextLine"><title>Nom</title></field>
        %s
    </schema></model>"""
    email = '<field name="email" type="zope.schema.TextLine"><title>E-mail</title></field>'
    portal.portal_types._setObject(
        names.PERSON,
        DexterityFTI(
            names.PERSON,
            title="Personne",
            klass="plone.dexterity.content.Container",
            model_source=source % email,
            behaviors=("plone.shortname",),
            global_allow=True,
        ),
    )
    portal.portal_types._setObject(
        names.HELD_POSITION,
        DexterityFTI(
            names.HELD_POSITION, title="Fonction", model_source=source % "", behaviors=(), global_allow=True
        ),
    )


def test_type_of_the_site_only_gets_behaviors(portal):
    _foreign_person(portal)
    person = createContentInContainer(portal, names.PERSON, id="p", lastname="Dupont", email="J@citizen.test")
    chain = portal.portal_workflow.getChainForPortalType(names.PERSON)
    applyProfile(portal, "imio.mailbridge:iadocs")
    fti = portal.portal_types[names.PERSON]
    assert fti.title == "Personne"
    assert fti.behaviors == ("plone.shortname", install.SEND_BY_EMAIL)
    assert portal.portal_workflow.getChainForPortalType(names.PERSON) == chain
    assert portal.portal_types[names.HELD_POSITION].behaviors == (
        install.SEND_BY_EMAIL,
        install.AGENT,
        install.AGENT_ADDRESS,
    )
    brains = portal.portal_catalog.unrestrictedSearchResults(mailbridge_email="j@citizen.test")
    assert [brain.getPath() for brain in brains] == ["/".join(person.getPhysicalPath())]


def test_removal_leaves_the_types_of_the_site(portal):
    _foreign_person(portal)
    applyProfile(portal, "imio.mailbridge:iadocs")
    assert names.PERSON not in remove(portal)
    assert portal.portal_types[names.PERSON].behaviors == ("plone.shortname",)
    assert portal.portal_types[names.HELD_POSITION].behaviors == ()


def test_removal_keeps_types_that_hold_documents(portal):
    kept = remove(portal)
    assert set(kept) == set(install.BEHAVIORS)
    for portal_type in install.BEHAVIORS:
        assert not any(
            name.startswith("imio.mailbridge") for name in portal.portal_types[portal_type].behaviors
        )
    assert not set(install.INDEXES) & set(portal.portal_catalog.indexes())
    assert portal.portal_workflow.getChainForPortalType(names.OUTGOING_MAIL) == (
        "mailbridge_outgoing_workflow",
    )


def test_removal_of_an_empty_iadocs_leaves_nothing(portal):
    setRoles(portal, TEST_USER_ID, ["Manager"])
    for path in (names.INCOMING_FOLDER, names.OUTGOING_FOLDER, names.CONTACTS_FOLDER):
        portal[path].manage_delObjects(
            [id for id in portal[path].objectIds() if id != names.PERSONNEL_FOLDER]
        )
    personnel = portal[names.CONTACTS_FOLDER][names.PERSONNEL_FOLDER]
    personnel.manage_delObjects(list(personnel.objectIds()))
    assert remove(portal) == ()
    assert not set(install.BEHAVIORS) & set(portal.portal_types.objectIds())
    assert not {names.INCOMING_FOLDER, names.OUTGOING_FOLDER, names.CONTACTS_FOLDER} & set(portal.objectIds())
    assert not [id for id in portal.portal_workflow.objectIds() if id.startswith("mailbridge")]
    assert "directory" not in portal.portal_registry["plone.displayed_types"]
    overrides = dict(portal.portal_workflow.listChainOverrides())
    assert not set(install.BEHAVIORS) & set(overrides)
    applyProfile(portal, "imio.mailbridge:iadocs")
    assert set(install.BEHAVIORS) <= set(portal.portal_types.objectIds())


def test_mail_that_was_there_is_listed_and_found(portal):
    """After the profile, as on a site of iA.docs with mail; removed, the folders open as any other."""
    catalog, folder = portal.portal_catalog, portal[names.INCOMING_FOLDER]
    period = createContentInContainer(folder, "Folder", False, title="202640")
    createContentInContainer(period, names.INCOMING_EMAIL, False, title="Ancien")
    page = createContentInContainer(folder, "Folder", False, title="other")
    createContentInContainer(page, names.INCOMING_EMAIL, False, title="Autre")
    page.setLayout("summary_view")
    remove(portal)
    assert folder.getLayout() == "listing_view"
    assert names.MAIL_LIST not in portal.portal_types["Folder"].view_methods
    assert not set(install.FILES) & set(portal.portal_registry[install.NOT_SEARCHED])
    assert install.COLUMN not in catalog.schema()
    applyProfile(portal, "imio.mailbridge:iadocs")
    assert [each.getLayout() for each in (folder, period, page)] == [names.MAIL_LIST] * 2 + ["summary_view"]
    assert set(install.FILES) <= set(portal.portal_registry[install.NOT_SEARCHED])
    (brain,) = catalog.unrestrictedSearchResults(
        SearchableText="transformer", portal_type=names.INCOMING_EMAIL
    )
    assert brain.mailbridge_line["name"] == "Jeanne Dupont"
    assert catalog.unrestrictedSearchResults(mailbridge_agent="agent2")[0].UID == brain.UID
