"""Makes one pass over an IMAP folder: hands each message over to the site once.

::

    search ──▶ read, hand over, one by one ──▶ save the state ──▶ mark as done what was kept
             ✝1                             ✝2                ✝3
    ✝1 nothing is settled: the next pass reads the same messages
    ✝2 the site has some of them; the next pass hands them over again, and the site answers that it knows them
    ✝3 the next pass marks them as done, without reading them
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
from imio.mailbridge.message.classification.stand_in import read_stand_in
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_folder import Folder
from typing import BinaryIO
import logging


#: Messages whose sizes are asked for at once.
LOT = 500
#: Messages, and their bytes together, after which the state is saved and what was kept is marked as done.
BATCH, BATCH_BYTES = 50, 4 << 20
#: After so many messages in a row that the site could not take, the fault is the site's, not theirs.
MAX_FAILURES_IN_A_ROW = 3
#: Bytes of a message in which its header is looked for.
HEAD = 1 << 16

logger = logging.getLogger(__name__)


def _(text: str) -> str:
    return text


#: Why a message cannot be read (msgids): the server says so or sends nothing, or sends something else in its place.
UNREADABLE = _("The mail server cannot read this message.")
BROKEN = _("The connection broke while this message was read.")
STAND_IN = _("The mail server cannot read this message and hands over a notice in its place.")


class Deferred(Exception):
    """The site did not take a message and may take it later. ``affects_all``: nor would it take another one now."""

    def __init__(self, text: str, affects_all: bool = False) -> None:
        super().__init__(text)
        self.affects_all = affects_all


@dataclass(frozen=True)
class Envelope:
    """The envelope that a message is handed over with; ``sender`` is None when it is unknown, empty for the null sender."""

    recipient: str
    sender: str | None


#: Hands over a message; returns the outcome ``KEPT``, ``LEFT`` or ``REFUSED`` once it is durable. Errors: ``Deferred``.
Deliver = Callable[[BinaryIO, Envelope], str]


@dataclass
class PassHooks:
    """What a pass calls while it runs: ``save`` stores the state, ``begin(number)`` and ``step()`` show progress, ``stopped`` tells
    whether to end early. ``counts`` maps each outcome, and ``failed``, to how many messages had it.
    """

    save: Callable[[], None] = lambda: None
    begin: Callable[[int], None] = lambda number: None
    step: Callable[[], None] = lambda: None
    stopped: Callable[[], bool] = lambda: False
    counts: dict[str, int] = field(default_factory=dict)


def fetch(
    folder: Folder, account: ImapAccount, state: FetchState, deliver: Deliver, hooks: PassHooks
) -> None:
    """Hand over what is in the folder and not settled.

    Errors: ``Deferred`` when the site takes nothing, ``imap_connection.CONNECTION_ERRORS``.
    """
    if state.is_reset_by(folder.uidvalidity):
        logger.warning("%s: UIDVALIDITY has changed, all messages are read again", account.name)
    present = folder.pending()
    todo = state.due(present)
    _mark_done(folder, account, [uid for uid in present if state.settled.get(uid) == KEPT])
    hooks.begin(len(todo))
    failures = 0
    for sizes in _batches(folder, todo):
        kept: list[int] = []
        try:
            for uid, size in sizes.items():
                message = _read(folder, state, hooks, uid, size)
                if message is None:
                    continue
                with message:
                    if problem := _unreadable(folder, uid, message):
                        logger.warning("%s: %s: %s", folder.describe([uid]), *problem[:2])
                        state.fail(uid, *problem)
                        _count(hooks, "failed")
                    else:
                        failures = _hand_over(account, state, deliver, hooks, uid, message, failures)
                if state.settled.get(uid) == KEPT:
                    kept.append(uid)
                if hooks.stopped():
                    break
        finally:
            hooks.save()
        _mark_done(folder, account, kept)
        if hooks.stopped():
            return


def _unreadable(folder: Folder, uid: int, message: BinaryIO) -> tuple[str, str, str] | None:
    """Return why the mail server cannot hand over a message, its subject and its author; None where it can."""
    beginning = message.read(HEAD)
    message.seek(0)
    if not beginning:
        return UNREADABLE, *folder.named(uid)
    stand_in = read_stand_in(parse(beginning))
    return (STAND_IN, stand_in.subject, stand_in.author) if stand_in else None


def _naming(message: ParsedMessage) -> tuple[str, str]:
    """Return subject and author of a message."""
    return one_line(message.subject or ""), one_line(message.header("from") or "")


def _read(folder: Folder, state: FetchState, hooks: PassHooks, uid: int, size: int) -> BinaryIO | None:
    """Return what ``Folder.read`` does. One that breaks the connection has failed: the next pass begins with the others."""
    try:
        return folder.read(uid, size)
    except CONNECTION_ERRORS:
        state.fail(uid, BROKEN)
        _count(hooks, "failed")
        raise


def _mark_done(folder: Folder, account: ImapAccount, uids: list[int]) -> None:
    try:
        folder.mark_done(uids)
    except IMAPClientAbortError:
        raise
    except IMAPClientError as error:  # that the site has them is what counts; the next pass tries again
        logger.error("%s cannot be marked as done: %s", folder.describe(uids), readable(error))


def _hand_over(
    account: ImapAccount,
    state: FetchState,
    deliver: Deliver,
    hooks: PassHooks,
    uid: int,
    message: BinaryIO,
    failures: int,
) -> int:
    """Hand over one message; return how many in a row could not be handed over so far. Errors: ``Deferred``."""
    try:
        outcome = deliver(message, envelope(message, account))
    except Deferred as error:
        if error.affects_all:
            raise
        logger.warning("%s: UID %s stays in the mailbox for now: %s", account.name, uid, readable(error))
        message.seek(0)
        state.fail(uid, readable(error), *_naming(parse(message.read(HEAD))))
        _count(hooks, "failed")
        if failures + 1 == MAX_FAILURES_IN_A_ROW:
            raise
        return failures + 1
    if outcome == REFUSED:
        logger.error("%s: UID %s is refused for good and stays in the mailbox", account.name, uid)
    state.settle(uid, outcome)
    _count(hooks, outcome)
    hooks.step()
    return 0


def _count(hooks: PassHooks, outcome: str) -> None:
    hooks.counts[outcome] = hooks.counts.get(outcome, 0) + 1


def envelope(message: BinaryIO, account: ImapAccount) -> Envelope:
    """Return the envelope that the delivering server has written at the top of the message."""
    message.seek(0)
    head = BytesHeaderParser().parsebytes(message.read(HEAD).partition(b"\r\n\r\n")[0])
    path = head.get("Return-Path")
    # <> is the null sender of RFC 5321 §4.5.5; what cannot be read says nothing.
    sender = "" if str(path).strip() == "<>" else _address(path) or None
    recipient = account.address
    if account.recipient_header:
        named = _address(head.get(account.recipient_header))
        if without_detail(named) == without_detail(account.address.lower()):
            recipient = named
    message.seek(0)
    return Envelope(recipient, sender)


def _address(field: object) -> str:
    """Return the first address of a header field in lower case, or an empty string."""
    found = next(iter(header_addresses("" if field is None else str(field))), None)
    return found.addr_spec.lower() if found is not None and is_addr_spec(found.addr_spec) else ""


def _batches(folder: Folder, uids: list[int]) -> Iterator[dict[int, int]]:
    """Yield UID → size of messages whose outcomes are saved together."""
    for start in range(0, len(uids), LOT):
        yield from grouped(folder.sizes(uids[start : start + LOT]).items())


def grouped(sizes: Iterable[tuple[int, int]]) -> Iterator[dict[int, int]]:
    """Yield (UID, size) pairs in groups of at most ``BATCH`` and, unless it is only one, ``BATCH_BYTES``."""
    group: dict[int, int] = {}
    for uid, size in sizes:
        if group and (len(group) == BATCH or sum(group.values()) + size > BATCH_BYTES):
            yield group
            group = {}
        group[uid] = size
    if group:
        yield group
