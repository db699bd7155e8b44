"""Schemas of the contacts: directory, organization, person and held position."""

from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.settings import validate
from plone.app.z3cform.widgets.contentbrowser import ContentBrowserFieldWidget
from plone.autoform import directives
from plone.supermodel import model
from z3c.relationfield.schema import RelationChoice
from zope import schema


class IDirectoryFolder(model.Schema):
    """A folder of contacts."""

    title = schema.TextLine(title=_("Title"))


class IOrganization(model.Schema):
    """A legal entity, or a service when it stands in another organization."""

    title = schema.TextLine(title=_("Name"))
    email = schema.TextLine(title=_("E-mail address"), constraint=validate.address, required=False)
    phone = schema.TextLine(title=_("Phone"), required=False)
    street = schema.TextLine(
        title=_("Street"),
        description=_("For signatures. A service without an address has that of the organization above it."),
        required=False,
    )
    number = schema.TextLine(title=_("Number"), required=False)
    zip_code = schema.TextLine(title=_("Postal code"), required=False)
    city = schema.TextLine(title=_("Town"), required=False)


class IPerson(model.Schema):
    """A citizen or an agent: agents have a userid and stand in the personnel folder."""

    person_title = schema.TextLine(
        title=_("Title of the person"), description=_("Mrs, Mr: as used to open a letter."), required=False
    )
    lastname = schema.TextLine(title=_("Last name"))
    firstname = schema.TextLine(title=_("First name"), required=False)
    email = schema.TextLine(title=_("E-mail address"), constraint=validate.address, required=False)
    phone = schema.TextLine(title=_("Phone"), required=False)
    userid = schema.TextLine(
        title=_("User name in iA.docs"),
        description=_("Only for agents."),
        required=False,
        constraint=validate.one_line,
    )
    primary_organization = schema.Choice(
        title=_("Primary service"),
        description=_("Only for agents."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )


class IHeldPosition(model.Schema):
    """A position of a person in an organization; for an agent, the record whose name and address mails carry."""

    directives.widget(
        "position", ContentBrowserFieldWidget, pattern_options={"selectableTypes": [names.ORGANIZATION]}
    )
    position = RelationChoice(
        title=_("Organization"), vocabulary="plone.app.vocabularies.Catalog", required=False
    )
    label = schema.TextLine(title=_("Function"), required=False)
    email = schema.TextLine(title=_("E-mail address"), constraint=validate.address, required=False)
    phone = schema.TextLine(title=_("Phone"), required=False)
