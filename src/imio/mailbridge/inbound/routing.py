"""Who treats this message? The first row of ``iemail_routing`` whose conditions all hold."""

from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.message.address import Address


@dataclass(frozen=True)
class Facts:
    """What conditions can look at.

    ``forward``: ``agent``, ``server`` or ``direct``, or ``reply``; ``transferred_by`` the lower-case address of who forwarded it
    or empty; ``mailbox`` the source mailbox or empty; ``recipient`` the envelope recipient; ``service`` the uid that the mailbox
    or the mail-in address stands for, or empty.
    """

    forward: str
    transferred_by: str
    author: Address | None
    subject: str
    date: datetime | None
    recipient: str
    mailbox: str
    service: str


@dataclass(frozen=True)
class Route:
    """What the rows decided: ``row`` counts from 1 (0: none matched); ``why_not`` says of each earlier row what did not hold."""

    row: int = 0
    user_value: str = ""
    tg_value: str = ""
    tal_condition_2: str = ""
    state_value: str = ""
    why_not: tuple[str, ...] = ()


def route(facts, values):
    """Return the ``Route`` for these facts under the settings ``values``."""
    return Route()
