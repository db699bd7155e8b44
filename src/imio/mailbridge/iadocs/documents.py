"""Schemas of the documents: incoming e-mail and outgoing mail."""

from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from plone.app.textfield import RichText
from plone.app.z3cform.widgets.contentbrowser import ContentBrowserFieldWidget
from plone.autoform import directives
from plone.supermodel import model
from z3c.form.browser.checkbox import CheckBoxFieldWidget
from z3c.form.interfaces import IAddForm
from z3c.relationfield.schema import RelationChoice
from z3c.relationfield.schema import RelationList
from zope import schema
from zope.interface import Interface


CONTACTS = {"selectableTypes": list(names.CONTACT_TYPES)}
DOCUMENTS = {"selectableTypes": [names.INCOMING_EMAIL, names.OUTGOING_MAIL, "dmsincomingmail"]}
_CATALOG = "plone.app.vocabularies.Catalog"
_SERVICES = "imio.mailbridge.services"


def _relations(title):
    return RelationList(
        title=title, value_type=RelationChoice(vocabulary=_CATALOG), default=[], required=False
    )


def _choices(title, vocabulary):
    return schema.List(title=title, value_type=schema.Choice(vocabulary=vocabulary), required=False)


class IMail(Interface):
    """Marker (by behavior) of documents that are a mail: the catalog knows what lists and searches need."""


class IDmsIncomingEmail(model.Schema):
    """An e-mail that came in. ``reception_date`` is naive, in the time zone of the site."""

    title = schema.TextLine(title=_("Subject"))
    orig_sender_email = schema.TextLine(title=_("Original sender"), required=False)
    directives.widget("sender", ContentBrowserFieldWidget, pattern_options=CONTACTS)
    sender = _relations(_("Senders"))
    original_mail_date = schema.Date(title=_("Date of the mail"), required=False)
    reception_date = schema.Datetime(title=_("Received on"), required=False)
    mail_type = schema.Choice(
        title=_("Kind of mail"), vocabulary="imio.mailbridge.mail_types", default="email", required=False
    )
    treating_groups = schema.Choice(title=_("Handling service"), vocabulary=_SERVICES, required=False)
    directives.widget("recipient_groups", CheckBoxFieldWidget)
    recipient_groups = _choices(_("Services informed"), _SERVICES)
    assigned_user = schema.Choice(
        title=_("Assigned agent"), vocabulary="imio.mailbridge.agents", required=False
    )
    external_reference_no = schema.TextLine(title=_("Sender's reference"), required=False)
    internal_reference_no = schema.TextLine(title=_("Our reference"), required=False)
    directives.widget("send_modes", CheckBoxFieldWidget)
    send_modes = _choices(_("Ways of sending"), "imio.mailbridge.send_modes")
    directives.widget("reply_to", ContentBrowserFieldWidget, pattern_options=DOCUMENTS)
    reply_to = _relations(_("Answers"))


class IDmsOutgoingMail(model.Schema):
    """A mail of the town, on paper or by e-mail."""

    title = schema.TextLine(title=_("Subject"))
    sender = schema.Choice(title=_("Sender"), vocabulary="imio.mailbridge.positions", required=False)
    directives.widget("recipients", ContentBrowserFieldWidget, pattern_options=CONTACTS)
    recipients = _relations(_("Recipients"))
    orig_sender_email = schema.TextLine(title=_("Original sender"), required=False)
    directives.widget("send_modes", CheckBoxFieldWidget)
    send_modes = _choices(_("Ways of sending"), "imio.mailbridge.send_modes")
    directives.widget("reply_to", ContentBrowserFieldWidget, pattern_options=DOCUMENTS)
    reply_to = _relations(_("Answers"))
    treating_groups = schema.Choice(title=_("Handling service"), vocabulary=_SERVICES, required=False)
    outgoing_date = schema.Datetime(title=_("Sent on"), required=False)
    internal_reference_no = schema.TextLine(title=_("Our reference"), required=False)

    model.fieldset(
        "email",
        label=_("E-mail"),
        fields=[
            "email_status",
            "email_subject",
            "email_sender",
            "email_recipient",
            "email_cc",
            "email_bcc",
            "email_attachments",
            "email_body",
        ],
    )
    directives.omitted(IAddForm, "email_status")
    directives.mode(email_status="display")
    email_status = schema.TextLine(title=_("Status"), readonly=True, required=False)
    email_subject = schema.TextLine(title=_("E-mail subject"), required=False)
    email_sender = schema.TextLine(title=_("Sender's e-mail address"), required=False)
    email_recipient = schema.TextLine(title=_("Recipients' e-mail addresses"), required=False)
    email_cc = schema.TextLine(title=_("E-mail addresses in copy"), required=False)
    email_bcc = schema.TextLine(title=_("E-mail addresses in blind copy"), required=False)
    directives.omitted(IAddForm, "email_attachments")
    directives.widget("email_attachments", CheckBoxFieldWidget)
    email_attachments = _choices(_("Attachments"), "imio.mailbridge.files")
    email_body = RichText(title=_("Text of the e-mail"), required=False)
