"""Which SMTP accounts are there, and do they work? The page ``@@mailbridge-accounts``."""

from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.delivery.accounts import waiting_for
from imio.mailbridge.delivery.hold import release
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.server import AUTH
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.settings.smtp import SECURITY
from imio.mailbridge.settings.smtp import SENDER_POLICY
from plone import api
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from urllib.parse import quote
from zExceptions import NotFound


#: How many messages are looked through for the last ones that left.
LOOK_BACK = 500


class AccountsView(Navigation, BrowserView):
    """A table of the accounts, the default one first, and the button that tries a stopped one again."""

    page_name = "mailbridge-accounts"

    def __call__(self):
        name = self.request.form.get("release")
        return self._release(name) if name is not None else self.index()

    def _release(self, name):
        if self.request.method != "POST" or not isinstance(name, str):
            raise NotFound(self.page_name)
        CheckAuthenticator(self.request)
        say = api.portal.show_message
        if outbox().hold_of(name) is None:
            say(_("This account is not stopped."), self.request)
        elif release(name):
            say(_("The account works again; what waited leaves now."), self.request)
        else:
            say(
                _("The account still does not work. The diagnosis shows where it stops."),
                self.request,
                "warning",
            )
        return self.request.response.redirect(self.page_url(self.page_name))

    def rows(self):
        """Return what is shown of each account."""
        values = settings()
        known = {DEFAULT: values.default_account} | values.accounts
        last = _last_sent(known)
        return [self._row(account, last.get(account.name)) for account in known.values()]

    def _row(self, account, last):
        hold = outbox().hold_of(account.name)
        query = f"?account={quote(account.name)}"
        is_default = account.name == DEFAULT
        edit = self.page_url("mailbridge-controlpanel" if is_default else "mailbridge-account-edit")
        return {
            "name": account.name,
            "is_default": is_default,
            "server": f"{account.host}:{account.port}" if account.host else "",
            "security": SECURITY.getTerm(account.security).title,
            "auth": AUTH.getTerm(account.auth).title if account.login else _("no login"),
            "login": account.login,
            "login_address": account.login_address if account.login_address != account.login else "",
            "senders": account.senders,
            "policy": SENDER_POLICY.getTerm(account.sender_policy).title,
            "hold": hold
            and {
                "since": self.time(hold["at"]),
                "answer": f"{hold['code'] or ''} {hold['text']}".strip(),
                "explanation": translatable(hold["explanation"]),
                "remedy": translatable(hold["remedy"]),
            },
            "waiting": len(waiting_for(account.name)),
            "last": self.time(last) if last else "",
            "edit": edit if is_default else f"{edit}{query}",
            "delete": "" if is_default else f"{self.page_url('mailbridge-account-delete')}{query}",
            "diagnosis": f"{self.page_url('mailbridge-diagnosis')}{query}",
            "send_as": f"{self.page_url('mailbridge-send-as')}#account-{account.name}",
        }


def _last_sent(names):
    """Return account name → when its server last took a message, of what left lately."""
    box, found = outbox(), {}
    for id in box.newest_ids("sent", "replied", "bounced")[:LOOK_BACK]:
        record = box.get(id)
        if record.account in names and record.account not in found:
            found[record.account] = max(
                (line["at"] for line in record.history if line["state"] == "sent"), default=None
            )
            if len(found) == len(names):
                break
    return found
