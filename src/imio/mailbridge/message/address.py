"""Defines an e-mail address and the forms in which it is compared, shown and sent."""

from collections.abc import Iterable
from dataclasses import dataclass
import idna
import re


#: RFC 5321 §4.5.3.1.1 to .3: octets of the local part and of the whole path.
MAX_LOCAL = 64
MAX_ADDR_SPEC = 254

_LOCAL = r"[^\x00-\x20\x7f\"(),:;<>@\[\\\]]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDR_SPEC = re.compile(rf"({_LOCAL})@({_LABEL}(?:\.{_LABEL})+)")


@dataclass(frozen=True)
class Address:
    """A display name, which may be empty, and an addr-spec (RFC 5322 §3.4)."""

    display_name: str
    addr_spec: str

    def __str__(self) -> str:
        """Return the readable form, ``"Al Bert" <al.bert@maville.be>``; not encoded for a header."""
        if not self.display_name:
            return self.addr_spec
        quoted = self.display_name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.addr_spec}>'

    @property
    def domain(self) -> str:
        """Return the part after the last ``@`` in lower case."""
        return self.addr_spec.rpartition("@")[2].lower()


def is_addr_spec(text: str) -> bool:
    """Tell whether ``text`` is an address that mail can be sent to (no quoted local part, a dotted domain).

    Internationalised addresses (RFC 6531) pass; control characters, spaces and line ends never do.
    """
    match = _ADDR_SPEC.fullmatch(text)
    return bool(
        match
        and len(match[1].encode()) <= MAX_LOCAL
        and len(text.encode()) <= MAX_ADDR_SPEC
        and not match[1].startswith(".")
        and not match[1].endswith(".")
        and ".." not in match[1]
    )


def can_be_sent_to(text: str) -> bool:
    """Tell whether ``text`` is an address that SMTP can carry: its domain has an ASCII form too."""
    try:
        return is_addr_spec(text) and bool(wire_address(text))
    except UnicodeError:
        return False


def without_detail(address: str) -> str:
    """Return ``in@x`` for ``in+tag@x`` (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def detail(address: str) -> str:
    """Return the part after the first plus sign of the local part, or an empty string (RFC 5233)."""
    return address.rpartition("@")[0].partition("+")[2]


def needs_smtputf8(addresses: Iterable[str]) -> bool:
    """Tell whether a local part is not ASCII, in which case the server must offer SMTPUTF8 (RFC 6531)."""
    return any(not address.rpartition("@")[0].isascii() for address in addresses)


def wire_address(addr_spec: str) -> str:
    """Return ``addr_spec`` as it is sent: with an internationalised domain in its ASCII form."""
    local, _, domain = addr_spec.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """Return a domain in its ASCII form (IDNA 2008, RFC 5891). Errors: ``UnicodeError`` when it has none.

    Nothing is mapped but capitals: what IDNA 2003 replaces or drops (ß, ς, joiners) would be another domain. A capital sigma
    has two small forms, so it is none.
    """
    if domain.isascii():
        return domain
    if "Σ" in domain:
        raise UnicodeError("a capital sigma in a domain")
    return idna.encode(domain.lower()).decode("ascii")


def mailbox_key(addr_spec: str) -> str:
    """Return what two spellings of one mailbox have in common: a domain knows no case, a local part may."""
    local, _, domain = wire_address(addr_spec).rpartition("@")
    return f"{local}@{domain.lower()}"
