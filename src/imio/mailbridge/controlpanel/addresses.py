"""The page ``@@mailbridge-addresses``: the mail-in addresses, the source mailboxes, and the secret addresses of these.

Forms of their own add, edit and delete the first two (``address``); secret addresses are made, replaced and revoked here.

Anyone who knows a secret address can make mail look as if its mailbox had passed it on. So it is random, belongs to one mailbox,
and proves nothing once it is revoked; mail that still comes for it goes to the quarantine. While one is replaced, both prove::

    in+old ─ replace ─→ in+old, in+new ─ the mailbox forwards to in+new ─ revoke in+old ─→ in+new

The last row of a mailbox in the settings is its present address, those before it are former ones.
"""

from functools import cached_property
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.rule_words import choices
from imio.mailbridge.controlpanel.address import MAIL_IN
from imio.mailbridge.controlpanel.address import SOURCES
from imio.mailbridge.controlpanel.address import why_not_answers_to
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.vocabularies import former_title
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import is_retired
from imio.mailbridge.inbound.inbox import RETIRED_FOR
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import secret_part
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings.read import rows_of
from imio.mailbridge.settings.read import stored_settings
from urllib.parse import quote


SETTINGS_CHANGED = _("The settings have changed; please choose again.")
GONE = _("a service that no longer exists")


def secret_address(address):
    """Return a new secret form of a mail-in address, or an empty string where its local part has no room."""
    local, _at, domain = address.rpartition("@")
    made = f"{local}+{secret_part()}@{domain}"
    return made if is_addr_spec(made) else ""


class AddressesView(Navigation, ButtonPage):
    """The tables, and the buttons of their rows."""

    page_name = "mailbridge-addresses"
    buttons = {"first": "_first", "make": "_make", "replace": "_replace", "revoke": "_revoke"}

    def entered(self, name):
        """Return an address of the form in lower case, or an empty string."""
        return super().entered(name).lower()

    def _first(self):
        wanted, rows = self.entered("first"), rows_of(MAIL_IN)
        chosen = [row for row in rows if row["address"].lower() == wanted and not is_secret(wanted)]
        ordered = chosen + [row for row in rows if row not in chosen]
        if not chosen:
            self._say(SETTINGS_CHANGED, "warning")
        elif why := why_not_answers_to([row["address"] for row in ordered]):
            self._say(why, "warning")
        else:
            stored_settings().mailin_addresses = ordered
            self._say(
                _("Answers and error reports come to ${address} from now on.", mapping={"address": wanted})
            )

    def _make(self):
        mailbox = self.entered("mailbox")
        row = self.settings.mailin_addresses.get(self.entered("make"))
        if row is None or is_secret(row.address) or mailbox not in self.settings.source_mailboxes:
            self._say(SETTINGS_CHANGED, "warning")
            return
        if self._secrets_of(row.address, mailbox):
            mapping = {"mailbox": mailbox}
            self._say(
                _("${mailbox} already has a secret address; replace it to make a new one.", mapping=mapping),
                "warning",
            )
            return
        if self._add(row.address, row.service, mailbox):
            self._say(
                _(
                    "The secret address of ${mailbox} has been made. Now have the mailbox forward to it: the steps are below.",
                    mapping={"mailbox": mailbox},
                )
            )

    def _replace(self):
        row = self.settings.mailin_addresses.get(self.entered("replace"))
        if row is None or not is_secret(row.address):
            self._say(SETTINGS_CHANGED, "warning")
            return
        address = without_secret(row.address)
        if len(self._secrets_of(address, row.source_mailbox)) > 1:
            self._say(
                _("A former address is still valid: retire it before you replace the current one."), "warning"
            )
            return
        if new := self._add(address, row.service, row.source_mailbox):
            records = stored_settings()
            records.imap_mailboxes = [
                {**each, "address": new} if each["address"].lower() == row.address else each
                for each in rows_of("imap_mailboxes")
            ]
            self._say(
                _(
                    "The new secret address has been made, and the former one is still valid. Have the mailbox forward to the "
                    "new one; once nothing comes through the former one, retire it."
                )
            )

    def _add(self, address, service, mailbox):
        """Add a secret form of a mail-in address to the settings; return it, or an empty string where there is no room."""
        made = secret_address(address)
        if made:
            records = stored_settings()
            new = {"address": made, "service": service or None, "mailbox": mailbox or None}
            records.mailin_addresses = [*rows_of(MAIL_IN), new]
        else:
            self._say(
                _("${address} is too long to get a secret part.", mapping={"address": address}), "error"
            )
        return made

    def _revoke(self):
        records, wanted = stored_settings(), self.entered("revoke")
        rows = rows_of(MAIL_IN)
        left = [row for row in rows if row["address"].lower() != wanted or not is_secret(wanted)]
        if len(left) == len(rows):
            self._say(SETTINGS_CHANGED, "warning")
            return
        records.mailin_addresses = left
        self._say(
            _(
                "The address has been revoked: it no longer proves anything. Mail still sent to it goes to the quarantine."
            )
        )

    def _rows(self, secret):
        return [row for row in self.settings.mailin_addresses.values() if is_secret(row.address) == secret]

    def _secrets_of(self, address, mailbox):
        """Return the rows of the secret addresses of a mailbox, the present one last."""
        return [
            row
            for row in self._rows(secret=True)
            if without_secret(row.address) == address and row.source_mailbox == mailbox
        ]

    # what the page shows

    def mail_in_rows(self):
        """Return what the table shows of each mail-in address that is no secret."""
        rows = rows_of(MAIL_IN)
        return [
            self._shown(row, "address") | {"mailbox": row["mailbox"] or "", "first": row is rows[0]}
            for row in rows
            if not is_secret(row["address"])
        ]

    def source_rows(self):
        """Return what the table shows of each source mailbox."""
        return [self._shown(row, "source") for row in rows_of(SOURCES)]

    def _shown(self, row, page):
        query, service = f"?address={quote(row['address'])}", row["service"] or ""
        return {
            "address": row["address"],
            "service": self._services.get(service) or former_title(service) or GONE if service else "",
            "edit": f"{self.page_url(f'mailbridge-{page}-edit')}{query}",
            "delete": f"{self.page_url(f'mailbridge-{page}-delete')}{query}",
        }

    @cached_property
    def _services(self):
        return choices("services")

    def counts(self):
        """Tell whether the settings let secret addresses prove anything."""
        return "tag" in self.settings.proofs

    def addresses(self):
        """Return each mail-in address with what the table shows of it, the secret ones of no open address at the end."""
        groups = {
            (row.address, each): []
            for row in self._rows(secret=False)
            for each in self.settings.source_mailboxes
        }
        for row in self._rows(secret=True):
            groups.setdefault((without_secret(row.address), row.source_mailbox), []).append(row)
        last = self._last()
        found = {row.address: [] for row in self._rows(secret=False)} | {"": []}
        for (address, mailbox), rows in groups.items():
            listed = address if mailbox in self.settings.source_mailboxes and address in found else ""
            found[listed] += self._entries(mailbox, rows, last)
        return [
            {"address": address, "mailboxes": entries}
            for address, entries in found.items()
            if address or entries
        ]

    def _entries(self, mailbox, rows, last):
        """Return the present address of a mailbox, empty where there is none, and its former ones."""
        addresses = [row.address for row in reversed(rows)] or [""]
        return [
            {
                "mailbox": mailbox,
                "secret": address,
                "last": last.get(address, ""),
                "former": address != addresses[0],
                "has_former": len(addresses) > 1,
                "works": addresses[0] in last,
            }
            for address in addresses
        ]

    def _last(self):
        """Return secret address → when it last brought mail, if it did."""
        box = inbox()
        last = {row.address: box.last_to(row.address) for row in self._rows(secret=True)}
        return {address: self.time(box.get(id).created) for address, id in last.items() if id}

    def revoked(self):
        """Return the secret addresses whose mail is still kept, and until when."""
        return [
            {"address": address, "until": self.time(since + RETIRED_FOR)}
            for address, since in inbox().retired.items()
            if is_secret(address) and is_retired(address)
        ]
