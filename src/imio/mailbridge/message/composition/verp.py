"""Gives each message an envelope sender of its own (VERP), with a signed tag that nobody can forge.

``in@bridge.test`` becomes ``in+b.<token>.<signature>@bridge.test``: the token is the beginning of the message's id, the
signature an HMAC of it, 80 bits each, in lower-case base32, because mail systems fold case. The detail of the bounce address
itself is left out: it may be the secret of a source mailbox, and every recipient sees the envelope sender.
"""

from base64 import b32decode
from base64 import b32encode
from imio.mailbridge.message.address import MAX_LOCAL
import hashlib
import hmac
import re


# itsdangerous signs in base64, which a mail system that folds case destroys: hence a short signature of our own.
_OCTETS = 10
_DETAIL = re.compile(r"b\.([a-z2-7]{16})\.([a-z2-7]{16})")


def verp_address(bounce_address: str, id: str, key: bytes) -> str:
    """Return the envelope sender of the message ``id`` (at least 20 hexadecimal digits).

    The tag is left out when the local part would become longer than SMTP allows (RFC 5321 §4.5.3.1.1).
    """
    local, _, domain = bounce_address.rpartition("@")
    bare = local.partition("+")[0]
    token = b32encode(bytes.fromhex(id)[:_OCTETS]).decode().lower()
    tagged = f"{bare}+b.{token}.{_signature(token, key)}"
    return f"{tagged if len(tagged.encode()) <= MAX_LOCAL else bare}@{domain}"


def is_verp(addr_spec: str) -> bool:
    """Tell whether an address has the form of our envelope senders, whether or not we signed it."""
    return _parts(addr_spec) is not None


def verp_id(addr_spec: str, key: bytes) -> str:
    """Return the first 20 hexadecimal digits of the message's id, or an empty string if the signature is not ours."""
    parts = _parts(addr_spec)
    if parts is None or not hmac.compare_digest(parts[1], _signature(parts[0], key)):
        return ""
    return b32decode(parts[0].upper()).hex()


def _parts(addr_spec: str) -> tuple[str, str] | None:
    found = _DETAIL.fullmatch(addr_spec.rpartition("@")[0].partition("+")[2].lower())
    return (found[1], found[2]) if found else None


def _signature(token: str, key: bytes) -> str:
    digest = hmac.new(key, f"verp {token}".encode(), hashlib.sha256).digest()
    return b32encode(digest[:_OCTETS]).decode().lower()
