"""The people and services of the town, looked up in the catalog of iA.docs.

Agents are the persons with a userid below ``contacts/personnel-folder``, and nobody else: a user who may
edit other contacts cannot turn one into an agent. Lookups for the sender and for filing see every contact, ``complete`` sees those
that the current user may view.
"""

from Acquisition import aq_base
from Acquisition import aq_parent
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.indexers import contact_email
from imio.mailbridge.iadocs.indexers import contact_name
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.ports.directory import IDirectory
from plone.base.interfaces import IPloneSiteRoot
from plone.uuid.interfaces import IUUID
from Products.CMFCore.utils import getToolByName
from zope.component import adapter
from zope.interface import implementer
import re


_WORD = re.compile(r"\w+")


@adapter(IPloneSiteRoot)
@implementer(IDirectory)
class Directory:
    """The directory of one site; empty where the profile ``iadocs`` is not installed."""

    def __init__(self, site):
        self.site = site
        self.catalog = getToolByName(site, "portal_catalog")
        self.workflows = getToolByName(site, "portal_workflow")

    def identities(self, userid, service_uids):
        """Return the user's positions, that of the primary service first, then the services in the order given."""
        persons = self._agents(userid)
        positions = [position for person in persons for position in self._positions(person)]
        services = self._services(persons, positions) if service_uids else {}
        own = [self._identity(position, "position") for position in positions]
        return tuple(
            own + [self._identity(services[uid], "service") for uid in service_uids if uid in services]
        )

    def complete(self, text, limit=10):
        """Return addresses of contacts whose words begin like those of ``text``, whatever the accents."""
        words = _WORD.findall(text)
        if not words or not self._indexed:
            return ()
        brains = self.catalog.searchResults(mailbridge_contact=" AND ".join(f"{word}*" for word in words))
        found = {}
        for brain in brains:
            contact = brain._unrestrictedGetObject()
            address = Address(contact_name(contact), contact_email(contact))
            if is_addr_spec(address.addr_spec) and self.is_active(contact):
                found.setdefault((address.display_name, address.addr_spec.lower()), address)
            if len(found) >= limit:
                break
        return tuple(found.values())

    def agent_userid(self, addr_spec):
        """Return the userid of the agent who has this address, in their record or in one of their positions."""
        for contact in self.contacts_with_address(addr_spec):
            person = self._agent_of(contact)
            if person is not None:
                return person.userid
        return ""

    def contacts_with_address(self, addr_spec):
        """Return the active contacts with this address: agents first, in their primary service before all."""
        if not addr_spec or not self._indexed:
            return ()
        brains = self.catalog.unrestrictedSearchResults(mailbridge_email=addr_spec.strip().lower())
        contacts = [brain._unrestrictedGetObject() for brain in brains]
        return tuple(sorted(filter(self.is_active, contacts), key=self._rank))

    def senders(self, addr_spec, is_proven=True):
        """Return the contacts that a mail from this address is related to: for an agent one position, otherwise all.

        No agent where the address is not proven.
        """
        contacts = self.contacts_with_address(addr_spec)
        own = [contact for contact in contacts if self._agent_of(contact) is not None]
        if not is_proven:
            return tuple(contact for contact in contacts if contact not in own)
        if not own:
            return contacts
        positions = [contact for contact in own if contact.portal_type == names.HELD_POSITION]
        return tuple((positions or self._positions(own[0]) or own)[:1])

    def is_active(self, contact):
        """Tell whether a contact is in use: a position needs a person who is."""
        if contact.portal_type == names.HELD_POSITION and not self.is_active(aq_parent(contact)):
            return False
        return self.workflows.getInfoFor(contact, "review_state", "") != names.DEACTIVATED

    # for routing

    def is_agent(self, userid):
        """Tell whether an active agent has this userid."""
        return bool(self._agents(userid))

    def primary_service(self, userid):
        """Return the uid of the agent's primary service, or an empty string."""
        primary = (getattr(aq_base(person), "primary_organization", None) for person in self._agents(userid))
        return next((uid for uid in primary if uid and self._is_active_service(uid)), "")

    def services_of(self, userid):
        """Return the uids of the services of the agent's positions, each once."""
        organizations = (
            _organization(position) for person in self._agents(userid) for position in self._positions(person)
        )
        found = dict.fromkeys(
            IUUID(each) for each in organizations if each is not None and self.is_active(each)
        )
        return tuple(found) or tuple(filter(None, (self.primary_service(userid),)))

    def service_of_position(self, addr_spec):
        """Return the uid of the service of the agent's position that has this address, or an empty string."""
        for contact in self.contacts_with_address(addr_spec):
            organization = _organization(contact)
            if self._agent_of(contact) is not None and organization is not None:
                return IUUID(organization)
        return ""

    def is_member(self, userid, service_uid):
        """Tell whether the agent has a position in the service or below it, or it is the agent's primary one."""
        persons = self._agents(userid)
        positions = [position for person in persons for position in self._positions(person)]
        return service_uid in self._services(persons, positions)

    def _is_active_service(self, uid):
        brains = self.catalog.unrestrictedSearchResults(UID=uid, portal_type=names.ORGANIZATION)
        return bool(brains) and self.is_active(brains[0]._unrestrictedGetObject())

    @property
    def _indexed(self):
        # the catalog takes a query on an index that it lacks for a query on everything
        return {"mailbridge_email", "mailbridge_contact", "mailbridge_userid"} <= set(self.catalog.indexes())

    @property
    def _personnel_path(self):
        return (*self.site.getPhysicalPath(), names.CONTACTS_FOLDER, names.PERSONNEL_FOLDER)

    def _agents(self, userid):
        if not userid or not self._indexed:
            return []
        brains = self.catalog.unrestrictedSearchResults(
            mailbridge_userid=userid, path="/".join(self._personnel_path)
        )
        return [person for brain in brains if self.is_active(person := brain._unrestrictedGetObject())]

    def _agent_of(self, contact):
        person = aq_parent(contact) if contact.portal_type == names.HELD_POSITION else contact
        personnel = self._personnel_path
        if person.portal_type != names.PERSON or person.getPhysicalPath()[: len(personnel)] != personnel:
            return None
        return person if getattr(aq_base(person), "userid", None) else None

    def _positions(self, person):
        positions = [
            child
            for child in person.objectValues()
            if child.portal_type == names.HELD_POSITION and self.is_active(child)
        ]
        return sorted(positions, key=self._rank)

    def _rank(self, contact):
        person = self._agent_of(contact)
        if person is None:
            return 2
        organization = _organization(contact)
        primary = getattr(aq_base(person), "primary_organization", None)
        return 0 if organization is not None and primary and IUUID(organization) == primary else 1

    def _services(self, persons, positions):
        """Return the agent's organizations by uid: those of the positions, the primary one, and all above."""
        organizations = [organization for position in positions if (organization := _organization(position))]
        primary = [
            person.primary_organization for person in persons if getattr(person, "primary_organization", None)
        ]
        if primary:
            brains = self.catalog.unrestrictedSearchResults(UID=primary, portal_type=names.ORGANIZATION)
            organizations += [brain._unrestrictedGetObject() for brain in brains]
        services = {}
        for organization in organizations:
            for each in _and_above(organization):
                if self.is_active(each):
                    services[IUUID(each)] = each
        return services

    def _identity(self, contact, kind):
        service = contact if kind == "service" else _organization(contact)
        person = None if kind == "service" else aq_parent(contact)
        above = list(_and_above(service))
        signature = getattr(aq_base(contact), "email_signature", None)
        return Identity(
            uid=IUUID(contact),
            kind=kind,
            address=Address(contact_name(contact), contact_email(contact)),
            may_send_as=bool(getattr(aq_base(contact), "may_send_as", False)),
            function=_text(contact, "label"),
            service=service.Title() if service is not None else "",
            service_address=contact_email(service) if service is not None else "",
            phone=next(filter(None, (_text(each, "phone") for each in (contact, person, *above))), ""),
            firstname=_text(person, "firstname"),
            lastname=_text(person, "lastname"),
            services=tuple(each.Title() for each in above if each.getId() != names.OWN_ORGANIZATION)[::-1],
            **_postal_address(contact, *above),
            signature=getattr(signature, "raw", signature) or "",
        )


def _text(contact, name):
    text = getattr(aq_base(contact), name, None)
    return text if isinstance(text, str) else ""


def _and_above(organization):
    """Return an organization and those that it stands in; nothing for None."""
    while getattr(aq_base(organization), "portal_type", None) == names.ORGANIZATION:
        yield organization
        organization = aq_parent(organization)


def _postal_address(*contacts):
    """Return the address of the first contact that has one; never a person's, who lives there."""
    for contact in contacts:
        texts = {name: _text(contact, name) for name in ("street", "number", "zip_code", "city")}
        if any(texts.values()):
            return texts
    return {}


def _organization(position):
    """Return the organization of a position, or None."""
    relation = getattr(aq_base(position), "position", None)
    return None if relation is None or relation.isBroken() else relation.to_object
