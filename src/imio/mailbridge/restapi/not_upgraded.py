"""What a request is answered between an update of the add-on and its upgrade step, where it needs a store."""

from imio.mailbridge.i18n import _
from imio.mailbridge.restapi.busy import say
from Products.Five.browser import BrowserView
from zope.i18n import translate


#: Seconds.
RETRY_AFTER = 300
SENTENCE = _(
    "The mail bridge is waiting for its upgrade, and nothing was changed. Administrators run it in Site setup, Add-ons. Try again "
    "afterwards."
)


class Waits(BrowserView):
    """The view of the exception: 503, which pipes take for "later"."""

    def __call__(self):
        self.request.response.setHeader("Retry-After", str(RETRY_AFTER))
        return say(self.request, 503, translate(SENTENCE, context=self.request))
