"""Does mail leave and come in? What a manager of mail sees on every page while an account is stopped or a mailbox not read."""

from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.imap_reading import PROBLEMS
from imio.mailbridge.inbound.imap_reading import QUIET
from imio.mailbridge.inbound.imap_reading import REMEDIES
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from plone import api
from plone.app.layout.viewlets.common import ViewletBase


class AlarmViewlet(ViewletBase):
    """A warning for each stopped account, and for each mailbox that could not be read for a while, with the remedy."""

    def may_set_up(self):
        """Tell whether the user may open the page of the accounts."""
        return api.user.has_permission("Plone Site Setup: Mail", obj=api.portal.get())

    def alarms(self):
        """Return what is shown of each stopped account."""
        return [
            {
                "name": name,
                "since": readable_time(hold["at"]),
                "explanation": translatable(hold["explanation"]),
                "remedy": translatable(hold["remedy"]),
                "answer": f"{hold['code'] or ''} {hold['text']}".strip(),
            }
            for name, hold in sorted(outbox().holds.items())
        ]

    def mailboxes(self):
        """Return what is shown of each mailbox that is not read."""
        found = [(name, status_of(name)) for name in settings().imap_mailboxes]
        return [
            {
                "name": name,
                "since": readable_time(about.problem["since"]),
                "explanation": PROBLEMS[about.problem["stage"]],
                "remedy": REMEDIES[about.problem["stage"]],
            }
            for name, about in found
            if about is not None and about.problem and now() > about.problem["since"] + QUIET
        ]
