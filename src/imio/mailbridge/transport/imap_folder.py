"""Reads the messages of an IMAP folder without a trace, and moves or marks those that are done. Messages are named by UID.

Nothing here sets ``\\Seen``: for the people who look into the mailbox a message stays as new as it was.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError
from imapclient.exceptions import IMAPClientError
from imio.mailbridge.message.syntax.header import decode
from imio.mailbridge.message.syntax.structure import scan_header
from imio.mailbridge.transport.fetch_state import sequence_set
from imio.mailbridge.transport.imap_account import FLAG
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_connection import account_mask
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import logged_in
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import understood
from imio.mailbridge.transport.imap_connection import Unreadable
from tempfile import TemporaryFile
from typing import Any
from typing import BinaryIO
import io
import logging
import math
import threading
import time


#: Marks a message that the site has, where messages are not moved.
KEYWORD = "$MailbridgeDone"
#: A longer message is read in pieces of this many bytes.
PIECE = 1 << 20
#: What a message is named by that cannot be read.
NAMING = "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]"
#: Messages that are searched at once: imaplib takes no line above 1 MB.
PART = 50_000
#: Messages of a folder, and bytes of a message, that are read; what the server says may be wrong.
MOST_MESSAGES, LARGEST = 1_000_000, 256 << 20
#: The largest UID (RFC 9051 §9, nz-number).
LAST_UID = (1 << 32) - 1
#: Seconds of IDLE before it is renewed: servers end it after 30 minutes, address translation often after 10.
IDLE = 540
#: Seconds between two looks where IDLE is not offered.
POLL = 60

logger = logging.getLogger(__name__)


@contextmanager
def selected_folder(account: ImapAccount, seconds: float = math.inf) -> Iterator["Folder"]:
    """Yield the folder of an account, selected; log out at the end. Errors: ``CannotOpen``, and later ``CONNECTION_ERRORS``.

    After ``seconds`` the connection is of no use any more.
    """
    with logged_in(account, seconds=seconds) as client:
        yield Folder(client, account)


class Folder:
    """The selected folder of an account. Errors of all methods: ``CONNECTION_ERRORS``."""

    def __init__(self, client: IMAPClient, account: ImapAccount) -> None:
        self._client = client
        self._account = account
        self.uidvalidity = self._uidnext = self._exists = 0
        try:
            answer = self._select()
        except IMAPClientError as error:
            raise CannotOpen("folder", server_text(error)) from error
        flags = answer.get(b"PERMANENTFLAGS", ())
        self._keywords = b"\\*" in flags or KEYWORD.encode() in flags
        self._done_folder = ""

    @understood()
    def _select(self) -> dict[bytes, Any]:
        answer: dict[bytes, Any] = self._client.select_folder(self._account.folder)
        self.uidvalidity, self._uidnext, self._exists = (
            int(answer.get(name, 0)) for name in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS")
        )
        return answer

    @understood()
    def pending(self) -> list[int]:
        """Return the UIDs of the messages that are not marked as done, in ascending order."""
        wanted: list[Any] = ["UNDELETED"]
        if self._keywords:
            wanted += ["UNKEYWORD", KEYWORD]
        if self._account.since is not None:
            wanted += ["SINCE", self._account.since]
        found: set[int] = set()
        for part in self._parts():
            found |= {int(uid) for uid in self._client.search([*part, *wanted])}
            if len(found) > MOST_MESSAGES:
                raise Unreadable(f"the server names more than {MOST_MESSAGES} messages")
        return sorted(uid for uid in found if 0 < uid <= LAST_UID)

    def _parts(self) -> list[list[str]]:
        """Return sequence sets that are small enough for one answer each; what came since the folder was opened is in the last."""
        if self._exists > MOST_MESSAGES:
            raise Unreadable(f"the folder holds {self._exists} messages; up to {MOST_MESSAGES} are read")
        if self._exists <= PART:
            return [[]]
        starts = range(1, self._exists + 1, PART)
        return [[f"{start}:{start + PART - 1}"] for start in starts[:-1]] + [[f"{starts[-1]}:*"]]

    @understood()
    def _fetch(self, uids: list[int], item: str) -> dict[int, dict[bytes, Any]]:
        found: dict[int, dict[bytes, Any]] = self._client.fetch(uids, [item])
        return found

    @understood()
    def sizes(self, uids: list[int]) -> dict[int, int]:
        """Return UID → size in bytes, as the server says; 0 where it does not say; without those that are gone."""
        found = self._fetch(uids, "RFC822.SIZE") if uids else {}
        known = {uid: int(found[uid][b"RFC822.SIZE"]) for uid in uids if b"RFC822.SIZE" in found.get(uid, {})}
        doubted = [uid for uid in uids if uid not in known]
        here = known.keys() | self._present(doubted)
        return {uid: known.get(uid, 0) for uid in uids if uid in here}

    @understood()
    def _present(self, uids: list[int]) -> set[int]:
        """Return which of the messages are not gone, by a new search."""
        return {int(uid) for uid in self._client.search(["UID", sequence_set(uids)])} if uids else set()

    def read(self, uid: int, size: int) -> BinaryIO | None:
        """Return a message of a known size as a file, which is empty where the server cannot read it; None when it is gone.

        Each message has commands of its own: one that breaks the connection is known, and so are those that do not. A server that
        says OK and sends nothing cannot read it either.
        """
        try:
            if size <= PIECE:
                content = self._fetch([uid], "BODY.PEEK[]").get(uid, {}).get(b"BODY[]")
                return io.BytesIO(_bytes(content)) if content else self._nothing(uid)
            return self._in_pieces(uid, size)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            logger.error(
                "%s cannot be read: %s",
                self.describe([uid]),
                account_mask(self._account).masked(server_text(error)),
            )
            return io.BytesIO()

    def _nothing(self, uid: int) -> BinaryIO | None:
        """Return what ``read`` does when nothing came."""
        return io.BytesIO() if self._present([uid]) else None

    def _in_pieces(self, uid: int, size: int) -> BinaryIO | None:
        if size > LARGEST:
            raise Unreadable(f"{size} bytes; up to {LARGEST} are read")
        # some servers only estimate the size, so it may be wrong, but not without end
        limit = min(2 * size + PIECE, LARGEST)
        file, start = TemporaryFile(), 0  # noqa: SIM115 - closed by the caller
        try:
            while piece := self._piece(uid, start):
                file.write(piece)
                start += len(piece)
                if start > limit:
                    raise Unreadable(f"the server said {size} bytes, and does not stop after {start}")
        except BaseException:
            file.close()
            raise
        if not start:
            file.close()
            return self._nothing(uid)
        file.seek(0)
        return file

    def _piece(self, uid: int, start: int) -> bytes:
        answer = self._fetch([uid], f"BODY.PEEK[]<{start}.{PIECE}>").get(uid, {})
        return _bytes(answer.get(f"BODY[]<{start}>".encode()) or b"")

    @understood()
    def named(self, uid: int) -> tuple[str, str]:
        """Return subject and author of a message that cannot be read, as the server knows them; empty where it does not."""
        try:
            answer = self._fetch([uid], NAMING).get(uid, {})
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return "", ""
        fields = next((value for key, value in answer.items() if key.startswith(b"BODY[HEADER")), b"")
        header = scan_header(_bytes(fields or b"") + b"\r\n")
        subject, author = (decode(next(iter(header.values(name)), b"")) for name in ("subject", "from"))
        return subject, author

    @understood()
    def mark_done(self, uids: Iterable[int]) -> None:
        """Move the messages to the folder for done ones, or mark them, as the account is set."""
        wanted = list(uids)
        if not wanted:
            return
        if self._account.done == FLAG:
            if self._keywords:
                self._client.add_flags(wanted, [KEYWORD], silent=True)
            return
        folder = self._done_folder = self._done_folder or self._make_done_folder()
        if self._client.has_capability("MOVE"):
            self._client.move(wanted, folder)
            return
        self._client.copy(wanted, folder)
        self._client.add_flags(wanted, [b"\\Deleted"], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(wanted)  # EXPUNGE would also remove what a person has marked

    def _make_done_folder(self) -> str:
        """Return the server's name of the folder for done messages; create it if it is missing."""
        prefix, delimiter = "", "/"
        if self._client.has_capability("NAMESPACE"):
            personal = self._client.namespace().personal
            if personal:
                prefix, delimiter = (_text(part) or "" for part in personal[0])
        delimiter = delimiter or "/"
        parts = (part.replace(delimiter, "-") for part in self._account.done_folder.split("/"))
        name = prefix + delimiter.join(parts)
        if not self._client.folder_exists(name):
            with suppress(IMAPClientError):  # somebody else has made it in between, or moving says why not
                self._client.create_folder(name)
                self._client.subscribe_folder(name)
        return name

    @understood()
    def wait(self, stop: threading.Event, longest: float = IDLE) -> None:
        """Return when something has happened in the folder, after ``IDLE``, ``POLL`` or ``longest`` seconds, or at ``stop``.

        A message that the server announced in its answer to another command is not announced again: SELECT tells of it.
        """
        if not self._client.has_capability("IDLE"):
            stop.wait(min(POLL, longest))
            self._client.noop()
            return
        before = self.uidvalidity, self._uidnext
        self._select()
        if (self.uidvalidity, self._uidnext) != before:
            return
        end = time.monotonic() + min(IDLE, longest)
        self._client.idle()
        while not stop.is_set() and time.monotonic() < end:
            if any(b"EXISTS" in event for event in self._client.idle_check(timeout=1)):
                break
        self._client.idle_done()

    def describe(self, uids: Iterable[int]) -> str:
        """Return a name for messages in a log."""
        return f"{self._account.name}/{self._account.folder} UID {sequence_set(uids)}"


def _bytes(value: object) -> bytes:
    """Return the text of a message. Errors: ``Unreadable`` for a server that sends something else."""
    if not isinstance(value, bytes):
        raise Unreadable("the server sent no text for a message")
    return value


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
