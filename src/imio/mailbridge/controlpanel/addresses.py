"""Which mailbox has a secret address? The page ``@@mailbridge-addresses``: make one, copy it, revoke it.

Whoever knows a secret address can make mail look as if its mailbox had passed it on. So it is made of chance, belongs to one
mailbox, and proves nothing any more from the moment that it is revoked; what still comes for it goes to the quarantine.
"""

from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.destination import is_secret
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import is_retired
from imio.mailbridge.inbound.inbox import RETIRED_FOR
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound
import secrets


#: Lower case, because mail systems fold it; without what looks like something else (i, l, 1, o, 0).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
#: 99 bits.
LENGTH = 20
#: How many of the newest messages are looked at for when an address last brought one.
LOOKED_AT = 500


def secret_address(address):
    """Return a new secret form of a mail-in address, or an empty string where its local part has no room."""
    local, _at, domain = address.rpartition("@")
    tag = "".join(secrets.choice(ALPHABET) for _number in range(LENGTH))
    made = f"{local}+{tag}@{domain}"
    return made if is_addr_spec(made) else ""


class AddressesView(Navigation, BrowserView):
    """A table of mailboxes for each mail-in address, and the buttons make and revoke."""

    page_name = "mailbridge-addresses"

    def __call__(self):
        act = next((name for name in ("make", "revoke") if name in self.request.form), None)
        if act is None:
            return self.index()
        if self.request.method != "POST":
            raise NotFound(self.page_name)
        CheckAuthenticator(self.request)
        message, kind = self._make() if act == "make" else self._revoke()
        api.portal.show_message(message, self.request, kind)
        return self.request.response.redirect(self.page_url(self.page_name))

    def _entered(self, name):
        value = self.request.form.get(name)
        return value.strip().lower() if isinstance(value, str) else ""

    def _make(self):
        wanted, mailbox = self._entered("make"), self._entered("mailbox")
        row = next((row for row in self._open_rows() if row.address == wanted), None)
        if row is None or mailbox not in self._mailboxes():
            return _("The settings have changed; please choose again."), "warning"
        if self._secret_of(wanted, mailbox) is not None:
            mapping = {"mailbox": mailbox}
            return _(
                "${mailbox} has a secret address already; revoke it to make a new one.", mapping=mapping
            ), "warning"
        made = secret_address(row.address)
        if not made:
            mapping = {"address": row.address}
            return _("${address} is too long to get a secret part.", mapping=mapping), "error"
        new = {"address": made, "service": row.service or None, "mailbox": mailbox}
        records = stored_settings()
        records.mailin_addresses = [*records.mailin_addresses, new]
        return _(
            "The secret address of ${mailbox} is made. Now let the mailbox forward to it: the steps are below.",
            mapping={"mailbox": mailbox},
        ), "info"

    def _revoke(self):
        records, wanted = stored_settings(), self._entered("revoke")
        rows = records.mailin_addresses or []
        left = [row for row in rows if row["address"].lower() != wanted or not is_secret(wanted)]
        if len(left) == len(rows):
            return _("The settings have changed; please choose again."), "warning"
        records.mailin_addresses = left
        return _(
            "The address is revoked: it proves nothing any more. Mail that still comes for it goes to the quarantine."
        ), "info"

    def _open_rows(self):
        return [row for row in settings().mailin_addresses.values() if not is_secret(row.address)]

    def _secret_rows(self):
        return [row for row in settings().mailin_addresses.values() if is_secret(row.address)]

    def _mailboxes(self):
        """Return the declared mailboxes in the order of the settings."""
        return list(settings().source_mailboxes)

    def _secret_of(self, address, mailbox):
        return next(
            (
                row
                for row in self._secret_rows()
                if without_detail(row.address) == without_detail(address) and row.source_mailbox == mailbox
            ),
            None,
        )

    # what the page shows

    def counts(self):
        """Tell whether the settings let secret addresses prove anything."""
        return "tag" in settings().proofs

    def addresses(self):
        """Return each mail-in address with its mailboxes, each with its secret address or an empty string."""
        last = self._last()
        shown = [
            {
                "address": row.address,
                "mailboxes": [
                    self._shown(mailbox, self._secret_of(row.address, mailbox), last)
                    for mailbox in self._mailboxes()
                ],
            }
            for row in self._open_rows()
        ]
        listed = {each["secret"] for address in shown for each in address["mailboxes"]}
        others = [row for row in self._secret_rows() if row.address not in listed]
        if others:
            rows = [self._shown(row.source_mailbox, row, last) for row in others]
            shown.append({"address": "", "mailboxes": rows})
        return shown

    def _shown(self, mailbox, row, last):
        secret = row.address if row else ""
        return {"mailbox": mailbox, "secret": secret, "last": last.get(secret, "")}

    def _last(self):
        """Return when each secret address last brought mail, as text, as far as the newest messages tell."""
        box, found = inbox(), {}
        wanted = {row.address for row in self._secret_rows()}
        for id in box.newest_ids()[:LOOKED_AT] if wanted else ():
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
