"""Uninstalls what the profile ``iadocs`` made: everything of ours that is empty; documents stay."""

from Acquisition import aq_base
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.install import AGENT
from imio.mailbridge.iadocs.install import AGENT_ADDRESS
from imio.mailbridge.iadocs.install import COLUMN
from imio.mailbridge.iadocs.install import DISPLAYED_TYPES
from imio.mailbridge.iadocs.install import FILES
from imio.mailbridge.iadocs.install import FOLDERS
from imio.mailbridge.iadocs.install import INDEXES
from imio.mailbridge.iadocs.install import MAIL
from imio.mailbridge.iadocs.install import mail_folders
from imio.mailbridge.iadocs.install import NOT_SEARCHED
from imio.mailbridge.iadocs.install import SEND_BY_EMAIL
from imio.mailbridge.iadocs.install import WORKFLOWS
from imio.mailbridge.iadocs.reference import KEY
from plone.registry.interfaces import IRegistry
from Products.CMFCore.utils import getToolByName
from zope.annotation.interfaces import IAnnotations
from zope.component import getUtility


#: folder → the type that it is for; the folder is ours when the type is
_FOLDER_OF = {
    names.INCOMING_FOLDER: names.INCOMING_EMAIL,
    names.OUTGOING_FOLDER: names.OUTGOING_MAIL,
    names.CONTACTS_FOLDER: names.DIRECTORY,
    f"{names.CONTACTS_FOLDER}/{names.PERSONNEL_FOLDER}": names.DIRECTORY,
}


def remove(site):
    """Remove behaviors, indexes, empty folders, unused types and their workflows.

    Return our portal types that were kept because content of them exists. It keeps its workflow, and the counter
    of references stays with the e-mails, so that no number is given twice.
    """
    types = getToolByName(site, "portal_types")
    catalog = getToolByName(site, "portal_catalog")
    ours = [portal_type for portal_type in WORKFLOWS if portal_type in types and _is_ours(types[portal_type])]
    for fti in types.objectValues("Dexterity FTI"):
        _remove_behaviors(fti)
    for folder in mail_folders(site):
        if getattr(aq_base(folder), "layout", None) == names.MAIL_LIST:
            folder.manage_delProperties(["layout"])
    fti = getToolByName(site, "portal_types").get("Folder")
    if fti is not None:
        fti.manage_changeProperties(
            view_methods=tuple(each for each in fti.view_methods if each != names.MAIL_LIST)
        )
    for path in reversed(FOLDERS):
        if _FOLDER_OF[path] in ours:
            _remove_if_empty(site, path)
    kept = [portal_type for portal_type in ours if catalog.unrestrictedSearchResults(portal_type=portal_type)]
    _remove_types(site, [portal_type for portal_type in ours if portal_type not in kept])
    for index in INDEXES:
        if index in catalog.indexes():
            catalog.delIndex(index)
    if COLUMN in catalog.schema():
        catalog.delColumn(COLUMN)
    registry = getUtility(IRegistry)
    registry[NOT_SEARCHED] = tuple(each for each in registry.get(NOT_SEARCHED, ()) if each not in FILES)
    if names.INCOMING_EMAIL not in kept:
        IAnnotations(site).pop(KEY, None)
    return tuple(kept)


def _is_ours(fti):
    return getattr(fti, "schema", "").startswith("imio.mailbridge.")


def _remove_behaviors(fti):
    remaining = tuple(
        name for name in fti.behaviors if name not in (SEND_BY_EMAIL, MAIL, AGENT, AGENT_ADDRESS)
    )
    if remaining != tuple(fti.behaviors):
        fti.manage_changeProperties(behaviors=remaining)


def _remove_if_empty(site, path):
    folder = site.unrestrictedTraverse(path, None)
    if folder is None:
        return
    for period in list(folder.objectValues()):
        if period.portal_type == "Folder" and not period.objectCount():
            folder._delObject(period.getId())
    if not folder.objectCount():
        folder.aq_parent._delObject(folder.getId())


def _remove_types(site, portal_types):
    workflows = getToolByName(site, "portal_workflow")
    types = getToolByName(site, "portal_types")
    workflows.setChainForPortalTypes(portal_types, None)
    for portal_type in portal_types:
        types._delObject(portal_type)
    registry = getUtility(IRegistry)
    shown = registry.get(DISPLAYED_TYPES, ())
    registry[DISPLAYED_TYPES] = tuple(portal_type for portal_type in shown if portal_type not in portal_types)
    bound = {id for _type, chain in workflows.listChainOverrides() for id in chain}
    unused = {id for chain in WORKFLOWS.values() for id in chain} - bound
    for id in unused & set(workflows.objectIds()):
        workflows._delObject(id)
