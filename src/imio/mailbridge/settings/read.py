"""What is set? Access to the registry records, and the few values that follow from several of them."""

from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from plone.registry.interfaces import IRegistry
from zope.component import getUtility


def settings():
    """Return the settings of the current site; an attribute for each field of ``IMailbridgeSettings``."""
    return getUtility(IRegistry).forInterface(IMailbridgeSettings, prefix=PREFIX, check=False)


def login_address(values):
    """Return the address of the SMTP account: as set, else the login when that is an address, else an empty string."""
    if values.login_address:
        return values.login_address
    login = values.smtp_login or ""
    return login if is_addr_spec(login) else ""


def bounce_address(values):
    """Return the address that error reports go to under ``envelope_sender`` = ``bounce``, or an empty string."""
    return values.mailin_addresses[0]["address"] if values.mailin_addresses else ""
