"""What stands after the name of a service? ``@outbox/<id>/retry`` → ``["<id>", "retry"]``."""

from plone.restapi.services import Service
from zope.i18n import translate
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


@implementer(IPublishTraverse)
class PathService(Service):
    """A service that keeps the path below its name in ``params``."""

    def __init__(self, context, request):
        super().__init__(context, request)
        self.params = []

    def publishTraverse(self, request, name):
        """Take one more segment."""
        self.params.append(name)
        return self

    def answer(self, status, message=None, **values):
        """Set the status; return a JSON body with ``message`` translated, if there is one."""
        self.request.response.setStatus(status)
        if message is not None:
            values["message"] = translate(message, context=self.request)
        return values
