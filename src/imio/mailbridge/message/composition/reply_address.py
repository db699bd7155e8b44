"""Gives each message a reply address of its own, to which the answers to it come: ``in+r.<token>.<signature>@…``."""

from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.address import MAX_LOCAL
from imio.mailbridge.message.composition.signed_address import has_form
from imio.mailbridge.message.composition.signed_address import signed_address
from imio.mailbridge.message.composition.signed_address import signed_id
from imio.mailbridge.message.composition.signed_address import Use


#: Any id: all addresses that are made of one mail-in address are equally long.
_ANY_ID = "0" * 32
#: Characters of a mail-in address before its plus sign that leave room for ``+r.<token>.<signature>``.
MAX_BARE = MAX_LOCAL - len(f"+r.{16 * 'x'}.{16 * 'x'}")


def reply_address(mailin_address: str, id: str, key: bytes) -> str:
    """Return the reply address of the message ``id`` (at least 20 hexadecimal digits), or an empty string.

    There is none where it would be longer than SMTP allows (RFC 5321 §4.5.3.1), or not ASCII, which few servers take.
    """
    made = signed_address(mailin_address, Use.REPLY, id, key) if mailin_address else ""
    return made if made.rpartition("@")[0].isascii() and is_addr_spec(made) else ""


def has_room(mailin_address: str) -> bool:
    """Tell whether reply addresses can be made of a mail-in address."""
    return bool(reply_address(mailin_address, _ANY_ID, b""))


def is_reply_address(addr_spec: str) -> bool:
    """Tell whether an address has the form of our reply addresses, whether or not we signed it."""
    return has_form(addr_spec, Use.REPLY)


def reply_id(addr_spec: str, key: bytes) -> str:
    """Return the first 20 hexadecimal digits of the message's id, or an empty string if the signature is not ours."""
    return signed_id(addr_spec, Use.REPLY, key)
