"""Refuses a form that was not posted from a page which the present user opened: its token (plone.protect) tells.

Another user may have logged in, the keys of the tokens may be new, or another site made the browser post.
"""

from imio.mailbridge.i18n import _
from plone.protect import CheckAuthenticator
from z3c.form.button import Handlers
from zExceptions import Forbidden


STALE = _(
    "Your session had changed, so nothing was done. Check what is filled in and press the button again."
)


def has_token(request):
    """Tell whether a request carries a token of the present user."""
    try:
        CheckAuthenticator(request)
    except Forbidden:
        return False
    return True


class TokenForm:
    """Mixin of forms of ``z3c.form``: without a token no button does anything, and the form comes back as it was filled in."""

    def updateActions(self):  # noqa: N802 - of z3c.form
        """Take the handlers away from the buttons: they are called next."""
        super().updateActions()
        if self.actions.executedActions and not has_token(self.request):
            self.status = STALE
            self.handlers = Handlers()
