"""Does mail leave? What a manager of mail sees on every page while an account is stopped."""

from imio.mailbridge.browser.moment import readable_time
from imio.mailbridge.i18n import translatable
from imio.mailbridge.outbound.outbox import outbox
from plone import api
from plone.app.layout.viewlets.common import ViewletBase


class AlarmViewlet(ViewletBase):
    """A warning for each stopped account, with the remedy."""

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
                "remedy": translatable(hold.get("remedy")),
                "answer": f"{hold['code'] or ''} {hold['text']}".strip(),
            }
            for name, hold in sorted(outbox().holds.items())
        ]
