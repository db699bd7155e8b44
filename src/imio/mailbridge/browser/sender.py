"""The form ``@@mailbridge-create-contact``: an unknown sender becomes a contact and the document's sender."""

from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.names_guess import guess_name
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.settings import validate
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.autoform.form import AutoExtensibleForm
from plone.supermodel import model
from z3c.form import button
from z3c.form import form
from z3c.relationfield import RelationValue
from zExceptions import NotFound
from zope import schema
from zope.component import getUtility
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
    """Return the directory when the current user may add to it, else None."""
    folder = api.portal.get().get(names.CONTACTS_FOLDER)
    allowed = folder is not None and api.user.has_permission("Add portal content", obj=folder)
    return folder if allowed else None


class SenderViewlet(ViewletBase):
    """The action on a document whose sender is not among the contacts."""

    def update(self):
        """Find the unknown sender."""
        super().update()
        self.unknown = unknown_sender(self.context) if contacts() is not None else None
        self.url = f"{self.context.absolute_url()}/@@mailbridge-create-contact"


class CreateContact(TokenForm, AutoExtensibleForm, form.Form):
    """The form, filled in from the message; the names are a guess."""

    schema = ISender
    ignoreContext = True  # noqa: N815 - of z3c.form
    label = _("Create a contact for the sender")
    description = _("First and last name are a guess: check them.")

    def update(self):
        """Show the form only where there is something to create."""
        self.unknown = unknown_sender(self.context)
        if self.unknown is None or contacts() is None:
            raise NotFound("mailbridge-create-contact")
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

    @button.buttonAndHandler(_("Create the contact"), name="create")
    def handle_create(self, action):
        """Create the person and relate the document to it."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return
        title = " ".join(filter(None, (data["firstname"], data["lastname"])))
        person = api.content.create(contacts(), names.PERSON, title=title, **data)
        relation = RelationValue(getUtility(IIntIds).getId(person))
        self.context.sender = [*(self.context.sender or []), relation]
        notify(ObjectModifiedEvent(self.context))
        api.portal.show_message(_("The contact is created, and the document has its sender."), self.request)
        self.request.response.redirect(f"{self.context.absolute_url()}/view")
