"""Constraints of the registry schema; each raises ``NotValid`` with a sentence for the administrator."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.settings.expression import compiled
from imio.mailbridge.settings.presets import TENANT
from imio.mailbridge.settings.signature import EXAMPLE
from imio.mailbridge.settings.signature import render
from imio.mailbridge.transport.oauth import may_be_asked
from imio.mailbridge.transport.tls import AuthorityUnreadable
from imio.mailbridge.transport.tls import client_context
from imio.mailbridge.transport.tls import is_certificates
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zope.interface import Invalid
import ipaddress
import re


class NotValid(Invalid, ValueError):
    """What was typed cannot be taken; a table of a form (``z3c.form.object``) shows the sentence of a ``ValueError`` alone."""


_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[\w-]{0,61}\w)?(?:\.[A-Za-z0-9_](?:[\w-]{0,61}\w)?)*\.?")

#: The name of a host with its domain, in ASCII.
FULL_NAME = re.compile(
    r"(?=.{1,253}$)(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


def one_line(value: str) -> bool:
    """Refuse control characters: they would end the line in a protocol dialogue."""
    if not value.isprintable():
        raise NotValid(_("This text contains characters that cannot be printed."))
    return True


def host(value: str) -> bool:
    """Accept a host name or an IP address, without a port and without a scheme."""
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        if not _HOST.fullmatch(value):
            raise NotValid(_("This is not the name of a server. Example: smtp.office365.com")) from None
    return True


def full_name(value: str) -> bool:
    """Accept the full name of a host, as SMTP carries it: ASCII, with a domain."""
    if not FULL_NAME.fullmatch(value):
        raise NotValid(_("This is not the full name of a server. Example: iadocs.maville.be"))
    return True


def address(value: str) -> bool:
    """Accept one bare e-mail address."""
    if not can_be_sent_to(value):
        raise NotValid(_("This is not an e-mail address. Example: info@maville.be"))
    return True


def account_name(value: str) -> bool:
    """Accept a short name for an SMTP account; ``default`` is the account of the main settings."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}", value) or value.lower() == "default":
        raise NotValid(_("This is not a name for an account: letters, digits and - only, and not default."))
    return True


def sender(value: str) -> bool:
    """Accept an e-mail address or a domain."""
    sender = value.strip()
    if not is_addr_spec(sender) and not is_addr_spec(f"x@{sender.removeprefix('@')}"):
        raise NotValid(_("This is neither an e-mail address nor a domain. Example: cpas.be"))
    return True


def accounts(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Refuse two accounts with one name, and two that serve the same sender."""
    for values in (
        [row["name"].lower() for row in rows],
        [sender.strip().lower().removeprefix("@") for row in rows for sender in row["senders"]],
    ):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise NotValid(_("“${value}” is in two accounts.", mapping={"value": twice}))
    return True


def mailboxes(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Refuse two mailboxes with one name or address."""
    for values in ([row["name"].lower() for row in rows], [row["address"].lower() for row in rows]):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise NotValid(_("“${value}” is in two mailboxes.", mapping={"value": twice}))
    return True


def day(value: str) -> bool:
    """Accept a date in the notation of ISO 8601."""
    try:
        date.fromisoformat(value)
    except ValueError:
        raise NotValid(_("This is not a day. Example: 2026-11-24")) from None
    return True


def header_name(value: str) -> bool:
    """Accept the name of a header field (RFC 5322 §2.2)."""
    if not re.fullmatch(r"[!-9;-~]{1,76}", value):
        raise NotValid(_("This is not the name of a header. Example: Delivered-To"))
    return True


def token_url(value: str) -> bool:
    """Accept the public https address of a token endpoint: the bridge shows it the secrets."""
    if not may_be_asked(value):
        raise NotValid(_("This is not the https address of a token endpoint."))
    if TENANT in urlsplit(value).path.split("/"):
        raise NotValid(
            _(
                "Replace TENANT with the tenant ID of your organization (Microsoft Entra admin center, Overview)."
            )
        )
    return True


def resolver(value: str) -> bool:
    """Accept an IPv4 address, or an IPv6 address in brackets, with or without a port."""
    host, colon, port = value.rpartition(":") if not value.endswith("]") and ":" in value else (value, "", "")
    try:
        ipaddress.ip_address(host.strip("[]"))
        good = not colon or 0 < int(port) < 65536
    except ValueError:
        good = False
    if not good:
        raise NotValid(_("This is not the IP address of a DNS server. Example: 192.0.2.53"))
    return True


def template(value: str) -> bool:
    """Accept a page template that can be rendered with examples: the engine finds some mistakes only then."""
    try:
        render(value, EXAMPLE)
    except Exception as error:  # noqa: BLE001 - whatever was typed, the admin is told
        problem = " ".join(str(error).split())[:200] or type(error).__name__
        raise NotValid(_("The template cannot be read: ${problem}", mapping={"problem": problem})) from error
    return True


def readable_file(value: str) -> bool:
    """Accept the absolute path of a file that this server can read, or the certificates of an authority themselves, in PEM."""
    if is_certificates(value):
        return _certificates(value)
    path = Path(value)
    try:
        readable = path.is_absolute() and path.is_file() and path.stat().st_size > 0
        if readable:
            path.open("rb").close()
    except (OSError, ValueError):
        readable = False
    if not readable:
        raise NotValid(_("The iA.docs server cannot read a file at this path."))
    return True


def _certificates(value: str) -> bool:
    try:
        client_context(value)
    except AuthorityUnreadable:
        raise NotValid(_("These certificates cannot be read. They must be in PEM format.")) from None
    return True


def domain(value: str) -> bool:
    """Accept a domain name."""
    if not is_addr_spec(f"x@{value}"):
        raise NotValid(_("This is not a domain. Example: microsoft.com"))
    return True


def authserv_id(value: str) -> bool:
    """Accept one word, as RFC 8601 §2.5 wants it."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,253}", value):
        raise NotValid(_("This is not a name as in Authentication-Results. Example: mx.maville.be"))
    return True


def expression(value: str) -> bool:
    """Accept a TAL expression that can be compiled."""
    try:
        compiled(value)
    except Exception as error:  # noqa: BLE001 - whatever was typed, the admin is told
        problem = " ".join(str(error).split())[:200] or type(error).__name__
        raise NotValid(
            _("The expression cannot be read: ${problem}", mapping={"problem": problem})
        ) from error
    return True


def network(value: str) -> bool:
    """Accept an IP address or network in CIDR notation."""
    try:
        ipaddress.ip_network(value, strict=True)
    except ValueError as error:
        raise NotValid(_("This is not an IP address or network. Example: 192.0.2.0/24")) from error
    return True


def pattern(value: str) -> bool:
    """Accept a regular expression."""
    try:
        re.compile(value)
    except re.error as error:
        raise NotValid(
            _("This is not a regular expression: ${problem}", mapping={"problem": str(error)})
        ) from error
    return True
