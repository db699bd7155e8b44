"""The envelope of an incoming message (RFC 5321), as a pipe gives it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Envelope:
    """Addresses are in lower case and may be empty. ``null_sender``: reports have none; an empty one may be unknown.

    ``handed_in_by`` is the userid of who handed the message in on a page, or empty: then there is no envelope recipient, and the
    envelope sender is the address of that person.
    """

    envelope_recipient: str = ""
    envelope_sender: str = ""
    client_address: str = ""
    null_sender: bool = False
    handed_in_by: str = ""

    @property
    def key(self) -> str:
        """Return what a record's key holds beside its bytes: whom the message was for, or who handed it in."""
        return self.envelope_recipient or self.handed_in_by
