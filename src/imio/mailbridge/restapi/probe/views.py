"""The two addresses as views of the root of Zope, for an instance without the filter (``wsgi``)."""

from imio.mailbridge.restapi.probe.answers import ANSWERS
from imio.mailbridge.restapi.probe.answers import HEADERS
from Products.Five.browser import BrowserView


class Probe(BrowserView):
    """Answer a balancer; only while the database lets Zope open a connection."""

    def __call__(self):
        response = self.request.response
        for name, value in HEADERS.items():
            response.setHeader(name, value)
        status, text = ANSWERS[self.__name__](self.context._p_jar.db())
        response.setStatus(status)
        return text
