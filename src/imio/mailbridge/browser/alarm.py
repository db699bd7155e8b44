"""Warns managers of mail on every page while an account is stopped or a mailbox cannot be read."""

from imio.mailbridge.browser.button_page import may
from imio.mailbridge.browser.button_page import SET_UP
from imio.mailbridge.delivery.account_alarm import gives_up
from imio.mailbridge.delivery.account_alarm import PATIENCE
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.imap_reading import QUIET
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.smtp import name_in_words
from imio.mailbridge.store.store import NotUpgraded
from imio.mailbridge.store.store import now
from plone.app.layout.viewlets.common import ViewletBase
from zope.annotation.interfaces import IAnnotations


#: annotation of the request: the viewlet that showed the warnings
SHOWN = "imio.mailbridge.alarm"
NONE_LOST = _("No message is lost: they wait, and go out by themselves.")
#: The warning while the add-on is newer than what it stored.
NOT_UPGRADED = {
    "name": "",
    "what": _("The mail bridge is waiting for its upgrade."),
    "waiting": "",
    "page": "@@prefs_install_products_form",
    "link": _("See the add-ons"),
    "explanation": _(
        "Until then it sends and files nothing. Mail servers keep what they could not hand over, and try again."
    ),
    "answer": "",
    "is_of_server": False,
    "remedy": _("Open Site setup, Add-ons, and upgrade the mail bridge."),
    "follows": "",
    "since": "",
}
#: Messages that are counted, at most: it is done on every page.
MANY = 1000


class AlarmViewlet(ViewletBase):
    """A warning for each stopped account and each unreadable mailbox: one line, with details; the remedy for who can apply it."""

    def render(self):
        """Return the warnings the first time on a page: Plone's control panels show their status messages twice."""
        if IAnnotations(self.request).setdefault(SHOWN, self) is not self:
            return ""
        return super().render()

    def may_set_up(self):
        """Tell whether the user may open the pages of accounts and mailboxes."""
        return may(SET_UP)

    def alarms(self):
        """Return the warnings: first the mailboxes that have not been readable for a while, then the accounts."""
        try:
            return [*self._mailboxes(), *self._accounts()]
        except NotUpgraded:
            return [NOT_UPGRADED]

    def _accounts(self):
        """Return a warning for each account that is stopped, or by which nothing has left for a while."""
        box = outbox()
        lasting = {name: each for name, each in box.troubles.items() if each["at"] + PATIENCE <= now()}
        return [
            {
                "name": name_in_words(name),
                "since": readable_time(problem["at"]),
                "what": self._account_in_words(name, problem["at"], name in box.holds),
                "waiting": _("Messages waiting: ${count}", mapping={"count": _number_waiting(name)}),
                "page": "@@mailbridge-accounts",
                "link": _("See the accounts"),
                "explanation": translatable(problem["explanation"]),
                "answer": f"{problem['code'] or ''} {problem['text']}".strip(),
                "is_of_server": bool(problem["code"]),
                "remedy": translatable(problem["remedy"]),
                "follows": NONE_LOST if name in box.holds else gives_up(),
            }
            for name, problem in sorted((lasting | dict(box.holds)).items())
        ]

    def _account_in_words(self, name, at, is_stopped):
        mapping = {"name": name_in_words(name), "at": readable_time(at)}
        if is_stopped:
            return _("The SMTP account ${name} has been stopped since ${at}.", mapping=mapping)
        return _("Nothing has gone out through the SMTP account ${name} since ${at}.", mapping=mapping)

    def _mailboxes(self):
        found = [(name, status_of(name)) for name in settings().imap_mailboxes]
        return [
            {
                "name": name,
                "since": readable_time(about.problem["since"]),
                "what": _(
                    "The mailbox ${name} has not been read since ${since}.",
                    mapping={"name": name, "since": readable_time(about.problem["since"])},
                ),
                "waiting": "",
                "page": "@@mailbridge-mailboxes",
                "link": _("See the mailboxes"),
                "explanation": row.explanation,
                "answer": "",
                "is_of_server": False,
                "remedy": row.remedy,
                "follows": "",
            }
            for name, about in found
            if about is not None and about.problem and now() > about.problem["since"] + QUIET
            for row in [imap_answer(about.problem["stage"], about.problem["text"])]
        ]


def _number_waiting(name):
    count = outbox().number_waiting(account=name)
    return str(count) if count <= MANY else f"{MANY}+"
