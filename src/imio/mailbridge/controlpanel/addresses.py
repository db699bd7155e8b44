"""The page ``@@mailbridge-addresses``: makes and revokes secret addresses of source mailboxes.

Anyone who knows a secret address can make mail look as if its mailbox had passed it on. So it is random, belongs to one mailbox,
and proves nothing once it is revoked; mail that still comes for it goes to the quarantine.
"""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import is_retired
from imio.mailbridge.inbound.inbox import RETIRED_FOR
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import secret_part
from imio.mailbridge.settings.read import stored_settings


SETTINGS_CHANGED = _("The settings have changed; please choose again.")
#: How many of the newest messages are searched for the last one of each address.
LOOK_BACK = 500


def secret_address(address):
    """Return a new secret form of a mail-in address, or an empty string where its local part has no room."""
    local, _at, domain = address.rpartition("@")
    made = f"{local}+{secret_part()}@{domain}"
    return made if is_addr_spec(made) else ""


class AddressesView(Navigation, ButtonPage):
    """A table of source mailboxes for each mail-in address, and the buttons make and revoke."""

    page_name = "mailbridge-addresses"
    buttons = {"make": "_make", "revoke": "_revoke"}

    def entered(self, name):
        """Return an address of the form in lower case, or an empty string."""
        return super().entered(name).lower()

    def _make(self):
        mailbox = self.entered("mailbox")
        row = self.settings.mailin_addresses.get(self.entered("make"))
        if row is None or is_secret(row.address) or mailbox not in self.settings.source_mailboxes:
            self._say(SETTINGS_CHANGED, "warning")
            return
        if self._secret_of(row.address, mailbox) is not None:
            mapping = {"mailbox": mailbox}
            self._say(
                _("${mailbox} has a secret address already; revoke it to make a new one.", mapping=mapping),
                "warning",
            )
            return
        made = secret_address(row.address)
        if not made:
            mapping = {"address": row.address}
            self._say(_("${address} is too long to get a secret part.", mapping=mapping), "error")
            return
        new = {"address": made, "service": row.service or None, "mailbox": mailbox}
        records = stored_settings()
        records.mailin_addresses = [*records.mailin_addresses, new]
        self._say(
            _(
                "The secret address of ${mailbox} is made. Now let the mailbox forward to it: the steps are below.",
                mapping={"mailbox": mailbox},
            )
        )

    def _revoke(self):
        records, wanted = stored_settings(), self.entered("revoke")
        rows = records.mailin_addresses or []
        left = [row for row in rows if row["address"].lower() != wanted or not is_secret(wanted)]
        if len(left) == len(rows):
            self._say(SETTINGS_CHANGED, "warning")
            return
        records.mailin_addresses = left
        self._say(
            _(
                "The address is revoked: it proves nothing any more. Mail that still comes for it goes to the quarantine."
            )
        )

    def _rows(self, secret):
        return [row for row in self.settings.mailin_addresses.values() if is_secret(row.address) == secret]

    def _secret_of(self, address, mailbox):
        return next(
            (
                row
                for row in self._rows(secret=True)
                if without_detail(row.address) == without_detail(address) and row.source_mailbox == mailbox
            ),
            None,
        )

    # what the page shows

    def counts(self):
        """Tell whether the settings let secret addresses prove anything."""
        return "tag" in self.settings.proofs

    def addresses(self):
        """Return each mail-in address with its mailboxes, each with its secret address or an empty string."""
        last = self._last()
        found = [
            {
                "address": row.address,
                "mailboxes": [
                    self._entry(mailbox, self._secret_of(row.address, mailbox), last)
                    for mailbox in self.settings.source_mailboxes
                ],
            }
            for row in self._rows(secret=False)
        ]
        listed = {each["secret"] for address in found for each in address["mailboxes"]}
        others = [row for row in self._rows(secret=True) if row.address not in listed]
        if others:
            rows = [self._entry(row.source_mailbox, row, last) for row in others]
            found.append({"address": "", "mailboxes": rows})
        return found

    def _entry(self, mailbox, row, last):
        secret = row.address if row else ""
        return {"mailbox": mailbox, "secret": secret, "last": last.get(secret, "")}

    def _last(self):
        """Return secret address → when it last brought mail, as text, of the newest messages."""
        box, found = inbox(), {}
        wanted = {row.address for row in self._rows(secret=True)}
        for id in box.newest_ids()[:LOOK_BACK] if wanted else ():
            record = box.records[id]
            if record.envelope_recipient in wanted:
                found.setdefault(record.envelope_recipient, self.time(record.created))
        return found

    def revoked(self):
        """Return the secret addresses whose mail is still kept, and until when."""
        return [
            {"address": address, "until": self.time(since + RETIRED_FOR)}
            for address, since in inbox().retired.items()
            if is_secret(address) and is_retired(address)
        ]
