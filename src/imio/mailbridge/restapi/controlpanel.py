"""``GET``/``PATCH <site>/@controlpanels/mailbridge``: the settings; secrets can be written, never read."""

from functools import partial
from imio.mailbridge.i18n import _
from imio.mailbridge.interfaces import IMailbridgeLayer
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.interfaces import TABLES
from imio.mailbridge.settings.moved_secrets import enter_again
from imio.mailbridge.settings.moved_secrets import has_moved
from imio.mailbridge.settings.moved_secrets import OWN_OWNERS
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.rows import IRow
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from imio.mailbridge.settings.smtp import why_no_reply_address
from plone.dexterity.interfaces import IDexterityContent
from plone.restapi.controlpanels import IControlpanel
from plone.restapi.controlpanels import RegistryConfigletPanel
from plone.restapi.deserializer import json_body
from plone.restapi.deserializer.controlpanels import ControlpanelDeserializeFromJson
from plone.restapi.deserializer.dxfields import DefaultFieldDeserializer
from plone.restapi.interfaces import IFieldDeserializer
from zExceptions import BadRequest
from zope.component import adapter
from zope.i18n import translate
from zope.interface import implementer
from zope.interface import Interface
from zope.interface import Invalid
from zope.publisher.interfaces.browser import IBrowserRequest
from zope.schema import getFields
from zope.schema.interfaces import ValidationError
import json


#: Tables whose rows have secrets: setting → schema of a row, key of the secrets in JSON, function that names the secrets of a row.
WITH_SECRETS = {
    "smtp_accounts": (ISmtpAccountRow, "smtp_account_secrets", str),
    "imap_mailboxes": (IImapMailboxRow, "imap_mailbox_secrets", secrets_of),
}

#: Keys that are no settings: the secrets of the default account.
SECRETS = {f"smtp_{kind}": kind for kind in password.KINDS}


class IMailbridgeControlpanel(IControlpanel):
    """The panel, for which the deserializer is registered."""


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
        for name in TABLES:
            if name in data and not _is_table(data[name]):
                raise BadRequest([self._error(name, _("A list of rows is expected here."))])
        secrets, errors = self._own_secrets(data)
        for setting, (schema, *_rest) in WITH_SECRETS.items():
            if data.get(setting):
                data[setting] = [_with_defaults(row, schema) for row in data[setting]]
                self.request.set("BODY", json.dumps(data))  # where plone.restapi reads it
            more, problems = self._secrets_of_rows(data, setting)
            secrets |= more
            errors += problems + self._row_errors(setting, data.get(setting) or ())
        errors = errors or [*self._entered_again(data, secrets), *self._without_reply_address(data)]
        if errors:
            raise BadRequest(errors)
        try:
            super().__call__(mask_validation_errors=False)
        except BadRequest as refused:
            raise BadRequest(
                [self._error(error.get("field", ""), _sentence(error["error"])) for error in refused.args[0]]
            ) from None
        for (account, kind), value in secrets.items():
            password.write(value, account, kind)
        outbox().retry_held()

    def _own_secrets(self, data):
        """Return (account, kind) → value of the secrets of the default account, and the errors in them."""
        given = {
            (DEFAULT, kind): (key, data[key]) for key, kind in SECRETS.items() if data.get(key) is not None
        }
        return self._checked(given)

    def _secrets_of_rows(self, data, setting):
        """Return (name under which it is kept, kind) → value of the secrets of the rows of a table, and the errors in them."""
        _schema, key, kept_by = WITH_SECRETS[setting]
        of_rows = data.get(key) or {}
        if not isinstance(of_rows, dict) or not all(isinstance(kinds, dict) for kinds in of_rows.values()):
            return {}, [
                self._error(
                    key, _("For each account, the names and values of its secrets are expected here.")
                )
            ]
        rows = data[setting] if setting in data else getattr(stored_settings(), setting)
        names = {row.get("name") for row in rows or ()}
        errors, given = [], {}
        for name, kinds in of_rows.items():
            if name not in names:
                errors.append(self._error(key, _("There is no account ${name}.", mapping={"name": name})))
            for kind, value in kinds.items():
                if kind not in password.KINDS:
                    mapping = {"kind": kind, "kinds": ", ".join(password.KINDS)}
                    errors.append(self._error(key, _("${kind} is not one of: ${kinds}.", mapping=mapping)))
                given[kept_by(name), kind] = (key, value)
        good, problems = self._checked(given)
        return good, errors + problems

    def _entered_again(self, data, secrets):
        """Yield an error for each account that moves to another server or login without its secret; ``secrets`` are those sent."""
        present = stored_settings()
        names = {"auth": "smtp_auth"} | {own: name for name, own in OWN_OWNERS.items()}
        before = {own: getattr(present, name) for own, name in names.items()}
        after = {own: data.get(name, before[own]) for own, name in names.items()}
        moves = [(lambda kind, message: self._error(f"smtp_{kind}", message), DEFAULT, before, after)]
        for setting, (_schema, _key, kept_by) in WITH_SECRETS.items():
            rows = {row["name"]: row for row in getattr(present, setting) or ()}
            moves += [
                (partial(self._row_error, setting, row), kept_by(row["name"]), rows[row["name"]], row)
                for row in data.get(setting) or ()
                if row["name"] in rows
            ]
        for error, account, old, new in moves:
            given = {kind: (account, kind) in secrets for kind in password.KINDS}
            if has_moved(old, new):
                for kind, message in enter_again({**new, **given}, partial(password.is_kept, account)):
                    yield error(kind, message)

    def _without_reply_address(self, data):
        """Yield an error for each account whose answers were to come to the bridge and can come to no mail-in address."""
        present = stored_settings()
        after = {
            name: data.get(name, getattr(present, name))
            for name in ("own_reply_address", "smtp_accounts", "mailin_addresses")
        }
        changed = [name for name in after if name in data]
        rows = [row for row in after["mailin_addresses"] or () if isinstance(row.get("address"), str)]
        why = why_no_reply_address([row["address"] for row in rows]) if changed else ""
        if why and after["own_reply_address"] is True:
            yield self._error("own_reply_address", why)
        for row in after["smtp_accounts"] or () if why else ():
            if row.get("own_reply_address"):
                title = ISmtpAccountRow["own_reply_address"].title
                yield self._row_error("smtp_accounts", row, title, why)

    def _checked(self, given):
        errors = [
            self._error(field, _("A password or another secret must be one line of text."))
            for field, value in given.values()
            if not (isinstance(value, str) and value.isprintable())
        ]
        return {key: value for key, (_field, value) in given.items()}, errors

    def _row_errors(self, setting, rows):
        """Return the errors in the rows of a table; each names the row and its field in words."""
        schema, key, _kept_by = WITH_SECRETS[setting]
        fields, errors = getFields(schema), []
        for row in rows:
            for name, value in row.items():
                if name not in fields:
                    problem = _("There is no such setting; secrets go into ${key}.", mapping={"key": key})
                else:
                    problem = _problem(fields[name], value)
                if problem:
                    title = fields[name].title if name in fields else name
                    errors.append(self._row_error(setting, row, title, problem))
        return errors

    def _row_error(self, setting, row, title, problem):
        mapping = {
            "name": str(row.get("name") or "?"),
            "field": translate(title, context=self.request),
            "problem": translate(problem, context=self.request),
        }
        return self._error(setting, _("Account ${name}, ${field}: ${problem}", mapping=mapping))

    def _error(self, field, message):
        return {
            "field": field,
            "message": translate(message, context=self.request),
            "error": "ValidationError",
        }


@implementer(IFieldDeserializer)
@adapter(IRow, IDexterityContent, IBrowserRequest)
class RowFromJson(DefaultFieldDeserializer):
    """Reads a row of a table; the table checks it."""

    def __call__(self, value):
        """Return the columns of the row, empty where they are not named."""
        return {name: value.get(name) for name in getFields(self.field.schema)}


def _is_table(value):
    return value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))


def _with_defaults(row, schema):
    """Return a row with a value for each setting that it does not name."""
    return {name: field.default for name, field in getFields(schema).items()} | row


def _problem(field, value):
    """Return what is wrong with a value, or an empty string."""
    try:
        field.validate(value)
    except (Invalid, ValueError) as error:
        return _sentence(error)
    return ""


def _sentence(error):
    """Return the message of a nested validation error: that of a list hides those of its rows."""
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
