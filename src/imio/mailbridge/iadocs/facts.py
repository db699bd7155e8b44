"""What fields of templates stand for in iA.docs: the document, the e-mail that it answers, the contact who is written to.

Each function returns name of a field → texts (``ISendingContext.facts``). Contacts that the current user may not view say nothing.
"""

from AccessControl import getSecurityManager
from Acquisition import aq_base
from Acquisition import aq_parent
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.directory import Directory
from imio.mailbridge.iadocs.indexers import contact_name
from imio.mailbridge.outbox.merge_fields import language
from imio.mailbridge.settings.clock import written_date
from Products.CMFCore.permissions import View
from zope.component.hooks import getSite


def of_document(document):
    """Return the facts of an incoming e-mail or an outgoing mail."""
    date = _day(document, "original_mail_date") or _day(document, "outgoing_date")
    return {
        "document.title": (_title(document),),
        "document.reference": (_text(document, "internal_reference_no"),),
        "document.date": (date,),
    }


def of_answered(documents):
    """Return the facts of the incoming e-mails that are answered."""
    visible = [each for each in documents if _may_view(each)]
    return {
        "answered.title": [_title(each) for each in visible],
        "answered.reference": [_text(each, "internal_reference_no") for each in visible],
        "answered.date": [_day(each, "original_mail_date") for each in visible],
        "answered.received": [_day(each, "reception_date") for each in visible],
    }


def of_recipient(address, related):
    """Return the facts of the contacts with an ``Address``, or of none; those ``related`` to the document come first."""
    found = [] if address is None else Directory(getSite()).contacts_with_address(address.addr_spec)
    visible = [each for each in found if _may_view(each)]
    known = {_key(each) for each in related}
    chosen = (
        [each for each in visible if _key(each) in known]
        or [each for each in visible if address.display_name in (contact_name(each), each.Title())]
        or visible
    )
    persons = [aq_parent(each) if each.portal_type == names.HELD_POSITION else each for each in chosen]
    return {
        "recipient.title": [_text(each, "person_title") for each in persons],
        "recipient.firstname": [_text(each, "firstname") for each in persons],
        "recipient.lastname": [_text(each, "lastname") for each in persons],
        "recipient.name": [contact_name(each) for each in persons],
        "recipient.organization": [_organization(each) for each in chosen],
    }


def _key(contact):
    """Return where the person or organization of a contact stands."""
    person = aq_parent(contact) if contact.portal_type == names.HELD_POSITION else contact
    return person.getPhysicalPath()


def _may_view(content):
    return bool(getSecurityManager().checkPermission(View, content))


def _organization(contact):
    if contact.portal_type == names.ORGANIZATION:
        return contact.Title()
    relation = getattr(aq_base(contact), "position", None)
    organization = None if relation is None or relation.isBroken() else relation.to_object
    return organization.Title() if organization is not None and _may_view(organization) else ""


def _title(document):
    title = document.Title()
    return "" if title == names.EMPTY_SUBJECT else title


def _text(content, name):
    text = getattr(aq_base(content), name, None)
    return text if isinstance(text, str) else ""


def _day(document, name):
    day = getattr(aq_base(document), name, None)
    return written_date(day, language()) if day else ""
