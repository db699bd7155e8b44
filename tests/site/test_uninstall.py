"""Uninstalling restores the site as it was, except for records and documents, which are kept and named."""

from imio.mailbridge.inbound import cases
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import InboundMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import KEY as INBOX
from imio.mailbridge.outbox.record import KEY as OUTBOX
from plone import api
from plone.app.testing import login
from plone.app.testing import logout
from plone.app.testing import SITE_OWNER_NAME
from Products.CMFPlone.factory import addPloneSite
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import setSite
import pytest
import transaction


@pytest.fixture
def bare_portal(functional_app):
    """A new Plone site beside the demo, with what our profile depends on and, as any add-on's does, leaves there."""
    login(functional_app, SITE_OWNER_NAME)
    portal = addPloneSite(
        functional_app, "bare", setup_content=False, extension_ids=("plone.app.contenttypes:default",)
    )
    setSite(portal)
    install(portal, "plone.restapi:default")
    yield portal
    logout()


def install(portal, *profiles):
    for profile in profiles:
        name = profile if ":" in profile else f"imio.mailbridge:{profile}"
        portal.portal_setup.runAllImportStepsFromProfile(f"profile-{name}")


def picture(portal):
    """Return what an add-on can leave behind."""
    roles = portal.valid_roles()
    permissions = {
        name: (
            tuple(sorted(role["name"] for role in portal.rolesOfPermission(name) if role["selected"])),
            bool(portal.acquiredRolesAreUsedBy(name)),
        )
        for name in portal.possible_permissions()
        if not name.startswith("imio.mailbridge:")
    }
    types = api.portal.get_tool("portal_types")
    workflows = api.portal.get_tool("portal_workflow")
    registry = api.portal.get_tool("portal_registry")
    catalog = api.portal.get_tool("portal_catalog")
    actions = api.portal.get_tool("portal_actions")
    pas = portal.acl_users
    site_manager = portal.getSiteManager()
    return {
        "registry": {name: repr(registry[name]) for name in registry.records if not _changes_by_itself(name)},
        "roles": sorted(roles),
        "permissions": permissions,
        "own permissions": sorted(name for name in portal.__dict__ if name.endswith("_Permission")),
        "types": {
            fti.getId(): (getattr(fti, "behaviors", ()), workflows.getChainFor(fti.getId()))
            for fti in types.objectValues()
        },
        "workflows": sorted(workflows.objectIds()),
        "indexes": sorted(catalog.indexes()),
        "columns": sorted(catalog.schema()),
        "actions": {category: sorted(actions[category].objectIds()) for category in actions.objectIds()},
        "configlets": sorted(action.getId() for action in portal.portal_controlpanel.listActions()),
        "pas": sorted(pas.objectIds()),
        "plugins": {
            info["id"]: pas.plugins.listPluginIds(info["interface"])
            for info in pas.plugins.listPluginTypeInfo()
        },
        "roles in pas": sorted(pas.portal_role_manager.listRoleIds()),
        "content": sorted(portal.objectIds()),
        "annotations": sorted(key for key in IAnnotations(portal) if "mailbridge" in key),
        "utilities": sorted(repr((each.provided, each.name)) for each in site_manager.registeredUtilities()),
        "adapters": sorted(
            repr((each.required, each.provided, each.name)) for each in site_manager.registeredAdapters()
        ),
        "layers": sorted(
            repr(each) for each in site_manager.registeredUtilities() if "mailbridge" in repr(each)
        ),
    }


def _changes_by_itself(name):
    return "timestamp" in name or "last_compilation" in name or "JSONRegistry" in name


def test_empty_stores_leave_nothing(bare_portal):
    before = picture(bare_portal)
    install(bare_portal, "default", "iadocs")
    assert picture(bare_portal) != before
    install(bare_portal, "uninstall")
    after = picture(bare_portal)
    for aspect in before:
        assert after[aspect] == before[aspect], aspect


def test_records_and_documents_are_kept_and_named(bare_portal, caplog):
    install(bare_portal, "default", "iadocs", "demo")
    inbox().add(InboundMessage("x", Blob(), "", 0, Envelope()))
    transaction.commit()  # a case is kept in a transaction of its own
    cases.keep("x", b"From: a@b.test\n\nx", Envelope())
    install(bare_portal, "uninstall")
    annotations = IAnnotations(bare_portal)
    assert INBOX in annotations
    assert OUTBOX not in annotations
    assert cases.KEY not in annotations
    assert "dmsoutgoingmail" in bare_portal.portal_types
    assert bare_portal["outgoing-mail"]["permis-durbanisme"].email_subject
    assert "dmsoutgoingmail" in caplog.text
    assert INBOX in caplog.text
    kept = picture(bare_portal)
    assert "mailbridge" not in " ".join(kept["actions"]["object_buttons"] + kept["configlets"] + kept["pas"])
    assert "Mail Gateway" not in kept["roles"]
    assert not [name for name in kept["registry"] if "mailbridge" in name]
    install(bare_portal, "default", "iadocs")
    assert INBOX in annotations
    assert len(inbox()) == 1


def test_setup_py_and_profiles_agree(bare_portal):
    profiles = {
        info["id"]
        for info in bare_portal.portal_setup.listProfileInfo()
        if info["id"].startswith("imio.mailbridge:")
    }
    assert profiles == {f"imio.mailbridge:{name}" for name in ("default", "iadocs", "demo", "uninstall")}
    install(bare_portal, "default")
    assert not bare_portal.portal_setup.listUpgrades("imio.mailbridge:default")
