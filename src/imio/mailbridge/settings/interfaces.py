"""The registry schema of the bridge, put together from one module for each subject."""

from imio.mailbridge.i18n import _
from imio.mailbridge.settings.delivery import IDelivery
from imio.mailbridge.settings.imap import IImap
from imio.mailbridge.settings.mailin import IIncoming
from imio.mailbridge.settings.routing import IRouting
from imio.mailbridge.settings.smtp import IOutgoing
from imio.mailbridge.settings.trust import ITrust
from plone.autoform import directives
from plone.supermodel import model
from z3c.form.browser.checkbox import CheckBoxFieldWidget
from zope import schema


PREFIX = "imio.mailbridge"

#: The settings that are tables.
TABLES = (
    "smtp_accounts",
    "mailin_addresses",
    "mailboxes",
    "imap_mailboxes",
    "iemail_routing",
    "iemail_state_set",
)


class IMailbridgeSettings(IOutgoing, IDelivery, IIncoming, IImap, IRouting, ITrust, model.Schema):
    """All settings of the bridge."""

    directives.widget("service_senders", CheckBoxFieldWidget)
    directives.widget("bcc_default", CheckBoxFieldWidget)
    directives.omitted("smtp_accounts", "imap_mailboxes")
    directives.widget("proofs", CheckBoxFieldWidget)

    model.fieldset("outgoing", label=_("Outgoing mail"), fields=schema.getFieldNamesInOrder(IOutgoing))
    model.fieldset("delivery", label=_("Delivery"), fields=schema.getFieldNamesInOrder(IDelivery))
    model.fieldset("incoming", label=_("Incoming mail"), fields=schema.getFieldNamesInOrder(IIncoming))
    model.fieldset("routing", label=_("Routing"), fields=schema.getFieldNamesInOrder(IRouting))
    model.fieldset("trust", label=_("Trust"), fields=schema.getFieldNamesInOrder(ITrust))
