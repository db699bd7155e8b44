"""Chooses the name by which iA.docs presents itself to SMTP servers (EHLO, RFC 5321 §4.1.1.1)."""

from imio.mailbridge.message.address import wire_address
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.validate import FULL_NAME
from urllib.parse import urlsplit
from zope.component.hooks import getSite


#: Last labels of names that are nowhere in DNS (RFC 6761, RFC 8375) or usual on machines without one.
NOT_IN_DNS = (
    *("local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "private"),
    *("arpa", "invalid", "test", "example"),
)


def ehlo_name(account):
    """Return the name for EHLO by an ``Account``, or None where nothing is known and the system must say it.

    It is the setting; else the host in the address of the site, if that is a full name; else the domain of the login address.
    """
    if name := settings().ehlo_name:
        return name
    for url in (getSite().absolute_url(), seen_url()):
        host = urlsplit(url).hostname or ""
        if FULL_NAME.fullmatch(host) and host.rpartition(".")[2] not in NOT_IN_DNS:
            return host
    return wire_address(account.login_address).rpartition("@")[2] or None if account.login_address else None


def seen_url():
    """Return the address under which an agent saw the site, which a worker does not know of itself, or an empty string."""
    seen = (record.site_url for record in outbox().waiting_in() if record.site_url)
    return next(seen, "")
