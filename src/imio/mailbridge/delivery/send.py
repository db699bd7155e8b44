"""Takes a message of the Outbox for this worker, and sends it over a connection."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from imio.mailbridge.logs import about
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.smtp_reply import SmtpReply
from ZODB.POSException import POSKeyError
import logging
import os


#: How long a worker may hold a message. Longer than the deadline of the SMTP dialogue.
LEASE = timedelta(minutes=30)
#: How much of a lease may be spent before its dialogue begins.
MOST_SPENT = timedelta(minutes=5)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The lease on one message: the recipients to try, and the sender to try with."""

    id: str
    addresses: tuple[str, ...]
    sender: Sender


def take(box, record, addresses):
    """Note that this worker sends a message to ``addresses`` now; return the ``Claim``."""
    record.lease_until = now() + LEASE
    record.next_try = None
    record.tries += 1
    box.update(record, dict.fromkeys(addresses, "sending"))
    return Claim(record.id, tuple(addresses), record.sender)


def renew(box, claim):
    """Let a lease begin again with the dialogue, where much of it was spent waiting for the message before."""
    record = box.get(claim.id)
    if record.lease_until < now() + LEASE - MOST_SPENT:
        record.lease_until = now() + LEASE


def give_back(box, claim):
    """Return a lease that was not used: the message before did not even come to the server."""
    record = box.get(claim.id)
    record.lease_until = None
    record.tries -= 1
    box.update(record, dict.fromkeys(claim.addresses, "queued"))


def send(claim, connection):
    """Send one message; return recipient → ``SmtpReply``. An error on our side is a reply too."""
    return read(claim)(connection)


def read(claim):
    """Return a function that sends a message as ``send`` does, and may do so in another thread: it asks the database nothing.

    Its second argument is ``may_end`` of ``SmtpConnection.deliver``.
    """
    record = outbox().get(claim.id)
    try:
        with record.body.open("r") as blob:
            body = os.fdopen(os.dup(blob.fileno()), "rb")  # closing it asks the database nothing
    except (POSKeyError, OSError, AttributeError) as error:
        replies = dict.fromkeys(claim.addresses, SmtpReply("store", 0, str(error)))
        return lambda connection, may_end=None: replies
    return partial(_send, claim, body, record.eight_bit)


def _send(claim, *arguments):
    with about(record=claim.id):
        return _dialogue(claim, *arguments)


def _dialogue(claim, body, eight_bit, connection, may_end=None):
    try:
        with body:
            head = sender_headers(claim.sender)  # a fallback's has another size than the one in record.size
            return connection.deliver(
                claim.sender.envelope_sender,
                claim.addresses,
                [head, body],
                len(head) + os.fstat(body.fileno()).st_size,
                eight_bit,
                claim.id,
                may_end,
            )
    except Exception as error:  # noqa: BLE001 - one message must not keep all others from leaving
        logger.exception("message %s met an error while it was sent", claim.id)
        connection.close()
        return dict.fromkeys(claim.addresses, SmtpReply("bridge", 0, type(error).__name__))
