"""Gives each message an envelope sender of its own (VERP), to which the reports on it come: ``in+b.<token>.<signature>@…``."""

from imio.mailbridge.message.address import MAX_LOCAL
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.composition.signed_address import has_form
from imio.mailbridge.message.composition.signed_address import signed_address
from imio.mailbridge.message.composition.signed_address import signed_id
from imio.mailbridge.message.composition.signed_address import Use


def verp_address(bounce_address: str, id: str, key: bytes) -> str:
    """Return the envelope sender of the message ``id`` (at least 20 hexadecimal digits).

    The tag is left out when the local part would become longer than SMTP allows (RFC 5321 §4.5.3.1.1).
    """
    made = signed_address(bounce_address, Use.BOUNCE, id, key)
    return made if len(made.rpartition("@")[0].encode()) <= MAX_LOCAL else without_detail(bounce_address)


def is_verp(addr_spec: str) -> bool:
    """Tell whether an address has the form of our envelope senders, whether or not we signed it."""
    return has_form(addr_spec, Use.BOUNCE)


def verp_id(addr_spec: str, key: bytes) -> str:
    """Return the first 20 hexadecimal digits of the message's id, or an empty string if the signature is not ours."""
    return signed_id(addr_spec, Use.BOUNCE, key)
