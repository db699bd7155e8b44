"""How is one more SMTP account set up, changed and removed? Two forms and a page that asks back."""

from imio.mailbridge.controlpanel.account_fields import AccountForm
from imio.mailbridge.controlpanel.account_fields import FILL_IN
from imio.mailbridge.controlpanel.account_fields import gaps
from imio.mailbridge.controlpanel.account_fields import IAccountSecrets
from imio.mailbridge.controlpanel.account_fields import IForget
from imio.mailbridge.controlpanel.account_fields import IPreset
from imio.mailbridge.controlpanel.account_fields import write_secrets
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.outbound.accounts import rename
from imio.mailbridge.outbound.accounts import waiting_for
from imio.mailbridge.outbound.submit import wake_outbox
from imio.mailbridge.settings import password
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.interfaces import ISmtpAccountRow
from imio.mailbridge.settings.read import settings
from plone import api
from plone.protect import CheckAuthenticator
from plone.z3cform.fieldsets.utils import move
from plone.z3cform.layout import FormWrapper
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import quote
from z3c.form import button
from z3c.form import form
from z3c.form.field import Fields
from zExceptions import NotFound
from zope.interface import Invalid
from zope.schema import getFieldNamesInOrder


ROW = getFieldNamesInOrder(ISmtpAccountRow)


def rows():
    """Return the rows of the settings, as copies."""
    return [dict(row) for row in settings().smtp_accounts or ()]


def row_named(name):
    """Return the row of an account; errors: ``NotFound``."""
    found = next((row for row in rows() if row["name"] == name), None)
    if found is None:
        raise NotFound(str(name))
    return found


def asked_for(request):
    """Return the name of the account in the address of the page, or an empty string."""
    name = request.form.get("account")
    return name if isinstance(name, str) else ""


class AddForm(AccountForm, form.Form):
    """A new account."""

    label = _("Add an SMTP account")
    ignoreContext = True
    present = ""  #: the name of the account that is edited

    def updateFields(self):
        """Put the preset first and each secret beside what it belongs to."""
        self.fields = Fields(IPreset, ignoreContext=True) + Fields(ISmtpAccountRow)
        self.fields += Fields(IAccountSecrets, ignoreContext=True)
        if self.present and password.read(self.present, "refresh_token"):
            self.fields += Fields(IForget, ignoreContext=True)
            move(self, "forget_refresh_token", after="oauth_scope")
        move(self, "password", after="login")
        move(self, "auth", before="login")
        move(self, "client_secret", after="oauth_client_id")
        move(self, "refresh_token", after="oauth_scope")

    def update(self):
        """Build the fields before the widgets."""
        self.updateFields()
        super().update()

    def updateActions(self):
        super().updateActions()
        self.actions["save"].addClass("btn-primary")

    def extractData(self, setErrors=True):  # noqa: N803 - of z3c.form
        """Add what concerns several fields or accounts."""
        data, errors = super().extractData(setErrors)
        return data, errors or tuple(self.complain(*problem) for problem in self._problems(data))

    def _problems(self, data):
        others = [row for row in rows() if row["name"] != self.present]
        if data["name"].lower() in [row["name"].lower() for row in others]:
            yield "name", _("There is an account with this name already.")
            return
        try:
            validate.accounts([*others, data])
        except Invalid as error:
            yield "senders", error.args[0]
        kept = self.present and password.read(self.present, "client_secret")
        token = (
            not data.get("forget_refresh_token")
            and self.present
            and password.read(self.present, "refresh_token")
        )
        yield from gaps(data, data["client_secret"] or data["refresh_token"] or kept or token)

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Keep the account and its secrets."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return
        self.keep({name: data.get(name) for name in ROW})
        write_secrets(data, data["name"])
        wake_outbox()
        api.portal.show_message(_("The account is saved."), self.request)
        self.leave()

    def keep(self, row):
        """Write the new row into the settings."""
        settings().smtp_accounts = [*rows(), row]

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the list."""
        self.leave()

    @button.buttonAndHandler(FILL_IN, name="preset")  # the last: Enter presses the first
    def handle_preset(self, action):
        """Say what is still to be entered."""
        self.say_preset()

    def leave(self):
        """Show the list of accounts."""
        self.request.response.redirect(f"{api.portal.get().absolute_url()}/@@mailbridge-accounts")


class EditForm(AddForm):
    """An account that is there."""

    ignoreContext = False

    @property
    def present(self):
        return asked_for(self.request)

    @property
    def label(self):
        return _("SMTP account ${name}", mapping={"name": self.present})

    @property
    def action(self):
        return f"{self.request.getURL()}?account={quote(self.present)}"

    def getContent(self):
        return row_named(self.present)

    def keep(self, row):
        """Write the row in its place; a new name first, so that what belongs to the account follows it."""
        if row["name"] != self.present:
            rename(self.present, row["name"])
            self._replace(self.present, row_named(self.present) | {"name": row["name"]})
        self._replace(row["name"], row)

    def _replace(self, name, row):
        settings().smtp_accounts = [row if each["name"] == name else each for each in rows()]


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
        settings().smtp_accounts = [each for each in rows() if each["name"] != row["name"]]
        wake_outbox()
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
