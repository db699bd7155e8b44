"""The envelope of an incoming message (RFC 5321), as a pipe gives it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Envelope:
    """Addresses are in lower case and may be empty. ``null_sender``: reports have none; an empty one may be unknown."""

    envelope_recipient: str = ""
    envelope_sender: str = ""
    client_address: str = ""
    null_sender: bool = False
