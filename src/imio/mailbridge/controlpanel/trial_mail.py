"""Words and recipients of the test mails that pages of the control panel send."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.settings.secrets import FOR_ANOTHER
from imio.mailbridge.settings.secrets import PasswordForAnother
from plone import api


SUBJECT = _("Test of the iA.docs mail bridge")
TEXT = _("If you can read this, iA.docs can send e-mails.")
NO_RECIPIENT = _("There is no address to send the test to: enter an e-mail address in your user profile.")


def admin_addresses():
    """Return the addresses of the current user and of the site, which may be empty."""
    user = api.user.get_current().getProperty("email") or ""
    return [user, api.portal.get_registry_record("plone.email_from_address", default="") or ""]


def first_address(candidates):
    """Return the first candidate that is an address, or an empty string."""
    return next(filter(is_addr_spec, candidates), "")


def password_unreadable(error):
    """Return the message about a ``PasswordUnreadable``."""
    if isinstance(error, PasswordForAnother):
        return FOR_ANOTHER
    return _("The password file cannot be read: ${problem}", mapping={"problem": str(error)})


def translated(message):
    """Return a message in the language of the request."""
    return api.portal.translate(message, domain="imio.mailbridge")
