"""Add, edit and delete a mailbox that is read by IMAP: ``@@mailbridge-mailbox-add``, ``…-edit``, ``…-delete``."""

from datetime import date
from imio.mailbridge.controlpanel import groups
from imio.mailbridge.controlpanel.row_form import DeletePage
from imio.mailbridge.controlpanel.row_form import Edited
from imio.mailbridge.controlpanel.row_form import LoginRowForm
from imio.mailbridge.controlpanel.row_form import RowPage
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.destination import UnknownRecipient
from imio.mailbridge.inbound.imap_reading import wake
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import read as read_secret
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_account import PORTS


SETTING = "imap_mailboxes"


class AddForm(LoginRowForm):
    """A new mailbox."""

    label = _("Add a mailbox")
    setting, schema, list_page = SETTING, IImapMailboxRow, "mailbridge-mailboxes"
    saved = _("The mailbox has been saved. It is read once a minute from now on.")
    field_groups = groups.MAILBOX

    def secrets_of(self, name):
        """Return the name under which the secrets of a mailbox are kept."""
        return secrets_of(name)

    def preset_values(self, chosen):
        """Return the values of a preset."""
        return chosen.imap

    def update(self):
        """Propose today as the first day: otherwise years of old mail would be filed."""
        if not self.present:
            self.request.form.setdefault("form.widgets.since", date.today().isoformat())
        super().update()

    def after_save(self, row, data):
        """Read the mailbox at once."""
        super().after_save(row, data)
        wake(row["name"])

    def problems(self, data):
        """Yield errors that concern several fields or mailboxes."""
        others = self.others()
        data.setdefault("name", self.present)
        for field, text in (
            ("name", _("There is already a mailbox with this name.")),
            ("address", _("There is already a mailbox with this address.")),
        ):
            if data[field].lower() in [row[field].lower() for row in others]:
                yield field, text
                return
        if problem := address_problem(data["role"], data["address"]):
            yield "address", problem
        if data["host"]:
            yield from self._login_problems(data)

    def _login_problems(self, data):
        if not data["login"]:
            yield "login", _("Enter the login: usually the address of the mailbox.")
        elif (
            data["auth"] != "oauth2"
            and not data["password"]
            and not (self.present and read_secret(secrets_of(self.present)))
        ):
            yield "password", _("Enter the password of the mailbox.")
        else:
            yield from self.secret_problems(data)
        if data["port"] == PORTS["tls"] and data["security"] == "starttls":
            yield "security", _("Port 993 speaks TLS from the start.")


def address_problem(role, address):
    """Return why a mailbox cannot be read for an address, or None."""
    values = settings()
    if role == LOGIN:
        return (
            _("This is a mail-in address; choose the other role.")
            if address.lower() in values.mailin_addresses
            else None
        )
    try:
        arrived = destination(address.lower(), values)
    except UnknownRecipient:
        arrived = None
    if arrived is None or not arrived.address or arrived.login is not None:
        return _("This is not a mail-in address: add it to the settings of incoming mail first.")
    return None


class EditForm(Edited, AddForm):
    """An existing mailbox; its name cannot change, because the state of the mailbox is kept under it."""

    parameter = "mailbox"

    @property
    def label(self):
        return _("Mailbox ${name}", mapping={"name": self.present})

    def all_fields(self):
        """Omit the name."""
        return super().all_fields().omit("name")


class AddMailbox(RowPage):
    """``@@mailbridge-mailbox-add``."""

    form = AddForm


class EditMailbox(RowPage):
    """``@@mailbridge-mailbox-edit?mailbox=NAME``."""

    form = EditForm


class DeleteMailbox(DeletePage):
    """``@@mailbridge-mailbox-delete?mailbox=NAME``: what follows, and the button."""

    page_name, setting, parameter = AddForm.list_page, SETTING, EditForm.parameter

    def after_delete(self):
        """Confirm the deletion."""
        self._say(_("The mailbox ${name} is no longer read.", mapping={"name": self.name}))
