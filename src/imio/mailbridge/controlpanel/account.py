"""Add, edit and delete an SMTP account: ``@@mailbridge-account-add``, ``…-edit``, ``…-delete``."""

from copy import copy
from imio.mailbridge.controlpanel import foretold
from imio.mailbridge.controlpanel import groups
from imio.mailbridge.controlpanel.row_form import DeletePage
from imio.mailbridge.controlpanel.row_form import Edited
from imio.mailbridge.controlpanel.row_form import LoginRowForm
from imio.mailbridge.controlpanel.row_form import row_of
from imio.mailbridge.controlpanel.row_form import RowPage
from imio.mailbridge.delivery.accounts import rename
from imio.mailbridge.diagnosis import foreseen
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from imio.mailbridge.settings.smtp import SENDER_POLICY
from imio.mailbridge.settings.smtp import why_no_reply_address
from plone import api
from zope.interface import Invalid


SETTING = "smtp_accounts"


class AddForm(LoginRowForm):
    """A new account."""

    label = _("Add an SMTP account")
    setting, schema, list_page = SETTING, ISmtpAccountRow, "mailbridge-accounts"
    saved = _("The account has been saved.")
    field_groups = groups.ACCOUNT

    def problems(self, data):
        """Yield errors that concern several fields or accounts."""
        others = self.others()
        if data["name"].lower() in [row["name"].lower() for row in others]:
            yield "name", _("There is already an account with this name.")
            return
        try:
            validate.accounts([*others, data])
        except Invalid as error:
            yield "senders", error.args[0]
        if data["own_reply_address"] and (why := why_no_reply_address(list(settings().mailin_addresses))):
            yield "own_reply_address", why
        yield from self.secret_problems(data)

    def after_save(self, row, data):
        """Let messages that waited leave with the new settings; warn of a policy that must fail."""
        super().after_save(row, data)
        outbox().retry_held()
        values = settings()
        seen = foreseen.foreseen(values.accounts[row["name"]], values)
        if failed := foretold.warning(seen.forecasts, row["sender_policy"]):
            api.portal.show_message(failed[0], self.request, "warning")


class EditForm(Edited, AddForm):
    """An existing account."""

    parameter = "account"

    def all_fields(self):
        """Warn beside the sender policy where one must fail, as far as is known."""
        fields = super().all_fields()
        values = settings()
        account = values.accounts.get(self.present)
        if account is None:
            return fields
        seen = foreseen.foreseen(account, values)
        for policy in (account.sender_policy, "send_as", "login"):
            if failed := foretold.warning(seen.forecasts, policy):
                field = copy(fields["sender_policy"].field)
                mapping = {"policy": SENDER_POLICY.getTerm(policy).title, "why": failed[0]}
                field.description = _("Warning: “${policy}”: ${why}", mapping=mapping)
                fields["sender_policy"].field = field
                break
        return fields

    @property
    def label(self):
        return _("SMTP account ${name}", mapping={"name": self.present})

    def keep(self, row):
        """Write the row in its place; a new name first, so that messages and secrets follow it."""
        if row["name"] != self.present:
            rename(self.present, row["name"])
            self.replace(self.present, row_of(SETTING, self.present) | {"name": row["name"]})
        self.replace(row["name"], row)


class AddAccount(RowPage):
    """``@@mailbridge-account-add``."""

    form = AddForm


class EditAccount(RowPage):
    """``@@mailbridge-account-edit?account=NAME``."""

    form = EditForm


class DeleteAccount(DeletePage):
    """``@@mailbridge-account-delete?account=NAME``: what waits, and the button."""

    page_name, setting, parameter = AddForm.list_page, SETTING, EditForm.parameter

    def after_delete(self):
        """Let messages that waited leave by another account."""
        outbox().retry_held()
        self._say(_("The account ${name} has been deleted.", mapping={"name": self.name}))

    def waiting(self):
        """Return how many messages wait for the account."""
        return outbox().number_waiting(account=self.name)
