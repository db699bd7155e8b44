"""Is this setting usable? Constraints of the registry schema; each raises with a sentence for the admin."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import is_addr_spec
from pathlib import Path
from zope.interface import Invalid
import ipaddress
import re


_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[\w-]{0,61}\w)?(?:\.[A-Za-z0-9_](?:[\w-]{0,61}\w)?)*\.?")


def one_line(value):
    """Refuse control characters: they would end the line in a protocol dialogue."""
    if not value.isprintable():
        raise Invalid(_("This text holds characters that cannot be printed."))
    return True


def host(value):
    """Accept a host name or an IP address, without a port and without a scheme."""
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        if not _HOST.fullmatch(value):
            raise Invalid(_("This is not the name of a server. Example: smtp.office365.com")) from None
    return True


def address(value):
    """Accept one bare e-mail address."""
    if not is_addr_spec(value):
        raise Invalid(_("This is not an e-mail address. Example: info@maville.be"))
    return True


def readable_file(value):
    """Accept the absolute path of a file that this server can read."""
    path = Path(value)
    try:
        readable = path.is_absolute() and path.is_file() and path.stat().st_size > 0
        if readable:
            path.open("rb").close()
    except (OSError, ValueError):
        readable = False
    if not readable:
        raise Invalid(_("The iA.docs server cannot read a file at this path."))
    return True


def network(value):
    """Accept an IP address or network in CIDR notation."""
    try:
        ipaddress.ip_network(value, strict=True)
    except ValueError as error:
        raise Invalid(_("This is not an IP address or network. Example: 192.0.2.0/24")) from error
    return True


def pattern(value):
    """Accept a regular expression."""
    try:
        re.compile(value)
    except re.error as error:
        raise Invalid(
            _("This is not a regular expression: ${problem}", mapping={"problem": str(error)})
        ) from error
    return True
