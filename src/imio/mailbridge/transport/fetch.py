"""How do the messages of a mailbox reach the site, each once? One pass over a folder.

::

    search ──▶ read, hand over, one by one ──▶ write down what is settled ──▶ put aside what was kept
             ✝1                             ✝2                             ✝3
    ✝1 nothing is settled: the next pass reads the same messages
    ✝2 the site has some of them; the next pass hands them over again, and the site answers that it knows them
    ✝3 the next pass puts them aside, without reading them
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from email.parser import BytesHeaderParser
from imapclient.exceptions import IMAPClientAbortError
from imapclient.exceptions import IMAPClientError
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.fetch_state import State
from imio.mailbridge.transport.imap import Folder
from imio.mailbridge.transport.imap_account import Mailbox
from typing import BinaryIO
import logging


#: Messages whose sizes are asked for at once.
LOT = 500
#: Messages, and their bytes together, that are read by one command.
BATCH, BATCH_BYTES = 50, 4 << 20
#: So many messages in a row that the site cannot take are its fault, not theirs.
IN_A_ROW = 3
HEAD = 1 << 16

logger = logging.getLogger(__name__)


class Later(Exception):
    """The site has not taken a message. ``all_alike``: nor would it take another one now."""

    def __init__(self, text: str, all_alike: bool = False) -> None:
        super().__init__(text)
        self.all_alike = all_alike


@dataclass(frozen=True)
class Envelope:
    """With what a message is handed over; ``sender`` is None when it is unknown, empty for the null sender."""

    recipient: str
    sender: str | None


#: Hands over a message; returns ``KEPT``, ``LEFT`` or ``REFUSED`` once that is durable. Errors: ``Later``.
Deliver = Callable[[BinaryIO, Envelope], str]


@dataclass
class Course:
    """What a pass does besides: ``save`` writes the state down, ``begin(number)`` and ``step()`` show how far it is, ``stopped``
    tells whether it shall end.
    """

    save: Callable[[], None] = lambda: None
    begin: Callable[[int], None] = lambda number: None
    step: Callable[[], None] = lambda: None
    stopped: Callable[[], bool] = lambda: False
    counts: dict[str, int] = field(default_factory=dict)


def fetch(folder: Folder, mailbox: Mailbox, state: State, deliver: Deliver, course: Course) -> None:
    """Hand over what is in the folder and not settled. Errors: ``Later`` when the site takes nothing, ``imap.BROKEN``."""
    if state.opened(folder.uidvalidity):
        logger.warning("%s: UIDVALIDITY is another one, all messages are looked at again", mailbox.name)
    present = folder.present()
    todo = state.open_ones(present)
    _put_aside(folder, mailbox, [uid for uid in present if state.settled.get(uid) == KEPT])
    course.begin(len(todo))
    row = 0
    for sizes in _batches(folder, todo):
        kept: list[int] = []
        try:
            for uid, message in folder.read(sizes):
                with message:
                    row = _one(mailbox, state, deliver, course, uid, message, row)
                if state.settled.get(uid) == KEPT:
                    kept.append(uid)
                if course.stopped():
                    return
        finally:
            course.save()
        _put_aside(folder, mailbox, kept)


def _put_aside(folder: Folder, mailbox: Mailbox, uids: list[int]) -> None:
    try:
        folder.put_aside(uids)
    except IMAPClientAbortError:
        raise
    except IMAPClientError as error:  # that the site has them is what counts; the next pass tries again
        logger.error("%s cannot be put aside: %s", folder.describe(uids), readable(error))


def _one(
    mailbox: Mailbox, state: State, deliver: Deliver, course: Course, uid: int, message: BinaryIO, row: int
) -> int:
    """Hand over one message; return how many in a row could not be. Errors: ``Later``."""
    if not message.read(1):
        state.fail(uid, "the mail server cannot read this message")
        course.counts["failed"] = course.counts.get("failed", 0) + 1
        return row
    try:
        word = deliver(message, envelope(message, mailbox))
    except Later as error:
        if error.all_alike:
            raise
        logger.warning("%s: UID %s stays in the mailbox for now: %s", mailbox.name, uid, readable(error))
        state.fail(uid, readable(error))
        course.counts["failed"] = course.counts.get("failed", 0) + 1
        if row + 1 == IN_A_ROW:
            raise
        return row + 1
    if word == REFUSED:
        logger.error("%s: UID %s is refused for good and stays in the mailbox", mailbox.name, uid)
    state.settle(uid, word)
    course.counts[word] = course.counts.get(word, 0) + 1
    course.step()
    return 0


def envelope(message: BinaryIO, mailbox: Mailbox) -> Envelope:
    """Return what the server that delivered into the mailbox has written at the top of the message."""
    message.seek(0)
    head = BytesHeaderParser().parsebytes(message.read(HEAD).partition(b"\r\n\r\n")[0])
    path = head.get("Return-Path")
    # <> is the null sender of RFC 5321 §4.5.5; what cannot be read says nothing.
    sender = "" if str(path).strip() == "<>" else _address(path) or None
    recipient = mailbox.address
    if mailbox.recipient_header:
        named = _address(head.get(mailbox.recipient_header))
        if without_detail(named) == without_detail(mailbox.address.lower()):
            recipient = named
    message.seek(0)
    return Envelope(recipient, sender)


def _address(field: object) -> str:
    """Return the first address of a header field in lower case, or an empty string."""
    found = next(iter(header_addresses("" if field is None else str(field))), None)
    return found.addr_spec.lower() if found is not None and is_addr_spec(found.addr_spec) else ""


def _batches(folder: Folder, uids: list[int]) -> Iterator[dict[int, int]]:
    """Yield UID → size of messages to be read together."""
    for start in range(0, len(uids), LOT):
        yield from batches(folder.sizes(uids[start : start + LOT]).items())


def batches(sizes: Iterable[tuple[int, int]]) -> Iterator[dict[int, int]]:
    """Yield (UID, size) pairs in groups of at most ``BATCH`` and, unless it is only one, ``BATCH_BYTES``."""
    group: dict[int, int] = {}
    for uid, size in sizes:
        if group and (len(group) == BATCH or sum(group.values()) + size > BATCH_BYTES):
            yield group
            group = {}
        group[uid] = size
    if group:
        yield group
