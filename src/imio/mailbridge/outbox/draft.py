"""The draft: a message that is ready to be stored in the Outbox."""

from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import Composition
from imio.mailbridge.message.composition.sender_policy import Sender
from typing import Any


@dataclass(frozen=True)
class Draft:
    """A message that is ready to be stored; ``body`` is the message without sender headers, ``size`` counts those too.

    ``fallback`` is the sender to use when the server refuses ``sender`` (policy ``auto``), or None; ``written`` what the agent
    entered, or None; ``left_out`` the addresses of images of the site that could not go along.
    """

    id: str
    userid: str
    document: str
    account: str
    message_id: str
    sender: Sender
    fallback: Sender | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    body: bytes | Composition
    size: int
    origin: str = "agent"
    about: str = ""
    site_url: str = ""
    send_at: datetime | None = None
    written: dict[str, Any] | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entered:
    """What could be read of a message that cannot be sent yet: what its checks need."""

    userid: str
    document: str
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    written: dict[str, Any]
    left_out: tuple[str, ...] = ()
