"""Does each source mailbox forward as it should? The page ``@@mailbridge-forwarding``: check, result, remedy."""

from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.forwarding import check
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.settings.read import settings
from plone import api
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.i18n import translate
import datetime
import posixpath


#: Where the guides can be read.
GUIDES = "https://github.com/IMIO/imio.mailbridge/blob/main/docs/guides"
LANGUAGES = ("en", "fr")
FORMS = {
    "unchanged": _("unchanged"),
    "attachment": _("as an attachment"),
    "text": _("as text"),
}
PROOFS = {
    "tag": _("secret address"),
    "gateway": _("trusted mail server"),
    "arc": _("seal of the provider"),
    "dkim": _("signature of the domain"),
    "results": _("verified by your own mail server"),
    "": _("no proof"),
}
SHOWN = 5


class ForwardingView(Navigation, BrowserView):
    """A table of the source mailboxes, and the buttons that check one and accept how it forwards."""

    page_name = "mailbridge-forwarding"

    def __call__(self):
        for name, act in (("check", self._check), ("accept", self._accept)):
            mailbox = self.request.form.get(name)
            if mailbox is None:
                continue
            if self.request.method != "POST" or mailbox not in check.declared():
                raise NotFound(self.page_name)
            CheckAuthenticator(self.request)
            api.portal.show_message(*act(mailbox))
            return self.request.response.redirect(self.page_url(self.page_name))
        if self.is_running():
            self.request.response.setHeader("Refresh", "10")
        return self.index()

    def _check(self, mailbox):
        try:
            check.start(mailbox)
        except check.CannotCheck as error:
            return error.args[0], self.request, "warning"
        text = _(
            "The message to ${mailbox} is on its way. Most come back within a minute; after half an hour it counts as lost.",
            mapping={"mailbox": mailbox},
        )
        return text, self.request, "info"

    def _accept(self, mailbox):
        if not check.accept(mailbox):
            return _("There is no good check of this mailbox."), self.request, "warning"
        return _("This is how it is expected to arrive from now on."), self.request, "info"

    def is_running(self):
        """Tell whether a check has not come back yet."""
        known = forwardings()
        return any(known[each].running for each in check.declared() if each in known)

    def canary(self):
        """Tell whether the mailboxes are checked each week."""
        return settings().forwarding_canary

    def rows(self):
        """Return what is shown of each mailbox."""
        known = forwardings()
        return [self._row(mailbox, known.get(mailbox)) for mailbox in check.declared()]

    def _row(self, mailbox, about):
        results = about.results if about is not None else ()
        return {
            "mailbox": mailbox,
            "running": self.time(about.running["begun"]) if about is not None and about.running else "",
            "result": self._result(results[0]) if results else None,
            "earlier": [self._result(each) for each in results[1:SHOWN]],
            "expected": self._fingerprint(about.expected) if about is not None and about.expected else "",
            "last_mail": self._moment(about.seen[-1]) if about is not None and about.seen else "",
            "silent": about is not None and bool(about.silent_since) and about.silent_since == about.seen[-1],
        }

    def _moment(self, seconds):
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
            self._say(FORMS[found["form"]]),
            self._say(PROOFS[found["proof"]]),
            ", ".join(found["marks"]) or self._say(_("no marks")),
            found["arrived"],
        ]
        return " · ".join(filter(None, parts))

    def _url(self, guide):
        language = (api.portal.get_current_language() or "")[:2]
        return posixpath.join(GUIDES, language if language in LANGUAGES else "en", f"{guide.file}.rst")

    def _say(self, message):
        return translate(message, context=self.request)
