"""How is one more SMTP account set up, changed and removed? Two forms and a page that asks back."""

from imio.mailbridge.controlpanel.account_fields import gaps
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.row_form import Edited
from imio.mailbridge.controlpanel.row_form import name_in
from imio.mailbridge.controlpanel.row_form import row_of
from imio.mailbridge.controlpanel.row_form import RowForm
from imio.mailbridge.controlpanel.row_form import rows_of
from imio.mailbridge.delivery.accounts import rename
from imio.mailbridge.delivery.accounts import waiting_for
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from plone import api
from plone.protect import CheckAuthenticator
from plone.z3cform.layout import FormWrapper
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import quote
from zope.interface import Invalid


def rows():
    """Return the rows of the settings, as copies."""
    return rows_of("smtp_accounts")


def row_named(name):
    """Return the row of an account; errors: ``NotFound``."""
    return row_of("smtp_accounts", name)


def asked_for(request):
    """Return the name of the account in the address of the page, or an empty string."""
    return name_in(request, "account")


class AddForm(RowForm):
    """A new account."""

    label = _("Add an SMTP account")
    setting, schema, list_page = "smtp_accounts", ISmtpAccountRow, "mailbridge-accounts"
    saved = _("The account is saved.")

    def problems(self, data):
        """Yield what concerns several fields or accounts."""
        others = [row for row in rows() if row["name"] != self.present]
        if data["name"].lower() in [row["name"].lower() for row in others]:
            yield "name", _("There is an account with this name already.")
            return
        try:
            validate.accounts([*others, data])
        except Invalid as error:
            yield "senders", error.args[0]
        yield from gaps(data, self.has_secret(data))

    def after_save(self, row):
        """Let what waited leave by the new settings."""
        outbox().retry_held()


class EditForm(Edited, AddForm):
    """An account that is there."""

    parameter = "account"

    @property
    def label(self):
        return _("SMTP account ${name}", mapping={"name": self.present})

    def keep(self, row):
        """Write the row in its place; a new name first, so that what belongs to the account follows it."""
        if row["name"] != self.present:
            rename(self.present, row["name"])
            self.replace(self.present, row_named(self.present) | {"name": row["name"]})
        self.replace(row["name"], row)


class AccountPage(Navigation, FormWrapper):
    """The page around a form."""

    page_name = "mailbridge-accounts"
    index = ViewPageTemplateFile("templates/form.pt")


class AddAccount(AccountPage):
    """``@@mailbridge-account-add``."""

    form = AddForm


class EditAccount(AccountPage):
    """``@@mailbridge-account-edit?account=NAME``."""

    form = EditForm


class DeleteAccount(Navigation, BrowserView):
    """``@@mailbridge-account-delete?account=NAME``: what waits, and the button."""

    page_name = "mailbridge-accounts"

    def __call__(self):
        row = row_named(self.name)
        if self.request.method != "POST":
            return self.index()
        CheckAuthenticator(self.request)
        stored_settings().smtp_accounts = [each for each in rows() if each["name"] != row["name"]]
        outbox().retry_held()
        api.portal.show_message(
            _("The account ${name} is deleted.", mapping={"name": row["name"]}), self.request
        )
        return self.request.response.redirect(self.page_url(self.page_name))

    @property
    def name(self):
        """Return the name of the account."""
        return asked_for(self.request)

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.page_url('mailbridge-account-delete')}?account={quote(self.name)}"

    def waiting(self):
        """Return how many messages wait for the account."""
        return len(waiting_for(self.name))
