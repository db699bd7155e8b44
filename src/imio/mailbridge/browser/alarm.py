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
from imio.mailbridge.store.store import now
from plone.app.layout.viewlets.common import ViewletBase
from zope.annotation.interfaces import IAnnotations


#: annotation of the request: the viewlet that showed the warnings
SHOWN = "imio.mailbridge.alarm"
NONE_LOST = _("No message is lost: they wait, and go out by themselves.")


class AlarmViewlet(ViewletBase):
    """A warning for each stopped account and each unreadable mailbox, with the remedy."""

    def render(self):
        """Return the warnings the first time on a page: Plone's control panels show their status messages twice."""
        if IAnnotations(self.request).setdefault(SHOWN, self) is not self:
            return ""
        return super().render()

    def may_set_up(self):
        """Tell whether the user may open the page of the accounts."""
        return may(SET_UP)

    def alarms(self):
        """Return a warning for each account that is stopped, or by which nothing has left for a while."""
        box = outbox()
        lasting = {name: each for name, each in box.troubles.items() if each["at"] + PATIENCE <= now()}
        return [
            {
                "name": name_in_words(name),
                "is_stopped": name in box.holds,
                "follows": NONE_LOST if name in box.holds else gives_up(),
                "since": readable_time(problem["at"]),
                "explanation": translatable(problem["explanation"]),
                "remedy": translatable(problem["remedy"]),
                "answer": f"{problem['code'] or ''} {problem['text']}".strip(),
                "is_of_server": bool(problem["code"]),
            }
            for name, problem in sorted((lasting | dict(box.holds)).items())
        ]

    def mailboxes(self):
        """Return a warning for each mailbox that has not been readable for a while."""
        found = [(name, status_of(name)) for name in settings().imap_mailboxes]
        return [
            {
                "name": name,
                "since": readable_time(about.problem["since"]),
                "explanation": row.explanation,
                "remedy": row.remedy,
            }
            for name, about in found
            if about is not None and about.problem and now() > about.problem["since"] + QUIET
            for row in [imap_answer(about.problem["stage"], about.problem["text"])]
        ]
