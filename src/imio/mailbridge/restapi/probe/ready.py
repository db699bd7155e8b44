"""``GET /@@mailbridge-ready``: whether a balancer may send people and pipes to this instance."""

from imio.mailbridge.restapi.probe.parts import missing
from imio.mailbridge.taskqueue import stopping
from Products.Five.browser import BrowserView


class Ready(BrowserView):
    """Answer "ready", or 503 "not ready: …" with one word: ``stopping``, ``database``, ``site`` or ``queue``."""

    def __call__(self):
        response = self.request.response
        response.setHeader("Content-Type", "text/plain; charset=utf-8")
        response.setHeader("Cache-Control", "no-store")
        reason = "stopping" if stopping.is_stopping() else missing(self.context._p_jar.db())
        if not reason:
            return "ready"
        response.setStatus(503)
        return f"not ready: {reason}"
