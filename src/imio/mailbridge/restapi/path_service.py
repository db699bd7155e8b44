"""Services that read the path below their name (``@outbox/<id>/retry`` → ``["<id>", "retry"]``) and answer with a message.

plone.rest's own rendering of exceptions would add type, context and traceback to the answer, and replace the message of a 404.
"""

from plone.restapi.services import Service
from zope.i18n import translate
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


class Refusal(Exception):
    """Ends a service with an HTTP status, a msgid and more values for the JSON body."""

    def __init__(self, status, message, **values):
        super().__init__(message)
        self.status = status
        self.message = message
        self.values = values

    def body(self, request):
        """Return the JSON of the answer."""
        return {"message": translate(self.message, context=request), **self.values}


@implementer(IPublishTraverse)
class PathService(Service):
    """A service that keeps the path below its name in ``params``; ``answer`` returns the JSON or raises ``Refusal``."""

    def __init__(self, context, request):
        super().__init__(context, request)
        self.params = []

    def publishTraverse(self, request, name):
        """Take one more segment."""
        self.params.append(name)
        return self

    def reply(self):
        """Return the answer, or that of a ``Refusal``."""
        try:
            return self.answer()
        except Refusal as refusal:
            self.request.response.setStatus(refusal.status)
            return refusal.body(self.request)
