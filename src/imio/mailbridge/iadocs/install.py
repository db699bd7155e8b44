"""Installs the profile ``iadocs``: the types and folders of iA.docs that are missing, and our behaviors on those that exist.

A type that exists is the site's own: it gets the behaviors, appended, and nothing else. Type definitions
therefore stay out of the profile's ``types`` folder, which would overwrite it.
"""

from AccessControl.PermissionRole import rolesForPermissionOn
from Acquisition import aq_base
from imio.mailbridge.iadocs import names
from pathlib import Path
from plone.app.dexterity.behaviors.constrains import ENABLED
from plone.base.interfaces.constrains import ISelectableConstrainTypes
from plone.dexterity.fti import DexterityFTI
from plone.dexterity.utils import createContent
from plone.dexterity.utils import iterSchemataForType
from plone.registry.interfaces import IRegistry
from Products.CMFCore.permissions import AccessContentsInformation
from Products.CMFCore.permissions import AddPortalContent
from Products.CMFCore.permissions import View
from Products.CMFCore.utils import getToolByName
from Products.GenericSetup.context import DirectoryImportContext
from Products.GenericSetup.interfaces import IBody
from zope.component import getMultiAdapter
from zope.component import getUtility


DEFINITIONS = Path(__file__).parent / "types"

SEND_BY_EMAIL = "imio.mailbridge.send_by_email"
MAIL = "imio.mailbridge.mail"
AGENT = "imio.mailbridge.agent"
AGENT_ADDRESS = "imio.mailbridge.agent_address"

#: portal type → the behaviors that it gets
BEHAVIORS = {
    names.DIRECTORY: (),
    names.ORGANIZATION: (SEND_BY_EMAIL,),
    names.PERSON: (SEND_BY_EMAIL,),
    names.HELD_POSITION: (SEND_BY_EMAIL, AGENT),
    names.INCOMING_EMAIL: (SEND_BY_EMAIL, MAIL),
    names.OUTGOING_MAIL: (SEND_BY_EMAIL, MAIL),
    names.MAIN_FILE: (),
    names.OUTGOING_MAIN_FILE: (),
    names.APPENDIX_FILE: (),
}

#: portal type → workflow of the types that we create; files are visible to those who see their document
WORKFLOWS = {
    names.ORGANIZATION: ("mailbridge_contact_workflow",),
    names.PERSON: ("mailbridge_contact_workflow",),
    names.HELD_POSITION: ("mailbridge_contact_workflow",),
    names.DIRECTORY: ("mailbridge_contact_workflow",),
    names.INCOMING_EMAIL: ("mailbridge_incoming_workflow",),
    names.OUTGOING_MAIL: ("mailbridge_outgoing_workflow",),
    names.MAIN_FILE: (),
    names.OUTGOING_MAIN_FILE: (),
    names.APPENDIX_FILE: (),
}

#: registry record of the types in the navigation
DISPLAYED_TYPES = "plone.displayed_types"

CONTACT_INDEXES = ("mailbridge_contact", "mailbridge_email", "mailbridge_userid")
MAIL_INDEXES = (
    "mailbridge_agent",
    "mailbridge_answers",
    "mailbridge_date",
    "mailbridge_files",
    "mailbridge_name",
    "mailbridge_service",
)
INDEXES = (*CONTACT_INDEXES, *MAIL_INDEXES)
#: metadata of a mail, for lists
COLUMN = "mailbridge_line"

#: registry record of the types that searches leave out: of a file, the mail that holds it is found
NOT_SEARCHED = "plone.types_not_searched"
FILES = (names.MAIN_FILE, names.OUTGOING_MAIN_FILE, names.APPENDIX_FILE)

#: path → portal type, title, types that may be added
FOLDERS = {
    names.INCOMING_FOLDER: ("Folder", "Courrier entrant", (names.INCOMING_EMAIL, "Folder")),
    names.OUTGOING_FOLDER: ("Folder", "Courrier sortant", (names.OUTGOING_MAIL, "Folder")),
    names.CONTACTS_FOLDER: (names.DIRECTORY, "Contacts", ()),
    f"{names.CONTACTS_FOLDER}/{names.PERSONNEL_FOLDER}": (names.DIRECTORY, "Personnel", ()),
}

#: roles that see the folders where the workflow of the site would show them to everybody
_READERS = ("Manager", "Site Administrator", "Owner", "Editor", "Reviewer", "Contributor", "Reader")


def installed(tool):
    """Post handler of the profile ``iadocs``."""
    site = getToolByName(tool, "portal_url").getPortalObject()
    types = getToolByName(site, "portal_types")
    for portal_type in BEHAVIORS:
        if portal_type not in types:
            _create_type(tool, types, portal_type)
        elif _add_behaviors(types[portal_type]):
            _index(site, portal_type)
    for path, definition in FOLDERS.items():
        _create_folder(site, path, *definition)
    for folder in mail_folders(site):
        if getattr(aq_base(folder), "layout", None) is None and not folder.getDefaultPage():
            folder.setLayout(names.MAIL_LIST)
    _show_in_navigation()
    _search_mail_instead_of_files()


def mail_folders(site):
    """Return the folders of mail and those of the periods in them."""
    catalog = getToolByName(site, "portal_catalog")
    root = "/".join(site.getPhysicalPath())
    paths = [f"{root}/{name}" for name in (names.INCOMING_FOLDER, names.OUTGOING_FOLDER)]
    brains = catalog.unrestrictedSearchResults(portal_type="Folder", path={"query": paths, "depth": 1})
    tops = [site.unrestrictedTraverse(path, None) for path in paths]
    return [top for top in tops if top is not None] + [brain._unrestrictedGetObject() for brain in brains]


def _create_type(tool, types, portal_type):
    types._setObject(portal_type, DexterityFTI(portal_type))
    fti = types[portal_type]
    context = DirectoryImportContext(tool, str(DEFINITIONS))
    importer = getMultiAdapter((fti, context), IBody)
    importer.body = context.readDataFile(f"{portal_type}.xml")
    _add_behaviors(fti)
    getToolByName(types, "portal_workflow").setChainForPortalTypes([portal_type], WORKFLOWS[portal_type])


def _add_behaviors(fti):
    """Append the behaviors that are missing; tell whether there were any."""
    portal_type = fti.getId()
    behaviors = BEHAVIORS[portal_type]
    if portal_type == names.HELD_POSITION and not _has_field(portal_type, "email"):
        behaviors += (AGENT_ADDRESS,)
    missing = tuple(name for name in behaviors if name not in fti.behaviors)
    if missing:
        fti.manage_changeProperties(behaviors=(*fti.behaviors, *missing))
    return bool(missing)


def _has_field(portal_type, name):
    return any(name in schema.names(all=True) for schema in iterSchemataForType(portal_type))


def _index(site, portal_type):
    """Index the contacts and mails that existed before, in our indexes alone, and mails by their text."""
    if portal_type in names.CONTACT_TYPES:
        idxs, column = CONTACT_INDEXES, False
    elif MAIL in BEHAVIORS[portal_type]:
        idxs, column = (*MAIL_INDEXES, "SearchableText"), True
    else:
        return
    catalog = getToolByName(site, "portal_catalog")
    for brain in catalog.unrestrictedSearchResults(portal_type=portal_type):
        content = brain._unrestrictedGetObject()
        catalog.catalog_object(content, brain.getPath(), idxs=list(idxs), update_metadata=column)
        content._p_deactivate()


def _create_folder(site, path, portal_type, title, allowed):
    parent_path, _, id = path.rpartition("/")
    parent = site.unrestrictedTraverse(parent_path) if parent_path else site
    if id in parent:
        return
    folder = createContent(portal_type, title=title)
    folder.id = id
    parent._setObject(id, folder)
    folder = parent[id]
    if allowed:
        constrained = ISelectableConstrainTypes(folder)
        constrained.setConstrainTypesMode(ENABLED)
        constrained.setLocallyAllowedTypes(allowed)
        constrained.setImmediatelyAddableTypes(allowed)
    if "Anonymous" in rolesForPermissionOn(View, folder):
        for permission in (View, AccessContentsInformation):
            folder.manage_permission(permission, _READERS)
        folder.reindexObjectSecurity()
    if (
        id == names.PERSONNEL_FOLDER
    ):  # whoever may add contacts must not add agents, who send in their own name
        folder.manage_permission(AddPortalContent, ("Manager", "Site Administrator"))


def _show_in_navigation():
    """Show the contacts beside the other folders in the navigation."""
    registry = getUtility(IRegistry)
    shown = registry.get(DISPLAYED_TYPES, ())
    if names.DIRECTORY not in shown:
        registry[DISPLAYED_TYPES] = (*shown, names.DIRECTORY)


def _search_mail_instead_of_files():
    registry = getUtility(IRegistry)
    left_out = registry.get(NOT_SEARCHED, ())
    registry[NOT_SEARCHED] = (*left_out, *(each for each in FILES if each not in left_out))
