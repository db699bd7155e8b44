"""The filing port: turns a message into content. iA.docs, or another product, implements it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.parsing.attachment import Attachment
from typing import BinaryIO
from zope.interface import Interface


@dataclass(frozen=True)
class Facts:
    """What the conditions of routing rows can look at.

    ``forward`` is ``agent``, ``server``, ``direct`` or ``reply``; ``transferred_by`` the lower-case address of the forwarding agent
    or mailbox, ``source_mailbox`` the one that passed the message on, ``recipient`` the envelope recipient, ``service`` the uid
    that the mailbox or the mail-in address stands for. All may be empty.
    """

    forward: str
    transferred_by: str
    author: Address | None
    subject: str
    date: datetime | None
    recipient: str
    source_mailbox: str
    service: str

    def names(self) -> dict[str, str]:
        """Return what a TAL expression can name."""
        return {
            "forward": self.forward,
            "transferred_by": self.transferred_by,
            "author": self.author.addr_spec.lower() if self.author else "",
            "author_name": self.author.display_name if self.author else "",
            "subject": self.subject,
            "date": self.date.isoformat() if self.date else "",
            "recipient": self.recipient,
            "mailbox": self.source_mailbox,
            "service": self.service,
        }


@dataclass(frozen=True)
class Route:
    """What the routing rows decided: ``row`` and ``state_row`` count from 1 (0: none matched).

    ``why_not`` holds (row, field) of the condition that failed in each earlier row, ``state_why_not`` the same of the states.
    """

    row: int = 0
    user_value: str = ""
    tg_value: str = ""
    tal_condition_2: str = ""
    why_not: tuple[tuple[int, str], ...] = ()
    state_row: int = 0
    state_value: str = ""
    state_why_not: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Filing:
    """One message on its way to becoming one item.

    ``copy_to`` writes the original bytes of this message to a stream; ``service`` is a uid or empty; ``transferred_by`` the
    address of the forwarding agent or empty; ``reply_to`` the uid of the document that it answers or empty. Datetimes are
    aware. ``route`` is None when a person chose the service; otherwise it can name another service, an agent and a state.
    ``added`` are files of the person who passed it on. ``text`` returns what the author wrote, cut to a number of
    characters, for searches. ``handed_in_by`` is the userid of who handed it in on a page, or empty.
    ``author_is_proven`` is False for a message that anyone may have written in an agent's name.
    """

    copy_to: Callable[[BinaryIO], None]
    author: Address | None
    subject: str
    date: datetime | None
    received: datetime
    service: str
    transferred_by: str
    reply_to: str
    attachments: tuple[Attachment, ...]
    media_type: str = "message/rfc822"
    route: Route | None = None
    facts: Facts | None = None
    author_is_proven: bool = True
    added: tuple[Attachment, ...] = ()
    text: Callable[[int], str] = lambda limit: ""
    handed_in_by: str = ""


class IFiler(Interface):
    """Turns a ``Filing`` into content. Adapter of the site root."""

    def file(filing):
        """Create the item in the current transaction and as the current user.

        Return it, and notes (msgids) on what its route could not do. Errors: ``FilingError``, whose sentence is for the person who
        looks at the quarantine.
        """

    def fields(filing):
        """Return the values of the item's fields by name, and the same notes; writes nothing."""

    def add_transfer(uid, filing):
        """Note on the item ``uid`` that the same message came another time, perhaps for another service or with files added."""


class FilingError(Exception):
    """The item cannot be made; the first argument says why and what to do."""
