"""Dispatches the buttons of pages: a POST with a CSRF token presses one, then the browser is redirected."""

from AccessControl import Unauthorized
from functools import cached_property
from imio.mailbridge.browser.form_token import has_token
from imio.mailbridge.browser.form_token import STALE
from imio.mailbridge.settings.read import settings
from plone import api
from Products.Five.browser import BrowserView
from zExceptions import NotFound


SET_UP = "Plone Site Setup: Mail"


class ButtonPage(BrowserView):
    """A page with buttons: ``buttons`` maps the name of each in the form to the method that it calls.

    The method returns None, and the browser is redirected to ``next_url``; or it returns the answer itself. Pages that keep
    other values in ``buttons`` override ``_press``. ``permissions`` maps a button that needs more than the page to a
    permission on the site.
    """

    buttons = {}
    permissions = {}

    def __call__(self):
        name = self._pressed()
        if name is None:
            return self._show()
        if self.request.method != "POST":
            raise NotFound(name)
        self._find_target(name)
        if not has_token(self.request):
            self._say(STALE, "warning")
            return self._give_back()
        if name in self.permissions and not may(self.permissions[name]):
            raise Unauthorized(f"This needs the permission “{self.permissions[name]}”.")
        answer = self._press(name)
        return self.request.response.redirect(self.next_url) if answer is None else answer

    @cached_property
    def settings(self):
        """The settings, read once for the page."""
        return settings()

    @property
    def next_url(self):
        """Return where the browser is redirected: to the page itself."""
        return self.url

    def entered(self, name):
        """Return one text of the form without surrounding spaces, or an empty string for none and for several."""
        value = self.request.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def filled_in(self, name, value):
        """Return one text of the form that was sent, or else ``value``, with which the field begins."""
        return self.entered(name) if name in self.request.form else value

    @property
    def ticked(self):
        """Return the ids that are ticked."""
        ids = self.request.form.get("ids") or []
        return [ids] if isinstance(ids, str) else ids

    def _pressed(self):
        """Return the name of the button, or None."""
        return next((name for name in self.buttons if name in self.request.form), None)

    def _show(self):
        """Return the page when no button was pressed."""
        return self.index()

    def _give_back(self):
        """Return the page as it was filled in, for a form without a token."""
        return self._show()

    def _find_target(self, name):
        """Look up what the button acts on; errors: ``NotFound``, whatever the token, for what users may not know of."""

    def _press(self, name):
        return getattr(self, self.buttons[name])()

    def _say(self, message, kind="info"):
        """Show a message on the next page."""
        api.portal.show_message(message, self.request, kind)


def may(permission):
    """Tell whether the current user has a permission on the site."""
    return api.user.has_permission(permission, obj=api.portal.get())
