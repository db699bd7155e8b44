"""What a request is answered that met conflicts only: others changed the same data at the same time."""

from html import escape
from imio.mailbridge.i18n import _
from plone.rest.interfaces import IAPIRequest
from Products.Five.browser import BrowserView
from zope.i18n import translate
import json


#: Seconds.
RETRY_AFTER = 5
SENTENCE = _(
    "Too many people are working on the same thing right now, and nothing was changed. Try again in a few seconds."
)


def say(request, status, sentence):
    """Set the status and the body of the answer to a request that ends in a sentence; return the body, for any client."""
    response = request.response
    response.setStatus(status, lock=True)
    if IAPIRequest.providedBy(request):
        response.setHeader("Content-Type", "application/json")
        return json.dumps({"message": sentence})
    response.setHeader("Content-Type", "text/html; charset=utf-8")
    return f"<!DOCTYPE html><title>{status}</title><p>{escape(sentence)}</p>"


def answer_busy(request):
    """Set the status and the header of an answer to who is to come back; return the sentence in the language of the user."""
    request.response.setStatus(503, lock=True)
    request.response.setHeader("Retry-After", str(RETRY_AFTER))
    return translate(SENTENCE, context=request)


class Busy(BrowserView):
    """The view of the exception, after the last of the publisher's own tries."""

    def __call__(self):
        return say(self.request, 503, answer_busy(self.request))
