"""Forms that add, edit and delete one row of a table of the settings, with its secrets: of accounts and of mailboxes."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.account_fields import AccountForm
from imio.mailbridge.controlpanel.account_fields import FILL_IN
from imio.mailbridge.controlpanel.account_fields import gaps
from imio.mailbridge.controlpanel.account_fields import IAccountSecrets
from imio.mailbridge.controlpanel.account_fields import IForget
from imio.mailbridge.controlpanel.account_fields import IPreset
from imio.mailbridge.controlpanel.account_fields import write_secrets
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.moved_secrets import enter_again
from imio.mailbridge.settings.moved_secrets import has_moved
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.z3cform.fieldsets.utils import move
from plone.z3cform.layout import FormWrapper
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import quote
from z3c.form import button
from z3c.form import form
from z3c.form.field import Fields
from zExceptions import NotFound
from zope.schema import getFieldNamesInOrder


def rows_of(setting):
    """Return the rows of a table of the settings, as copies."""
    return [dict(row) for row in getattr(stored_settings(), setting) or ()]


def row_of(setting, name):
    """Return the row with a name; errors: ``NotFound``."""
    found = next((row for row in rows_of(setting) if row["name"] == name), None)
    if found is None:
        raise NotFound(str(name))
    return found


def name_in(request, parameter):
    """Return the name in the address of a page, or an empty string."""
    name = request.form.get(parameter)
    return name if isinstance(name, str) else ""


class RowForm(AccountForm, form.Form):
    """Adds a row with the fields of ``schema`` to the table ``setting``; ``saved`` is the message on ``list_page``."""

    setting = schema = list_page = saved = None
    ignoreContext = True
    present = ""  #: the name of the row that is edited

    def updateFields(self):
        """Put the preset first and each secret beside what it belongs to."""
        self.fields = Fields(IPreset, ignoreContext=True) + Fields(self.schema)
        self.fields += Fields(IAccountSecrets, ignoreContext=True)
        if self.present and password.read(self.secrets_of(self.present), "refresh_token"):
            self.fields += Fields(IForget, ignoreContext=True)
            move(self, "forget_refresh_token", after="oauth_scope")
        move(self, "password", after="login")
        move(self, "auth", before="login")
        move(self, "client_secret", after="oauth_client_id")
        move(self, "refresh_token", after="oauth_scope")

    def secrets_of(self, name):
        """Return the name under which the secrets of a row are kept."""
        return name

    def has_moved(self, data):
        """Tell whether what was entered takes the row to another server or login, for which no secret is kept."""
        return bool(self.present) and has_moved(row_of(self.setting, self.present), data)

    def has_secret(self, data):
        """Tell whether there will be a secret to ask for an OAuth 2.0 token with."""
        kept = self.secrets_of(self.present) if self.present and not self.has_moved(data) else ""
        return (
            data["client_secret"]
            or data["refresh_token"]
            or (kept and password.read(kept, "client_secret"))
            or (kept and not data.get("forget_refresh_token") and password.read(kept, "refresh_token"))
        )

    def secret_problems(self, data):
        """Yield (field, message) of secrets that are to be entered, and of what OAuth 2.0 needs."""
        again = []
        if self.has_moved(data):
            again = list(
                enter_again(data, lambda kind: password.is_kept(self.secrets_of(self.present), kind))
            )
        yield from again
        yield from gaps(data, again or self.has_secret(data))

    def problems(self, data):
        """Yield (field, message) of errors that concern several fields or rows."""
        return ()

    def update(self):
        """Build the fields before the widgets."""
        self.updateFields()
        super().update()

    def updateActions(self):
        super().updateActions()
        self.actions["save"].addClass("btn-primary")

    def extractData(self, setErrors=True):  # noqa: N803 - of z3c.form
        """Add the errors that concern several fields or rows."""
        data, errors = super().extractData(setErrors)
        return data, errors or tuple(self.complain(*problem) for problem in self.problems(data))

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Keep the row and its secrets."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return
        row = {name: data.get(name) for name in getFieldNamesInOrder(self.schema)}
        self.keep(row)
        write_secrets(data, self.secrets_of(row["name"]))
        self.after_save(row)
        api.portal.show_message(self.saved, self.request)
        self.leave()

    def keep(self, row):
        """Write the new row into the settings."""
        setattr(stored_settings(), self.setting, [*rows_of(self.setting), row])

    def after_save(self, row):
        """Update what depends on the row."""

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the list."""
        self.leave()

    @button.buttonAndHandler(FILL_IN, name="preset")  # the last: Enter presses the first
    def handle_preset(self, action):
        """Say what is still to be entered."""
        self.say_preset()

    def leave(self):
        """Show the list."""
        self.request.response.redirect(f"{api.portal.get().absolute_url()}/@@{self.list_page}")


class Edited:
    """Mixin of a form for an existing row, named by ``parameter`` in the address of the page."""

    parameter = None
    ignoreContext = False

    @property
    def present(self):
        return name_in(self.request, self.parameter)

    @property
    def action(self):
        return f"{self.request.getURL()}?{self.parameter}={quote(self.present)}"

    def getContent(self):
        return row_of(self.setting, self.present)

    def keep(self, row):
        """Write the row in its place."""
        self.replace(self.present, row)

    def replace(self, name, row):
        """Put ``row`` in the place of the one called ``name``."""
        rows = [row if each["name"] == name else each for each in rows_of(self.setting)]
        setattr(stored_settings(), self.setting, rows)


class RowPage(Navigation, FormWrapper):
    """The page around a form."""

    index = ViewPageTemplateFile("templates/form.pt")

    @property
    def page_name(self):
        return self.form.list_page


class DeletePage(Navigation, ButtonPage):
    """Asks for confirmation before it deletes the row named by ``parameter`` from the table ``setting``."""

    setting = parameter = None
    buttons = {"delete": "_delete"}

    def __call__(self):
        row_of(self.setting, self.name)
        return super().__call__()

    def _pressed(self):
        return "delete" if self.request.method == "POST" else None

    def _delete(self):
        rows = [row for row in rows_of(self.setting) if row["name"] != self.name]
        setattr(stored_settings(), self.setting, rows)
        self.after_delete()

    def after_delete(self):
        """Update what depends on the row, and confirm the deletion."""

    @property
    def next_url(self):
        """Return the address of the list."""
        return self.page_url(self.page_name)

    @property
    def name(self):
        """Return the name of the row."""
        return name_in(self.request, self.parameter)

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.page_url(self.__name__)}?{self.parameter}={quote(self.name)}"
