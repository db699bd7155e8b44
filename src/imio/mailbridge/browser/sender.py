"""The form ``@@mailbridge-create-contact``: an unknown sender becomes a contact and the document's sender.

``@@mailbridge-inbox-contact?id=`` is the same for an incoming message that still waits: filed later, it has its sender.
``@@mailbridge-new-contact?address=`` makes a contact of somebody an agent writes to, in a tab of its own beside the e-mail.
"""

from functools import cached_property
from imio.mailbridge.browser.addresses import widget_text
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.browser.inbox_access import visible_record
from imio.mailbridge.browser.inbox_list import review_url
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.indexers import contact_email
from imio.mailbridge.iadocs.indexers import contact_name
from imio.mailbridge.iadocs.names_guess import guess_name
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings import validate
from plone import api
from plone.api.env import adopt_roles
from plone.app.layout.viewlets.common import ViewletBase
from plone.autoform.form import AutoExtensibleForm
from plone.supermodel import model
from plone.z3cform.layout import FormWrapper
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form import button
from z3c.form import form
from z3c.relationfield import RelationValue
from zExceptions import NotFound
from zope import schema
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.event import notify
from zope.intid.interfaces import IIntIds
from zope.lifecycleevent import ObjectModifiedEvent


class ISender(model.Schema):
    """A new person."""

    lastname = schema.TextLine(title=_("Last name"), constraint=validate.one_line)
    firstname = schema.TextLine(title=_("First name"), constraint=validate.one_line, required=False)
    email = schema.TextLine(title=_("E-mail address"), constraint=validate.address)


def unknown_sender(document):
    """Return (name, address) of the author when no contact is related, else None."""
    if getattr(document, "portal_type", "") != names.INCOMING_EMAIL or document.sender:
        return None
    author = next(iter(typed_addresses(document.orig_sender_email or "")), None)
    return (author.display_name, author.addr_spec) if isinstance(author, Address) else None


def contacts():
    """Return the directory when the current user may add to it, else None; managers of mail may: it is part of deciding."""
    folder = api.portal.get().get(names.CONTACTS_FOLDER)
    allowed = folder is not None and (
        is_manager() or api.user.has_permission("Add portal content", obj=folder)
    )
    return folder if allowed else None


def unknown_author(record):
    """Return (name, address) of the author of an incoming message when no contact has this address, else None."""
    author = next(iter(typed_addresses(record.author)), None)
    if not isinstance(author, Address) or IDirectory(getSite()).senders(author.addr_spec):
        return None
    return author.display_name, author.addr_spec


def same_person(data):
    """Return the person with this name and address, or None: a button pressed twice makes one contact."""
    wanted = [(data[name] or "").casefold() for name in ("lastname", "firstname", "email")]
    for contact in IDirectory(getSite()).contacts_with_address(data["email"]):
        found = [getattr(contact, name, None) or "" for name in ("lastname", "firstname", "email")]
        if contact.portal_type == names.PERSON and [text.casefold() for text in found] == wanted:
            return contact
    return None


class SenderViewlet(ViewletBase):
    """The action on a document whose sender is not among the contacts."""

    def update(self):
        """Find the unknown sender."""
        super().update()
        self.unknown = unknown_sender(self.context) if contacts() is not None else None
        self.url = f"{self.context.absolute_url()}/@@mailbridge-create-contact"


class ContactForm(TokenForm, AutoExtensibleForm, form.Form):
    """The form, filled in from ``unknown``, the name and address of a sender; the names are a guess."""

    schema = ISender
    ignoreContext = True  # noqa: N815 - of z3c.form
    label = _("Create a contact for the sender")
    description = _("The first and last names are a guess: check them.")

    def update(self):
        """Show the form only where there is something to create; errors: ``NotFound``."""
        if self.unknown is None or contacts() is None:
            raise NotFound(self.__name__)
        super().update()

    def updateWidgets(self, prefix=None):  # noqa: N802 - of z3c.form
        """Fill in what the message says."""
        super().updateWidgets(prefix)
        if self.request.method == "POST":
            return
        name, address = self.unknown
        last, first = guess_name(name)
        for field, value in (("lastname", last), ("firstname", first), ("email", address)):
            self.widgets[field].value = value

    def updateActions(self):  # noqa: N802 - of z3c.form
        """Mark the main button."""
        super().updateActions()
        self.actions["create"].klass = "submit-widget btn btn-primary"

    @button.buttonAndHandler(_("Create the contact"), name="create")
    def handle_create(self, action):
        """Create the person."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return
        person = same_person(data)
        if person is None:
            title = " ".join(filter(None, (data["firstname"], data["lastname"])))
            with adopt_roles(["Manager"]):  # ``contacts`` says whether the user may
                person = api.content.create(contacts(), names.PERSON, title=title, **data)
        self.created(person)


class CreateContact(ContactForm):
    """The form for the sender of a document."""

    @property
    def unknown(self):
        """Return name and address of the unknown sender, or None."""
        return unknown_sender(self.context)

    def created(self, person):
        """Relate the document to the new person."""
        relation = RelationValue(getUtility(IIntIds).getId(person))
        self.context.sender = [*(self.context.sender or []), relation]
        notify(ObjectModifiedEvent(self.context))
        api.portal.show_message(
            _("The contact has been created, and the document now has its sender."), self.request
        )
        self.request.response.redirect(f"{self.context.absolute_url()}/view")


class ContactOfMessage(ContactForm):
    """The form for the author of an incoming message."""

    @cached_property
    def unknown(self):
        """Return name and address of the unknown author, or None."""
        return unknown_author(visible_record(self.request))

    @property
    def action(self):
        """Return the address of this form."""
        return f"{self.request.getURL()}?id={self.request.form['id']}"

    def created(self, person):
        """Go back to the message."""
        api.portal.show_message(_("The contact has been created."), self.request)
        self.request.response.redirect(review_url(self.request.form["id"]))


class NewContact(ContactForm):
    """The form for somebody an agent writes to, ``address`` in the address of the page; it ends with what was made."""

    label = _("New contact")
    description = ""
    contact = ""

    @property
    def unknown(self):
        """Return name and address that the e-mail has, or empty texts."""
        given = self.request.form.get("address")
        author = next(iter(typed_addresses(given if isinstance(given, str) else "")), None)
        return (author.display_name, author.addr_spec) if isinstance(author, Address) else ("", "")

    def created(self, person):
        """Say what was made; the script of the page adds it to the e-mail."""
        self.contact = widget_text(Address(contact_name(person), contact_email(person)))


class NewContactPage(FormWrapper):
    """The page around the form."""

    form = NewContact
    index = ViewPageTemplateFile("templates/new_contact.pt")
