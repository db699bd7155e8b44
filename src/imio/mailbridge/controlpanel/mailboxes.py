"""The mailboxes that the bridge reads by IMAP: the list ``@@mailbridge-mailboxes``, and the forms for one of them."""

from datetime import date
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.account_fields import gaps
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.row_form import DeletePage
from imio.mailbridge.controlpanel.row_form import Edited
from imio.mailbridge.controlpanel.row_form import row_of
from imio.mailbridge.controlpanel.row_form import RowForm
from imio.mailbridge.controlpanel.row_form import RowPage
from imio.mailbridge.controlpanel.row_form import rows_of
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.destination import UnknownRecipient
from imio.mailbridge.inbound.imap_reading import PROBLEMS
from imio.mailbridge.inbound.imap_reading import REMEDIES
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.inbound.imap_reading import wake
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.settings.imap import account_of
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.imap import mailbox_of
from imio.mailbridge.settings.imap import NEW_MAIL
from imio.mailbridge.settings.imap import ROLE
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import read as read_secret
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import LEFT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_account import PORTS
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_folder import selected_folder
from urllib.parse import quote


SETTING = "imap_mailboxes"
#: How many of the newest messages are counted.
LOOK_BACK = 2000


class AddForm(RowForm):
    """A new mailbox."""

    label = _("Add a mailbox")
    setting, schema, list_page = SETTING, IImapMailboxRow, "mailbridge-mailboxes"
    saved = _("The mailbox is saved. It is read once a minute from now on.")

    def secrets_of(self, name):
        """Return the name that the secrets of a mailbox are kept under."""
        return secrets_of(name)

    def preset_values(self, chosen):
        """Return what a preset fills in."""
        return chosen.imap

    def updateWidgets(self, prefix=None):
        """Propose today as the first day: otherwise years of old mail would be filed."""
        super().updateWidgets(prefix)
        if not self.present and not self.request.form.get("form.widgets.since"):
            self.widgets["since"].value = date.today().isoformat()

    def after_save(self, row):
        """Read the mailbox at once."""
        wake(row["name"])

    def problems(self, data):
        """Yield errors that concern several fields or mailboxes."""
        others = [row for row in rows_of(SETTING) if row["name"] != self.present]
        data.setdefault("name", self.present)
        for field, text in (
            ("name", _("There is a mailbox with this name already.")),
            ("address", _("There is a mailbox with this address already.")),
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
        elif data["auth"] == "oauth2":
            yield from gaps(data, self.has_secret(data))
        elif not data["password"] and not (self.present and read_secret(secrets_of(self.present))):
            yield "password", _("Enter the password of the mailbox.")
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

    def updateFields(self):
        """Omit the name."""
        super().updateFields()
        self.fields = self.fields.omit("name")


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
        """Say what follows."""
        self._say(_("The mailbox ${name} is no longer read.", mapping={"name": self.name}))


class MailboxesView(Navigation, ButtonPage):
    """A table of the mailboxes, and the button that tries one."""

    page_name = "mailbridge-mailboxes"
    buttons = {"try": "_try"}

    def _try(self):
        self._say(*tried(row_of(SETTING, self.entered("try"))))

    def rows(self):
        """Return what the table shows of each mailbox."""
        rows = rows_of(SETTING)
        counts = _counts({row["address"].lower() for row in rows})
        return [self._row(row, counts[row["address"].lower()]) for row in rows]

    def _row(self, row, counts):
        about = status_of(row["name"])
        problem = about.problem if about is not None else None
        words = about.counts if about is not None else {}
        query = f"?mailbox={quote(row['name'])}"
        is_login = row["role"] == LOGIN
        waiting = about.waiting if about is not None else 0
        failed = list(about.state["failed"].values()) if about is not None else []
        return {
            "name": row["name"],
            "address": row["address"],
            "role": ROLE.getTerm(row["role"]).title,
            "is_login": is_login,
            "server": f"{row['host']}:{row['port']}" if row["host"] else "",
            "login": row["login"],
            "new_mail": NEW_MAIL.getTerm(row["new_mail"]).title if is_login else "",
            "copy": is_login and row["copy_to_agent"],
            "checked": self.time(about.checked) if about is not None and about.checked else "",
            "problem": problem
            and {
                "since": self.time(problem["since"]),
                "sentence": PROBLEMS[problem["stage"]],
                "remedy": REMEDIES[problem["stage"]],
                "text": problem["text"],
            },
            "waiting": waiting,
            "failed": len(failed),
            "failed_text": failed[0][2] if failed else "",
            "kept": words.get(KEPT, 0),
            "left": words.get(LEFT, 0),
            "refused": words.get(REFUSED, 0),
            "counts": counts,
            "nobody": is_login and not (problem or waiting or failed) and self._nobody(row, words, about),
            "edit": f"{self.page_url('mailbridge-mailbox-edit')}{query}",
            "delete": f"{self.page_url('mailbridge-mailbox-delete')}{query}",
            "inbox": f"{self.page_url('mailbridge-inbox')}?state=quarantined",
        }

    def _nobody(self, row, words, about):
        """Tell whether nobody needs to look into the login mailbox: it was read, and nothing is left in it."""
        return row["new_mail"] != "leave" and not words.get(REFUSED) and bool(about and about.checked)


def tried(row):
    """Open a mailbox; return a sentence on the outcome, and its kind."""
    wanted = account_of(mailbox_of(row))
    if wanted is None:
        return _("Another machine reads this mailbox; there is nothing to try from here."), "info"
    try:
        with selected_folder(wanted) as folder:
            number = len(folder.pending())
    except CannotOpen as error:
        mapping = {
            "sentence": PROBLEMS[error.stage],
            "remedy": REMEDIES[error.stage],
            "words": error.text[:300],
        }
        return _("${sentence} ${remedy} The server said: ${words}", mapping=mapping), "error"
    except CONNECTION_ERRORS as error:
        mapping = {"sentence": PROBLEMS["imap"], "remedy": REMEDIES["imap"], "words": readable(error)[:300]}
        return _("${sentence} ${remedy} The server said: ${words}", mapping=mapping), "error"
    return _(
        "The mailbox can be read. Messages in the folder that are still to be read: ${count}",
        mapping={"count": number},
    ), "info"


def _counts(addresses):
    """Return address → state or transfer → count, of the newest messages for each address."""
    box, found = inbox(), {address: {} for address in addresses}
    for id in box.newest_ids()[:LOOK_BACK] if addresses else ():
        record = box.records[id]
        counts = found.get(record.envelope_recipient)
        if counts is not None:
            word = "reply" if record.transfer == "reply" and record.state == "filed" else record.state
            counts[word] = counts.get(word, 0) + 1
    return found
