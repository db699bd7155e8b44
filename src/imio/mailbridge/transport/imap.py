"""How is a mailbox opened, read without a trace, and its finished messages put aside? IMAP over verified TLS, by UID.

Nothing here sets ``\\Seen``: for the people who look into the mailbox a message stays as new as it was.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from imapclient import IMAPClient
from imapclient import SocketTimeout
from imapclient.exceptions import IMAPClientAbortError
from imapclient.exceptions import IMAPClientError
from imapclient.exceptions import LoginError
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.fetch_state import numbers
from imio.mailbridge.transport.imap_account import FLAG
from imio.mailbridge.transport.imap_account import Mailbox
from imio.mailbridge.transport.oauth import Kept
from imio.mailbridge.transport.oauth import TokenRefused
from imio.mailbridge.transport.oauth import TokenUnreachable
from tempfile import TemporaryFile
from typing import Any
from typing import BinaryIO
import io
import logging
import re
import ssl
import threading
import time


#: Marks a message that the site has, where messages are not moved.
KEYWORD = "$MailbridgeDone"
CONNECT_TIMEOUT, READ_TIMEOUT = 30, 120  # seconds
#: A longer message is read in pieces of this many bytes.
PIECE = 1 << 20
#: Messages that are searched at once: imaplib takes no line above 1 MB.
PART = 50_000
#: Seconds of IDLE before it is renewed: servers end it after 30 minutes, address translation often after 10.
IDLE = 540
#: Seconds between two looks where IDLE is not offered.
POLL = 60

logger = logging.getLogger(__name__)

#: What connections raise, by the server or the network.
BROKEN = (OSError, IMAPClientError)


class NotOpened(Exception):
    """The mailbox cannot be read: ``stage`` is ``connect``, ``tls``, ``token``, ``login`` or ``folder``."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(text)
        self.stage = stage
        self.text = text


_tokens: dict[tuple[str, ...], Kept] = {}


@contextmanager
def opened(mailbox: Mailbox) -> Iterator["Folder"]:
    """Yield the mailbox's folder, selected; log out at the end. Errors: ``NotOpened``, and later ``BROKEN``."""
    client = _connected(mailbox)
    try:
        _log_in(client, mailbox)
        yield Folder(client, mailbox)
    finally:
        with suppress(Exception):  # the connection may be gone, which the caller knows already
            client.logout()
        with suppress(Exception):
            client.shutdown()


def _connected(mailbox: Mailbox) -> IMAPClient:
    timeout = SocketTimeout(CONNECT_TIMEOUT, READ_TIMEOUT)
    try:
        context = ssl.create_default_context(cafile=mailbox.ca_file or None)
        if mailbox.security == "tls":
            return IMAPClient(mailbox.host, mailbox.port, ssl_context=context, timeout=timeout)
        client = IMAPClient(mailbox.host, mailbox.port, ssl=False, timeout=timeout)
        try:
            client.starttls(context)
        except BaseException:
            client.shutdown()
            raise
        return client
    except ssl.SSLError as error:
        raise NotOpened("tls", words(error)) from error
    except BROKEN as error:
        raise NotOpened("connect", words(error)) from error


def _log_in(client: IMAPClient, mailbox: Mailbox) -> None:
    try:
        if mailbox.grant is not None:
            _show_token(client, mailbox)
        elif (mailbox.login + mailbox.password).isascii():
            client.login(mailbox.login, mailbox.password)
        else:
            client.plain_login(mailbox.login, mailbox.password)  # the command LOGIN knows ASCII only
    except (LoginError, ValueError) as error:
        raise NotOpened("login", words(error)) from error
    except (TokenRefused, TokenUnreachable) as error:
        raise NotOpened("token", str(error)) from error
    except BROKEN as error:
        raise NotOpened("connect", words(error)) from error


def _show_token(client: IMAPClient, mailbox: Mailbox) -> None:
    """AUTHENTICATE XOAUTH2, with a new token where one that was good is refused."""
    grant = mailbox.grant
    assert grant is not None
    kept = _tokens.setdefault((mailbox.name, mailbox.login, *grant.key), Kept())
    for is_last in (False, True):
        token = kept.get(grant)
        try:
            client.oauth2_login(mailbox.login, token)
        except IMAPClientError as error:
            if is_last or not kept.judge(token, accepted=False):
                raise LoginError(words(error).replace(token, "***")) from None
        else:
            kept.judge(token, accepted=True)
            return


class Folder:
    """The selected folder of a mailbox. Errors of all methods: ``BROKEN``."""

    def __init__(self, client: IMAPClient, mailbox: Mailbox) -> None:
        self._client = client
        self._mailbox = mailbox
        try:
            answer = client.select_folder(mailbox.folder)
        except IMAPClientError as error:
            raise NotOpened("folder", words(error)) from error
        self.uidvalidity = int(answer.get(b"UIDVALIDITY", 0))
        self._exists = int(answer.get(b"EXISTS", 0))
        flags = answer.get(b"PERMANENTFLAGS", ())
        self._keywords = b"\\*" in flags or KEYWORD.encode() in flags
        self._done_folder = ""

    def present(self) -> list[int]:
        """Return the UIDs of the messages that are not marked as done."""
        wanted: list[Any] = ["UNDELETED"]
        if self._keywords:
            wanted += ["UNKEYWORD", KEYWORD]
        if self._mailbox.since is not None:
            wanted += ["SINCE", self._mailbox.since]
        return sorted({int(uid) for part in self._parts() for uid in self._client.search([*part, *wanted])})

    def _parts(self) -> list[list[str]]:
        """Return sequence sets that are small enough for one answer each; what came since the folder was opened is in the last."""
        if self._exists <= PART:
            return [[]]
        starts = range(1, self._exists + 1, PART)
        return [[f"{start}:{start + PART - 1}"] for start in starts[:-1]] + [[f"{starts[-1]}:*"]]

    def sizes(self, uids: list[int]) -> dict[int, int]:
        """Return UID → size in bytes, as the server says; without those that are gone."""
        found = self._client.fetch(uids, ["RFC822.SIZE"]) if uids else {}
        return {uid: int(found[uid][b"RFC822.SIZE"]) for uid in uids if b"RFC822.SIZE" in found.get(uid, {})}

    def read(self, sizes: dict[int, int]) -> Iterator[tuple[int, BinaryIO]]:
        """Yield UID and message, as a file to be closed, of messages whose sizes are known.

        Without those that are gone; a message that the server cannot read is an empty file.
        """
        small = [uid for uid, size in sizes.items() if size <= PIECE]
        try:
            found = self._client.fetch(small, ["BODY.PEEK[]"]) if small else {}
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            small, found = [], {}  # one of them spoils the answer: each alone
        for uid in sizes:
            if uid not in small:
                yield from self._in_pieces(uid)
            elif content := found.pop(uid, {}).get(b"BODY[]"):
                yield uid, io.BytesIO(content)

    def _in_pieces(self, uid: int) -> Iterator[tuple[int, BinaryIO]]:
        file, start = TemporaryFile(), 0  # noqa: SIM115 # closed by whoever gets it
        try:
            while piece := self._piece(uid, start):
                file.write(piece)
                start += len(piece)
        except IMAPClientAbortError:
            file.close()
            raise
        except IMAPClientError as error:
            logger.error("%s cannot be read: %s", self.describe([uid]), words(error))
            file.truncate(0)
            yield uid, file
            return
        if not start:
            file.close()  # it is gone
            return
        file.seek(0)
        yield uid, file

    def _piece(self, uid: int, start: int) -> bytes:
        answer = self._client.fetch([uid], [f"BODY.PEEK[]<{start}.{PIECE}>"]).get(uid, {})
        return answer.get(f"BODY[]<{start}>".encode()) or b""

    def put_aside(self, uids: Iterable[int]) -> None:
        """Move the messages to the folder for what is done, or mark them, as the mailbox wants it."""
        wanted = list(uids)
        if not wanted:
            return
        if self._mailbox.done == FLAG:
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
        """Return the name on the server of the folder for what is done; make it if it is missing."""
        prefix, delimiter = "", "/"
        if self._client.has_capability("NAMESPACE"):
            personal = self._client.namespace().personal
            if personal:
                prefix, delimiter = (_text(part) or "" for part in personal[0])
        delimiter = delimiter or "/"
        parts = (part.replace(delimiter, "-") for part in self._mailbox.done_folder.split("/"))
        name = prefix + delimiter.join(parts)
        if not self._client.folder_exists(name):
            with suppress(IMAPClientError):  # somebody else has made it in between, or moving says why not
                self._client.create_folder(name)
                self._client.subscribe_folder(name)
        return name

    def wait(self, stop: threading.Event) -> None:
        """Return when something has happened in the folder, after ``IDLE`` or ``POLL`` seconds, or when ``stop`` is set."""
        if not self._client.has_capability("IDLE"):
            stop.wait(POLL)
            self._client.noop()
            return
        end = time.monotonic() + IDLE
        self._client.idle()
        while not stop.is_set() and time.monotonic() < end:
            if any(b"EXISTS" in event for event in self._client.idle_check(timeout=1)):
                break
        self._client.idle_done()

    def describe(self, uids: Iterable[int]) -> str:
        """Return a name for messages in a log."""
        return f"{self._mailbox.name}/{self._mailbox.folder} UID {numbers(uids)}"


def words(error: object) -> str:
    """Return what a server said, without the marks of Python that imaplib puts around it."""
    return re.sub(r"""\bb(['"])(.*?)\1""", r"\2", readable(error))


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
