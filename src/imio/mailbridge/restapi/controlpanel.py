"""``GET``/``PATCH <site>/@controlpanels/mailbridge``: the settings; the password can be written, never read."""

from imio.mailbridge.i18n import _
from imio.mailbridge.interfaces import IMailbridgeLayer
from imio.mailbridge.outbound.submit import wake_outbox
from imio.mailbridge.settings import password
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from plone.restapi.controlpanels import IControlpanel
from plone.restapi.controlpanels import RegistryConfigletPanel
from plone.restapi.deserializer import json_body
from plone.restapi.deserializer.controlpanels import ControlpanelDeserializeFromJson
from zExceptions import BadRequest
from zope.component import adapter
from zope.i18n import translate
from zope.interface import implementer
from zope.interface import Interface
from zope.schema.interfaces import ValidationError


#: Fields whose rows the field deserializer takes for granted.
ROWS = ("mailin_addresses", "mailboxes")


class IMailbridgeControlpanel(IControlpanel):
    """The panel, so that its deserializer can be found."""


@implementer(IMailbridgeControlpanel)
@adapter(Interface, IMailbridgeLayer)
class MailbridgeControlpanel(RegistryConfigletPanel):
    """The settings of the mail bridge."""

    schema = IMailbridgeSettings
    schema_prefix = PREFIX
    configlet_id = "mailbridge"
    configlet_category_id = "plone-general"


@adapter(IMailbridgeControlpanel)
class SettingsFromJson(ControlpanelDeserializeFromJson):
    """Write the settings; an error names the field and what would be right."""

    def __call__(self, mask_validation_errors=True):
        """Write all or, on an error, nothing."""
        data = json_body(self.request)
        secret = data.get("smtp_password")
        if secret is not None and not (isinstance(secret, str) and secret.isprintable()):
            raise BadRequest([self._error("smtp_password", _("The password must be one line of text."))])
        for name in ROWS:
            if name in data and not _is_table(data[name]):
                raise BadRequest([self._error(name, _("A list of rows is expected here."))])
        try:
            super().__call__(mask_validation_errors=False)
        except BadRequest as refused:
            raise BadRequest(
                [self._error(error.get("field", ""), _sentence(error["error"])) for error in refused.args[0]]
            ) from None
        if secret is not None:
            password.write(secret)
        wake_outbox()

    def _error(self, field, message):
        return {
            "field": field,
            "message": translate(message, context=self.request),
            "error": "ValidationError",
        }


def _is_table(value):
    return value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))


def _sentence(error):
    """Return what a nested validation error says; a list's error hides those of its rows."""
    inner = error.args[0] if error.args else None
    while isinstance(inner, (list, tuple)) and inner:
        error, inner = inner[0], inner[0]
        if isinstance(error, tuple):
            error = inner = error[-1]
        if isinstance(inner, Exception):
            inner = inner.args[0] if inner.args else None
    if isinstance(error, ValidationError):
        return error.doc()
    return inner if isinstance(inner, str) else str(error)
