"""What a request is answered that needs bytes which are missing on the server: the file of a blob, or an object."""

from imio.mailbridge.i18n import _
from imio.mailbridge.restapi.busy import say
from Products.Five.browser import BrowserView
from zope.i18n import translate
import logging


SENTENCE = _(
    "What you asked for is lost: its bytes are missing on the server. Tell the administrators of the site, who can look for them "
    "in the backup. Everything else goes on."
)

logger = logging.getLogger(__name__)


class Lost(BrowserView):
    """The view of the exception: 404, with a sentence; the log names the file."""

    def __call__(self):
        logger.exception("%s", self.request.get("ACTUAL_URL", ""))
        return say(self.request, 404, translate(SENTENCE, context=self.request))
