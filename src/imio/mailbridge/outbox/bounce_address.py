"""Makes the address that error reports about one message go to, and finds the message of such an address."""

from imio.mailbridge.message.composition.verp import verp_address
from imio.mailbridge.message.composition.verp import verp_id
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.settings.read import Settings
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import secrets


#: Annotation of the site: the key of the signatures. It stays as long as the Outbox, whose addresses it signs.
KEY = "imio.mailbridge.verp"


def own_bounce_address(id: str, values: Settings) -> str:
    """Return the envelope sender of the message ``id`` under ``envelope_sender`` = ``bounce``, or an empty string."""
    address = values.bounce_address
    return verp_address(address, id, signing_key()) if address else ""


def message_of(addr_spec: str) -> OutgoingMessage | None:
    """Return the message whose error reports go to this address, or None, also where the signature is not ours."""
    key = IAnnotations(getSite()).get(KEY)
    prefix = verp_id(addr_spec, key) if key else ""
    found = outbox().records.values(min=prefix, max=prefix + "g") if prefix else ()
    return next(iter(found), None)


def signing_key() -> bytes:
    """Return the secret of this site, made on first use."""
    annotations = IAnnotations(getSite())
    if KEY not in annotations:
        annotations[KEY] = secrets.token_bytes(32)
    key: bytes = annotations[KEY]
    return key
