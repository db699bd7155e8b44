"""Reads the addresses that a person typed or pasted."""

from collections.abc import Iterable
from email.utils import getaddresses
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import plain_spaces
from typing import Any


def read_recipients(texts: Iterable[Any]) -> tuple[list[Address], str | None]:
    """Return (addresses, bad): the addresses in a list of texts, and the first text that holds another thing, or None."""
    found: list[Address] = []
    for text in texts:
        if not isinstance(text, str) or has_control(text):
            return found, str(text)
        for name, addr_spec in getaddresses([plain_spaces(text).replace(";", ",")] if text.strip() else []):
            if not can_be_sent_to(addr_spec):
                return found, text
            found.append(Address(name, addr_spec))
    return found, None


def can_be_sent_to(addr_spec: str) -> bool:
    """Tell whether a text is an address that SMTP can carry."""
    try:
        return is_addr_spec(addr_spec) and bool(wire_address(addr_spec))
    except UnicodeError:  # a domain that has no ASCII form
        return False
