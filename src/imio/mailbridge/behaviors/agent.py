"""Behavior of the record of a position: the mail settings of an agent."""

from imio.mailbridge.i18n import _
from plone.app.textfield import RichText
from plone.autoform import directives
from plone.autoform.interfaces import IFormFieldProvider
from plone.supermodel import model
from zope import schema
from zope.interface import provider


@provider(IFormFieldProvider)
class IMailAgent(model.Schema):
    """Mail settings of one agent in one position."""

    model.fieldset("mail", label=_("E-mail"), fields=["may_send_as", "email_signature"])

    directives.write_permission(may_send_as="imio.mailbridge.ManageMail")
    may_send_as = schema.Bool(
        title=_("The SMTP server lets the login send from this address"),
        description=_(
            "Select this only when the administrator of the mail server has allowed the login to send as this agent. The "
            "bridge then sends from the agent's own address where the settings leave it the choice."
        ),
        default=False,
        required=False,
    )
    email_signature = RichText(
        title=_("Signature"),
        description=_(
            "Appears below each new e-mail from this agent, in place of the signature of the site."
        ),
        default_mime_type="text/html",
        output_mime_type="text/x-html-safe",
        allowed_mime_types=("text/html",),
        required=False,
    )
