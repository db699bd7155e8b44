"""Behavior for agent records whose type has no e-mail field: the address of the agent."""

from imio.mailbridge.i18n import _
from imio.mailbridge.settings import validate
from plone.autoform.interfaces import IFormFieldProvider
from plone.supermodel import model
from zope import schema
from zope.interface import provider


@provider(IFormFieldProvider)
class IAgentAddress(model.Schema):
    """The e-mail address of an agent."""

    model.fieldset("mail", label=_("E-mail"), fields=["email"])

    email = schema.TextLine(
        title=_("E-mail address"),
        description=_("E-mails written by this agent carry this address, and answers to them come to it."),
        constraint=validate.address,
        required=False,
    )
