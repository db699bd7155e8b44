"""Forms that add, edit and delete one row of a table of the settings, also with the secrets of a login."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.account_fields import AccountForm
from imio.mailbridge.controlpanel.account_fields import FILL_IN
from imio.mailbridge.controlpanel.account_fields import gaps
from imio.mailbridge.controlpanel.account_fields import IAccountSecrets
from imio.mailbridge.controlpanel.account_fields import IForget
from imio.mailbridge.controlpanel.account_fields import IPreset
from imio.mailbridge.controlpanel.account_fields import write_secrets
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.settings_form import SettingsForm
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.moved_secrets import enter_again
from imio.mailbridge.settings.moved_secrets import has_moved
from imio.mailbridge.settings.read import rows_of
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.z3cform.layout import FormWrapper
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import quote
from z3c.form import button
from z3c.form import form
from z3c.form.field import Fields
from z3c.form.group import GroupForm
from zExceptions import NotFound
from zope.schema import getFieldNamesInOrder


def row_of(setting, name, key="name"):
    """Return the row whose column ``key`` is ``name``; errors: ``NotFound``."""
    found = next((row for row in rows_of(setting) if row[key] == name), None)
    if found is None:
        raise NotFound(str(name))
    return found


def name_in(request, parameter):
    """Return the name in the address of a page, or an empty string."""
    name = request.form.get(parameter)
    return name if isinstance(name, str) else ""


class RowForm(SettingsForm, GroupForm, form.Form):
    """Adds a row with the fields of ``schema`` to the table ``setting``; ``saved`` is the message on ``list_page``.

    ``key`` is the column that tells rows apart.
    """

    setting = schema = list_page = saved = None
    key = "name"
    ignoreContext = True
    enable_form_tabbing = False
    present = ""  #: the name of the row that is edited

    def all_fields(self):
        """Return the fields of the form."""
        return Fields(self.schema)

    def update(self):
        """Build the groups before the widgets."""
        self.put_into_groups(self.all_fields())
        super().update()

    def updateActions(self):
        super().updateActions()
        self.actions["save"].addClass("btn-primary")

    def others(self):
        """Return the other rows."""
        return [row for row in rows_of(self.setting) if row[self.key] != self.present]

    def problems(self, data):
        """Yield (field, message) of errors that concern several fields or rows."""
        return ()

    def extractData(self, setErrors=True):  # noqa: N803 - of z3c.form
        """Add the errors that concern several fields or rows, and what others have changed meanwhile."""
        data, errors = super().extractData(setErrors)
        if not errors:
            data, errors = self.merge(data)
        return data, errors or tuple(self.complain(*problem) for problem in self.problems(data))

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Keep the row."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return
        row = {name: data.get(name) for name in getFieldNamesInOrder(self.schema)}
        self.keep(row)
        self.after_save(row, data)
        api.portal.show_message(self.saved, self.request)
        self.leave()

    def keep(self, row):
        """Write the new row into the settings."""
        setattr(stored_settings(), self.setting, [*rows_of(self.setting), row])

    def after_save(self, row, data):
        """Update what depends on the row."""

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the list."""
        self.leave()

    def leave(self):
        """Show the list."""
        self.request.response.redirect(f"{api.portal.get().absolute_url()}/@@{self.list_page}")


class LoginRowForm(AccountForm, RowForm):
    """Adds a row with its secrets: of a server where the bridge logs in."""

    def all_fields(self):
        """Return the fields of the form, those of the preset and of the secrets among them."""
        fields = Fields(IPreset, ignoreContext=True) + Fields(self.schema)
        fields += Fields(IAccountSecrets, ignoreContext=True)
        if self.present and password.read(self.secrets_of(self.present), "refresh_token"):
            fields += Fields(IForget, ignoreContext=True)
        return fields

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

    def after_save(self, row, data):
        """Keep the secrets."""
        write_secrets(data, self.secrets_of(row["name"]))

    buttons = RowForm.buttons.copy()
    handlers = RowForm.handlers.copy()

    @button.buttonAndHandler(FILL_IN, name="preset")  # the last: Enter presses the first
    def handle_preset(self, action):
        """Say what is still to be entered."""
        self.say_preset()


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
        return row_of(self.setting, self.present, self.key)

    def keep(self, row):
        """Write the row in its place."""
        self.replace(self.present, row)

    def replace(self, name, row):
        """Put ``row`` in the place of the one called ``name``."""
        rows = [row if each[self.key] == name else each for each in rows_of(self.setting)]
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
    key = "name"
    buttons = {"delete": "_delete"}

    def __call__(self):
        row_of(self.setting, self.name, self.key)
        return super().__call__()

    def _pressed(self):
        return "delete" if self.request.method == "POST" else None

    def _delete(self):
        rows = [row for row in rows_of(self.setting) if row[self.key] != self.name]
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
