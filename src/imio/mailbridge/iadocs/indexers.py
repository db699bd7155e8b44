"""Catalog indexes of contacts: address, the words that find them, and userid."""

from Acquisition import aq_base
from Acquisition import aq_parent
from imio.mailbridge.iadocs import names
from imio.mailbridge.ports.sending import ISendByEmail
from plone.indexer import indexer


def contact_email(contact):
    """Return the address of a contact as its record has it, stripped, or an empty string."""
    return (getattr(aq_base(contact), "email", None) or "").strip()


def contact_name(contact):
    """Return the name that mail of a contact carries: the person's, also in a position, or the title."""
    if contact.portal_type == names.HELD_POSITION:
        contact = aq_parent(contact)
    base = aq_base(contact)
    person = " ".join(filter(None, (getattr(base, "firstname", None), getattr(base, "lastname", None))))
    return person or contact.Title()


@indexer(ISendByEmail)
def mailbridge_email(content):
    """Index the address of a contact in lower case; other content has no entry."""
    email = content.portal_type in names.CONTACT_TYPES and contact_email(content).lower()
    if not email:
        raise AttributeError("mailbridge_email")
    return email


@indexer(ISendByEmail)
def mailbridge_contact(content):
    """Index name, title and address of a contact that has an address."""
    email = content.portal_type in names.CONTACT_TYPES and contact_email(content)
    if not email:
        raise AttributeError("mailbridge_contact")
    return " ".join((contact_name(content), content.Title(), email))


@indexer(ISendByEmail)
def mailbridge_userid(content):
    """Index the userid of a person."""
    userid = content.portal_type == names.PERSON and getattr(aq_base(content), "userid", None)
    if not userid:
        raise AttributeError("mailbridge_userid")
    return userid


def reindex_positions(person, event):
    """Reindex the positions of a person who was renamed: they are found by that name (subscriber)."""
    if person.portal_type != names.PERSON or event.object is not person:
        return
    for position in person.objectValues():
        if position.portal_type == names.HELD_POSITION:
            position.reindexObject(idxs=["mailbridge_contact", "Title", "sortable_title", "SearchableText"])
