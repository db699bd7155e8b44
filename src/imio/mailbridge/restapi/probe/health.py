"""``GET /@@mailbridge-health``: whether the process answers."""

from Products.Five.browser import BrowserView


class Health(BrowserView):
    """Answer "up" without a look at database or queue: to start the process again would mend neither."""

    def __call__(self):
        self.request.response.setHeader("Content-Type", "text/plain; charset=utf-8")
        self.request.response.setHeader("Cache-Control", "no-store")
        return "up"
