"""The page ``@@mailbridge-accounts``: the SMTP accounts, whether they work, and what receivers will find."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel import foretold
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.delivery.release import release
from imio.mailbridge.diagnosis import foreseen
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import TAKEN
from imio.mailbridge.settings.server import AUTH
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.settings.smtp import name_in_words
from imio.mailbridge.settings.smtp import SECURITY
from imio.mailbridge.settings.smtp import SENDER_POLICY
from urllib.parse import quote
from zExceptions import NotFound


class AccountsView(Navigation, ButtonPage):
    """A table of the accounts, the default one first, and the buttons that retry a stopped one and ask DNS."""

    page_name = "mailbridge-accounts"
    buttons = {"release": "_release", "check": "_check"}

    def _find_target(self, name):
        if name == "check" and self.entered("check") not in self.settings.accounts:
            raise NotFound(self.page_name)

    def _release(self):
        name = self.entered("release")
        if outbox().hold_of(name) is None:
            self._say(_("This account is not stopped."))
        elif release(name):
            self._say(_("The account is working again; waiting messages are going out now."))
        else:
            self._say(_("The account still does not work. The diagnosis shows where it fails."), "warning")

    def _check(self):
        account = self.settings.accounts[self.entered("check")]
        if foreseen.ask(account, self.settings):
            self._say(_("DNS was queried. What receivers will find is shown below."))
        else:
            self._say(_("No DNS server answers."), "warning")

    def rows(self):
        """Return what the table shows of each account."""
        known = {DEFAULT: self.settings.default_account} | self.settings.accounts
        last = _last_sent(known)
        return [self._row(account, last.get(account.name)) for account in known.values()]

    def _row(self, account, last):
        problem = outbox().hold_of(account.name) or outbox().troubles.get(account.name)
        query = f"?account={quote(account.name)}"
        is_default = account.name == DEFAULT
        seen = foreseen.foreseen(account, self.settings)
        diagnosis = f"{self.page_url('mailbridge-diagnosis')}{query}"
        edit = self.page_url("mailbridge-controlpanel" if is_default else "mailbridge-account-edit")
        return {
            "name": account.name,
            "words": name_in_words(account.name),
            "is_default": is_default,
            "server": f"{account.host}:{account.port}" if account.host else "",
            "security": SECURITY.getTerm(account.security).title,
            "auth": AUTH.getTerm(account.auth).title if account.login else _("no login"),
            "login": account.login,
            "login_address": account.login_address if account.login_address != account.login else "",
            "senders": account.senders,
            "policy": SENDER_POLICY.getTerm(account.sender_policy).title,
            "is_stopped": account.name in outbox().holds,
            "problem": problem
            and {
                "since": self.time(problem["at"]),
                "answer": f"{problem['code'] or ''} {problem['text']}".strip(),
                "is_of_server": bool(problem["code"]),
                "explanation": translatable(problem["explanation"]),
                "remedy": translatable(problem["remedy"]),
            },
            "waiting": outbox().number_waiting(account=account.name),
            "last": self.time(last) if last else "",
            "edit": edit if is_default else f"{edit}{query}",
            "delete": "" if is_default else f"{self.page_url('mailbridge-account-delete')}{query}",
            "marks": foretold.marks(seen.forecasts, account.sender_policy),
            "fails": foretold.warning(seen.forecasts, account.sender_policy),
            "foreseen_at": self.time(seen.at) if seen.at else "",
            "diagnosis": diagnosis,
            "send_as": f"{self.page_url('mailbridge-send-as')}#account-{account.name}",
        }


def _last_sent(names):
    """Return account name → when its server last took a message, if it did."""
    box, found = outbox(), {}
    for name in names:
        cells = box.listing.cells(where=lambda cell, name=name: cell[1] == name and cell[0] in TAKEN)
        if record := next(box.in_cells(cells).records(), None):
            found[name] = max(
                (line["at"] for line in record.history if line["state"] == "sent"), default=None
            )
    return found
