"""Add, edit and delete mail-in addresses (``@@mailbridge-address-add``, …) and source mailboxes (``@@mailbridge-source-add``, …).

Secret addresses are made and revoked on the page ``@@mailbridge-addresses``; they stand in the address of no page.
"""

from imio.mailbridge.controlpanel.groups import FieldGroup
from imio.mailbridge.controlpanel.row_form import DeletePage
from imio.mailbridge.controlpanel.row_form import Edited
from imio.mailbridge.controlpanel.row_form import RowForm
from imio.mailbridge.controlpanel.row_form import RowPage
from imio.mailbridge.i18n import _
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings.mailin import IMailboxRow
from imio.mailbridge.settings.mailin import IMailinAddressRow
from imio.mailbridge.settings.read import rows_of
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import why_no_reply_address
from zExceptions import NotFound


MAIL_IN, SOURCES = "mailin_addresses", "mailboxes"
LIST = "mailbridge-addresses"


def _same(one, other):
    return (one or "").lower() == (other or "").lower()


def why_not_answers_to(addresses):
    """Return why these mail-in addresses cannot be all that there are: an account gives out reply addresses; or an empty text."""
    values = settings()
    accounts = (values.default_account, *values.accounts.values())
    return why_no_reply_address(addresses) if any(each.own_reply_address for each in accounts) else ""


class AddForm(RowForm):
    """A new mail-in address."""

    label = _("Add a mail-in address")
    setting, schema, key, list_page = MAIL_IN, IMailinAddressRow, "address", LIST
    saved = _("The mail-in address has been saved.")
    field_groups = (
        FieldGroup(
            "address",
            _("Mail-in address"),
            _("Where does your mail server hand over what is to be filed?"),
            ("address", "service", "mailbox"),
        ),
    )

    def problems(self, data):
        """Yield what is wrong with the address among the others."""
        if any(_same(data["address"], row["address"]) for row in self.others()):
            yield "address", _("This mail-in address already exists.")
        elif any(_same(data["address"], row["address"]) for row in rows_of(SOURCES)):
            yield "address", _("This is a source mailbox; enter the address that it forwards to.")


class EditForm(Edited, AddForm):
    """An existing mail-in address."""

    parameter = "address"

    @property
    def label(self):
        return _("Mail-in address ${address}", mapping={"address": self.present})

    def update(self):
        """Show the form; errors: ``NotFound``, also for a secret address."""
        if is_secret(self.present):
            raise NotFound(self.parameter)
        super().update()

    def keep(self, row):
        """Write the row; its secret addresses follow its service, and the mailboxes that are read for it its address."""
        before = self.getContent()
        self.replace(self.present, row)
        records = stored_settings()
        records.mailin_addresses = [
            {**each, "service": row["service"]}
            if is_secret(each["address"])
            and _same(without_secret(each["address"]), self.present)
            and _same(each["service"], before["service"])
            else each
            for each in rows_of(MAIL_IN)
        ]
        records.imap_mailboxes = [
            {**each, "address": row["address"]} if _same(each["address"], self.present) else each
            for each in rows_of("imap_mailboxes")
        ]


class SourceAddForm(RowForm):
    """A new source mailbox."""

    label = _("Add a source mailbox")
    setting, schema, key, list_page = SOURCES, IMailboxRow, "address", LIST
    saved = _("The source mailbox has been saved.")
    field_groups = (
        FieldGroup(
            "source",
            _("Source mailbox"),
            _("Which mailbox of the town forwards its mail to a mail-in address?"),
            ("address", "service"),
        ),
    )

    def problems(self, data):
        """Yield what is wrong with the address among the others."""
        if any(_same(data["address"], row["address"]) for row in self.others()):
            yield "address", _("This source mailbox already exists.")
        elif any(_same(data["address"], row["address"]) for row in rows_of(MAIL_IN)):
            yield "address", _("This is a mail-in address; enter the mailbox that forwards to it.")


class SourceEditForm(Edited, SourceAddForm):
    """An existing source mailbox."""

    parameter = "address"

    @property
    def label(self):
        return _("Source mailbox ${address}", mapping={"address": self.present})

    def keep(self, row):
        """Write the row; the addresses that only this mailbox forwards to follow it."""
        super().keep(row)
        stored_settings().mailin_addresses = [
            {**each, "mailbox": row["address"]} if _same(each["mailbox"], self.present) else each
            for each in rows_of(MAIL_IN)
        ]


class AddAddress(RowPage):
    """``@@mailbridge-address-add``."""

    form = AddForm


class EditAddress(RowPage):
    """``@@mailbridge-address-edit?address=ADDRESS``."""

    form = EditForm


class AddSource(RowPage):
    """``@@mailbridge-source-add``."""

    form = SourceAddForm


class EditSource(RowPage):
    """``@@mailbridge-source-edit?address=ADDRESS``."""

    form = SourceEditForm


class DeleteAddress(DeletePage):
    """``@@mailbridge-address-delete?address=ADDRESS``: what follows, and the button."""

    page_name, setting, key, parameter = LIST, MAIL_IN, "address", "address"

    def __call__(self):
        """Show the page; errors: ``NotFound``, also for a secret address."""
        if is_secret(self.name):
            raise NotFound(self.parameter)
        return super().__call__()

    def why_not(self):
        """Return why the address cannot be deleted, or an empty text."""
        read = [row["name"] for row in rows_of("imap_mailboxes") if _same(row["address"], self.name)]
        if read:
            return _(
                "The mailbox ${name} is read for this address: change or delete the mailbox first.",
                mapping={"name": read[0]},
            )
        return why_not_answers_to([row["address"] for row in rows_of(MAIL_IN) if row["address"] != self.name])

    def secret_count(self):
        """Return how many secret addresses it has."""
        return sum(
            is_secret(row["address"]) and _same(without_secret(row["address"]), self.name)
            for row in rows_of(MAIL_IN)
        )

    def _delete(self):
        if why := self.why_not():
            self._say(why, "warning")
        else:
            super()._delete()

    def after_delete(self):
        """Confirm the deletion."""
        self._say(_("The mail-in address ${address} has been deleted.", mapping={"address": self.name}))


class DeleteSource(DeletePage):
    """``@@mailbridge-source-delete?address=ADDRESS``: what follows, and the button."""

    page_name, setting, key, parameter = LIST, SOURCES, "address", "address"

    def secret_count(self):
        """Return how many secret addresses it has."""
        return sum(is_secret(row["address"]) and _same(row["mailbox"], self.name) for row in rows_of(MAIL_IN))

    def after_delete(self):
        """Confirm the deletion."""
        self._say(_("The source mailbox ${address} has been deleted.", mapping={"address": self.name}))
