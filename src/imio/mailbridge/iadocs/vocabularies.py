"""Vocabularies of the forms; a value that the content has stays among the choices, even where it is no longer offered."""

from Acquisition import aq_base
from imio.mailbridge.behaviors.sending import ContentSendingContext
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.settings import rules
from imio.mailbridge.store.per_request import once_a_request
from plone.app.content.browser.vocabulary import PERMISSIONS
from Products.CMFCore.utils import getToolByName
from zope.component.hooks import getSite
from zope.interface import provider
from zope.schema.interfaces import IVocabularyFactory
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


_SEND = "imio.mailbridge: Send email"
_MANAGE = "imio.mailbridge: Manage mail"

#: Who may list a vocabulary over REST and from widgets. This mapping is how Plone lets an add-on ask for more than View; values are
#: validated without it.
PERMISSIONS.update(
    {
        "imio.mailbridge.agents": _SEND,
        "imio.mailbridge.files": _SEND,
        "imio.mailbridge.incoming_states": _MANAGE,
        "imio.mailbridge.incoming_transitions": _MANAGE,
        "imio.mailbridge.mail_types": _SEND,
        "imio.mailbridge.positions": _SEND,
        "imio.mailbridge.route_services": _MANAGE,
        "imio.mailbridge.route_users": _MANAGE,
        "imio.mailbridge.send_modes": _SEND,
        "imio.mailbridge.services": _SEND,
    }
)


@provider(IVocabularyFactory)
def services(context):
    """List the organizations below the town by uid, or below any where the town is not marked."""
    terms = [SimpleTerm(uid, uid, title) for uid, title in _services()]
    return _tolerant(terms, context, "treating_groups", "recipient_groups", "primary_organization")


def _changes():
    """Return the number of changes of the catalog so far."""
    return getToolByName(getSite(), "portal_catalog").getCounter()


@once_a_request(key=_changes)  # a form asks for each row of a table
def _services():
    """Return uid and title of each service."""
    site = getSite()
    contacts = (*site.getPhysicalPath(), names.CONTACTS_FOLDER)
    town = site.unrestrictedTraverse(f"{names.CONTACTS_FOLDER}/{names.OWN_ORGANIZATION}", None)
    top = contacts if town is None else town.getPhysicalPath()
    nested = len(contacts) + 2
    brains = getToolByName(site, "portal_catalog").unrestrictedSearchResults(
        portal_type=names.ORGANIZATION, path="/".join(top), sort_on="sortable_title"
    )
    return [
        (brain.UID, brain.Title)
        for brain in brains
        if brain.getPath().count("/") + 1 >= nested and brain.review_state != names.DEACTIVATED
    ]


@provider(IVocabularyFactory)
def agents(context):
    """List the agents by userid."""
    terms = {}
    catalog = getToolByName(getSite(), "portal_catalog")
    for brain in _personnel(names.PERSON):
        entry = catalog.Indexes["mailbridge_userid"].getEntryForObject(brain.getRID())
        if entry and brain.review_state != names.DEACTIVATED:
            terms.setdefault(entry, SimpleTerm(entry, entry, brain.Title))
    return _tolerant(list(terms.values()), context, "assigned_user")


@provider(IVocabularyFactory)
def positions(context):
    """List the positions of agents by uid."""
    terms = [
        SimpleTerm(brain.UID, brain.UID, brain.Title)
        for brain in _personnel(names.HELD_POSITION)
        if brain.review_state != names.DEACTIVATED
    ]
    return _tolerant(terms, context, "sender")


@provider(IVocabularyFactory)
def files(context):
    """List the files of a document by uid."""
    references = ContentSendingContext(context).files() if ISendByEmail.providedBy(context) else ()
    terms = [SimpleTerm(file.uid, file.uid, file.filename) for file in references]
    return _tolerant(terms, context, "email_attachments")


@provider(IVocabularyFactory)
def mail_types(context):
    """List the kinds of incoming mail."""
    return _tolerant([_term("email", _("E-mail")), _term("courrier", _("Letter"))], context, "mail_type")


@provider(IVocabularyFactory)
def send_modes(context):
    """List the ways of sending."""
    terms = [
        _term("email", _("E-mail")),
        _term("post", _("Letter")),
        _term("post_registered", _("Registered letter")),
    ]
    return _tolerant(terms, context, "send_modes")


@provider(IVocabularyFactory)
def route_users(context):
    """List what a route can assign: an agent, the forwarding agent, or nobody."""
    special = [
        _term("_empty_", _("Nobody")),
        _term("_transferer_", _("The agent who forwarded it")),
    ]
    return _with_former([*special, *agents(context)], "user_value")


@provider(IVocabularyFactory)
def route_services(context):
    """List which service a route can choose: one of the town's, or one that follows from the assigned agent."""
    special = [
        _term("_empty_", _("That of the mailbox or mail-in address")),
        _term("_primary_org_", _("The agent's primary service")),
        _term("_hp_", _("The service of the agent's position with the address that forwarded")),
        _term("_uni_org_only_", _("The agent's service, where there is only one")),
    ]
    return _with_former([*special, *services(context)], "tg_value")


@provider(IVocabularyFactory)
def incoming_states(context):
    """List the states of an incoming e-mail."""
    workflows = getToolByName(getSite(), "portal_workflow")
    states = {}
    for name in workflows.getChainForPortalType(names.INCOMING_EMAIL):
        for state in workflows[name].states.values():
            states.setdefault(state.getId(), SimpleTerm(state.getId(), state.getId(), state.title))
    return SimpleVocabulary(list(states.values()))


@provider(IVocabularyFactory)
def incoming_transitions(context):
    """List the transitions of an incoming e-mail that people choose."""
    workflows = getToolByName(getSite(), "portal_workflow")
    transitions = {}
    for name in workflows.getChainForPortalType(names.INCOMING_EMAIL):
        for each in workflows[name].transitions.values():
            title = each.actbox_name or each.title or each.getId()
            transitions.setdefault(each.getId(), SimpleTerm(each.getId(), each.getId(), title))
    return SimpleVocabulary(list(transitions.values()))


def former_title(value):
    """Return the title of a service (uid) or an agent (userid) that stands in no list any more, or an empty string."""
    found = getToolByName(getSite(), "portal_catalog").unrestrictedSearchResults(
        portal_type=names.ORGANIZATION, UID=value
    ) or _personnel(names.PERSON, mailbridge_userid=value)
    return found[0].Title if found else ""


def _personnel(portal_type, **query):
    site = getSite()
    catalog = getToolByName(site, "portal_catalog")
    if "mailbridge_userid" not in catalog.indexes():
        return ()
    path = (*site.getPhysicalPath(), names.CONTACTS_FOLDER, names.PERSONNEL_FOLDER)
    return catalog.unrestrictedSearchResults(
        portal_type=portal_type, path="/".join(path), sort_on="sortable_title", **query
    )


def _term(value, title):
    return SimpleTerm(value, value, title)


def _with_former(terms, column):
    """Add what rules have in a column and the site has no more: the registry keeps all rows, or none."""
    known = {term.value for term in terms}
    for value in sorted(rules.in_use(column) - known):
        name = former_title(value) or value
        terms.append(_term(value, _("${value} (no longer available)", mapping={"value": name})))
    return SimpleVocabulary(terms)


def _tolerant(terms, context, *attributes):
    """Add a term for each value of these attributes that has none."""
    known = {term.value for term in terms}
    for attribute in attributes:
        value = getattr(aq_base(context), attribute, None)
        for present in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(present, str) and present and present not in known:
                known.add(present)
                terms.append(_term(present, _("${value} (no longer available)", mapping={"value": present})))
    return SimpleVocabulary(terms)
