"""Gives each message addresses of its own, with a signed detail part that nobody can forge.

``in@bridge.test`` becomes ``in+b.<token>.<signature>@bridge.test``: the letter says what the address is for, the token is the
beginning of the message's id, the signature an HMAC of both, 80 bits each, in lower-case base32, because mail systems fold case.
The detail of the address itself is left out: it may be the secret of a source mailbox, and every recipient sees what is made.
"""

from base64 import b32decode
from base64 import b32encode
from enum import StrEnum
import hashlib
import hmac
import re


class Use(StrEnum):
    """What an address is for; a signature for one use is none for the other."""

    BOUNCE = "b"
    REPLY = "r"


# itsdangerous signs in base64, which a mail system that folds case destroys: hence a short signature of our own.
_OCTETS = 10
_DETAIL = re.compile(r"([br])\.([a-z2-7]{16})\.([a-z2-7]{16})")
#: What the HMAC of each use begins with.
_SIGNED = {Use.BOUNCE: "verp", Use.REPLY: "reply"}


def signed_address(address: str, use: Use, id: str, key: bytes) -> str:
    """Return the address for ``use`` of the message ``id`` (at least 20 hexadecimal digits), however long it becomes."""
    local, _, domain = address.rpartition("@")
    token = b32encode(bytes.fromhex(id)[:_OCTETS]).decode().lower()
    return f"{local.partition('+')[0]}+{use}.{token}.{_signature(token, use, key)}@{domain}"


def has_form(addr_spec: str, use: Use) -> bool:
    """Tell whether an address has the form of those for ``use``, whether or not we signed it."""
    return _parts(addr_spec, use) is not None


def signed_id(addr_spec: str, use: Use, key: bytes) -> str:
    """Return the first 20 hexadecimal digits of the message's id, or an empty string if we did not sign it for ``use``."""
    parts = _parts(addr_spec, use)
    if parts is None or not hmac.compare_digest(parts[1], _signature(parts[0], use, key)):
        return ""
    return b32decode(parts[0].upper()).hex()


def _parts(addr_spec: str, use: Use) -> tuple[str, str] | None:
    found = _DETAIL.fullmatch(addr_spec.rpartition("@")[0].partition("+")[2].lower())
    return (found[2], found[3]) if found and found[1] == use else None


def _signature(token: str, use: Use, key: bytes) -> str:
    digest = hmac.new(key, f"{_SIGNED[use]} {token}".encode(), hashlib.sha256).digest()
    return b32encode(digest[:_OCTETS]).decode().lower()
