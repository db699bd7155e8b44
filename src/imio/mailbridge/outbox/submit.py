"""Stores messages in the Outbox: what an agent sends, and what the bridge itself writes."""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import Composition
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.settings.smtp import Account
import uuid


def submit(draft: Draft) -> OutgoingMessage:
    """Store the message in the current transaction, which queues its delivery for after the commit; return the record."""
    record = OutgoingMessage(draft)
    outbox().add(record)
    return record


def submit_own(
    account: Account,
    sender: Sender,
    to: str,
    subject: str,
    message_id: str,
    body: bytes | Composition,
    origin: str,
    userid: str = "",
    about: str = "",
    id: str = "",
    fallback: Sender | None = None,
) -> OutgoingMessage:
    """Submit a message that the bridge itself writes to one address; return the record."""
    return submit(
        Draft(
            id=id or uuid.uuid4().hex,
            userid=userid,
            document="",
            account=account.name,
            message_id=message_id,
            sender=sender,
            fallback=fallback,
            to=(Address("", to),),
            cc=(),
            bcc=(),
            subject=subject,
            body=body,
            size=len(body) + len(sender_headers(sender)),
            origin=origin,
            about=about,
        )
    )
