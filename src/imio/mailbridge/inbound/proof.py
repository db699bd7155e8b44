"""What proves where this message comes from?"""

from imio.mailbridge.inbound.recipient import from_trusted_gateway
from imio.mailbridge.message.classify import Proof


class TryLater(Exception):
    """A proof cannot be verified now; ``verdicts`` say what is known."""

    verdicts = ()


def given(record, arrived, values):
    """Return the proof that the envelope gives, or None, and verdicts."""
    if from_trusted_gateway(record.client_address, values):
        return Proof.GATEWAY, ()
    return (Proof.TAG if arrived.tag_mailbox is not None else None), ()


def looked_up(record, message, found, values):
    """Return the proof that DNS gives, or None, and verdicts. Errors: ``TryLater``."""
    return None, ()
