"""Makes the address that answers to one message come to, and finds the message of such an address."""

from imio.mailbridge.message.composition.reply_address import reply_address
from imio.mailbridge.message.composition.reply_address import reply_id
from imio.mailbridge.outbox.bounce_address import KEY
from imio.mailbridge.outbox.bounce_address import signing_key
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.settings.read import Settings
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite


def own_reply_address(id: str, values: Settings) -> str:
    """Return the Reply-To of the message ``id`` under ``own_reply_address``, or an empty string where none can be made."""
    return reply_address(values.first_mailin_address, id, signing_key())


def is_signed(addr_spec: str) -> bool:
    """Tell whether this is a reply address that we made, whether or not its message is still known."""
    return bool(_id(addr_spec))


def answered_at(addr_spec: str) -> OutgoingMessage | None:
    """Return the message whose answers come to this address, or None, also where the signature is not ours."""
    prefix = _id(addr_spec)
    found = outbox().records.values(min=prefix, max=prefix + "g") if prefix else ()
    return next(iter(found), None)


def message_id_at(addr_spec: str) -> str:
    """Return the Message-ID of that message, or an empty string."""
    found = answered_at(addr_spec)
    return found.message_id if found is not None else ""


def _id(addr_spec: str) -> str:
    key = IAnnotations(getSite()).get(KEY)
    return reply_id(addr_spec, key) if key else ""
