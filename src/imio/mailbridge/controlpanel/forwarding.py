"""The page ``@@mailbridge-forwarding``: checks whether each source mailbox forwards as it should."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.guide import guide_url
from imio.mailbridge.browser.guide_text import section_id
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.forwarding import check
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.store import forwardings
from plone import api
from zExceptions import NotFound
from zope.i18n import translate
import datetime


#: Of the guides.
LANGUAGES = ("en", "fr")
FORMS = {
    "unchanged": _("unchanged"),
    "attachment": _("as an attachment"),
    "text": _("as text"),
}
#: How many results of a mailbox the page shows.
MAX_RESULTS = 5


class ForwardingView(Navigation, ButtonPage):
    """A table of the source mailboxes, and the buttons that check one and accept how it forwards."""

    page_name = "mailbridge-forwarding"
    buttons = {"check": "_check", "accept": "_accept"}

    def _show(self):
        if self.is_running():
            self.request.response.setHeader("Refresh", "10")
        return super()._show()

    def _find_target(self, name):
        self.source_mailbox = self.entered(name)
        if self.source_mailbox not in check.declared():
            raise NotFound(self.page_name)

    def _check(self):
        try:
            check.start(self.source_mailbox)
        except check.CannotCheck as error:
            self._say(error.args[0], "warning")
        else:
            text = _(
                "The message to ${mailbox} is on its way. Most come back within a minute; after half an hour it counts as lost.",
                mapping={"mailbox": self.source_mailbox},
            )
            self._say(text)

    def _accept(self):
        if check.accept(self.source_mailbox):
            self._say(_("This is how it is expected to arrive from now on."))
        else:
            self._say(_("This mailbox has no successful check."), "warning")

    def is_running(self):
        """Tell whether a check has not come back yet."""
        known = forwardings()
        return any(known[each].running for each in check.declared() if each in known)

    def canary(self):
        """Tell whether the mailboxes are checked each week."""
        return self.settings.forwarding_canary

    def rows(self):
        """Return what the table shows of each mailbox."""
        known = forwardings()
        return [self._row(mailbox, known.get(mailbox)) for mailbox in check.declared()]

    def _row(self, mailbox, about):
        results = about.results if about is not None else ()
        return {
            "mailbox": mailbox,
            "running": self.time(about.running["begun"]) if about is not None and about.running else "",
            "result": self._result(results[0]) if results else None,
            "earlier": [self._result(each) for each in results[1:MAX_RESULTS]],
            "expected": self._fingerprint(about.expected) if about is not None and about.expected else "",
            "last_mail": self._time_of(about.seen[-1]) if about is not None and about.seen else "",
            "silent": about is not None and bool(about.silent_since) and about.silent_since == about.seen[-1],
        }

    def _time_of(self, seconds):
        return self.time(datetime.datetime.fromtimestamp(seconds, datetime.UTC))

    def _result(self, result):
        outcome = OUTCOMES[result["outcome"]]
        return {
            "at": self.time(result["at"]),
            "name": result["outcome"],
            "good": outcome.good and not result["differs"],
            "differs": result["differs"],
            "sentence": outcome.sentence,
            "remedy": outcome.remedy,
            "guide": outcome.guide and outcome.guide.title,
            "section": outcome.guide and outcome.guide.section,
            "url": outcome.guide and self._url(outcome.guide),
            "fingerprint": self._fingerprint(result["fingerprint"]) if result["fingerprint"] else "",
            "seconds": result["seconds"],
            "text": result["text"],
            "message": result["record"]
            and f"{self.page_url('mailbridge-inbox-message')}?id={result['record']}",
        }

    def _fingerprint(self, found):
        parts = [
            self._translated(FORMS[found["form"]]),
            self._translated(titles.PROOF[found["proof"]].noun),
            ", ".join(found["marks"]) or self._translated(_("no marks")),
            found["arrived"],
        ]
        return " · ".join(filter(None, parts))

    def _url(self, guide):
        spoken = (api.portal.get_current_language() or "")[:2]
        language = spoken if spoken in LANGUAGES else "en"
        section = translate(guide.section, target_language=language)
        return guide_url(f"{language}/{guide.file}", section_id(section))

    def _translated(self, message):
        return translate(message, context=self.request)
