"""Connects to an IMAP server over verified TLS and logs in, by password or by token; bounds what the server may answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from imapclient import IMAPClient
from imapclient import SocketTimeout
from imapclient.exceptions import IMAPClientAbortError
from imapclient.exceptions import IMAPClientError
from imapclient.exceptions import LoginError
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.bounded import BoundedReader
from imio.mailbridge.transport.bounded import Endless
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.oauth import TokenRefused
from imio.mailbridge.transport.oauth import TokenUnreachable
from imio.mailbridge.transport.secret_mask import SecretMask
from imio.mailbridge.transport.tls import AuthorityUnreadable
from imio.mailbridge.transport.tls import client_context
from imio.mailbridge.transport.xoauth2 import hide_token
from imio.mailbridge.transport.xoauth2 import log_in
from imio.mailbridge.transport.xoauth2 import NAME
from imio.mailbridge.transport.xoauth2 import XOAuth2
from typing import Any
import imaplib
import math
import re
import ssl
import time


#: Seconds: to connect, and that the server may be silent.
CONNECT_TIMEOUT, READ_TIMEOUT = 30.0, 120.0
#: Seconds and bytes: for all that is said until the login, and then for the answer to one command.
LOGIN_TIME, LOGIN_BYTES = 120.0, 1 << 16
ANSWER_TIME, ANSWER_BYTES = 300.0, 16 << 20
#: Bytes of one line.
LINE = 1_000_000

#: What a connection raises because of the server or the network.
CONNECTION_ERRORS = (OSError, IMAPClientError)

#: What imaplib and IMAPClient raise where an answer is not as they expect it.
MISREAD = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Unreadable(imaplib.IMAP4.error):
    """An answer of the server is not IMAP."""


#: An answer that breaks the protocol or our bounds.
BAD_ANSWERS = (Endless, Unreadable)


class CannotOpen(Exception):
    """An account cannot be read: ``stage`` is ``connect``, ``tls``, ``answer``, ``token``, ``login`` or ``folder``."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(text)
        self.stage = stage

    @property
    def text(self) -> str:
        """Return why."""
        return str(self.args[0])


def stage_of(error: Exception, otherwise: str = "imap") -> str:
    """Return the stage of a ``CannotOpen``, ``answer`` for what the server said wrong, else ``otherwise``."""
    if isinstance(error, CannotOpen):
        return error.stage
    return "answer" if isinstance(error, BAD_ANSWERS) else otherwise


@contextmanager
def understood() -> Iterator[None]:
    """Raise ``Unreadable`` for what is raised because of an answer that is not IMAP."""
    try:
        yield
    except CONNECTION_ERRORS:
        raise
    except MISREAD as error:
        raise Unreadable(f"an answer is not IMAP: {readable(error)[:200]}") from error


@contextmanager
def logged_in(
    account: ImapAccount, timeout: SocketTimeout | None = None, seconds: float = math.inf
) -> Iterator[IMAPClient]:
    """Yield a client that is logged in; log out at the end. Errors: ``CannotOpen``, and later ``CONNECTION_ERRORS``.

    After ``seconds`` the connection is of no use any more. No error repeats a secret of the account, whatever the server says.
    """
    mask = account_mask(account)
    end = time.monotonic() + seconds
    client = _connected(account, timeout or SocketTimeout(CONNECT_TIMEOUT, READ_TIMEOUT), end)
    try:
        _log_in(client, account, mask)
        yield client
    except (CannotOpen, *CONNECTION_ERRORS) as error:
        mask.mask_error(error)
        raise
    finally:
        with suppress(Exception):  # the connection may be gone, which the caller knows already
            client.logout()
        with suppress(Exception):
            client.shutdown()


def _connected(account: ImapAccount, timeout: SocketTimeout, end: float) -> IMAPClient:
    try:
        context = client_context(account.ca_file)
        with understood():
            client = _Client(account, context, timeout, end)
            if account.security != "tls":
                try:
                    client.starttls(context)
                except BaseException:
                    client.shutdown()
                    raise
        return client
    except (ssl.SSLError, AuthorityUnreadable) as error:
        raise CannotOpen("tls", server_text(error)) from error
    except CONNECTION_ERRORS as error:
        raise CannotOpen(stage_of(error, "connect"), server_text(error)) from error


class _Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient on a connection whose answers are bounded."""

    def __init__(
        self, account: ImapAccount, context: ssl.SSLContext, timeout: SocketTimeout, end: float
    ) -> None:
        self._make = lambda: (
            _BoundedTls(end, account.host, account.port, ssl_context=context, timeout=timeout.connect)
            if account.security == "tls"
            else _Bounded(end, account.host, account.port, timeout=timeout.connect)
        )
        tls = account.security == "tls"
        super().__init__(account.host, account.port, ssl=tls, ssl_context=context, timeout=timeout)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - of IMAPClient
        return self._make()  # type: ignore[no-untyped-call]


class _Bounded(imaplib.IMAP4):
    """imaplib's connection, which reads by a ``BoundedReader``: what it may say begins anew with each command after the login."""

    def __init__(self, end: float, *args: Any, **kwargs: Any) -> None:
        self._end = end
        self._reader: BoundedReader | None = None
        super().__init__(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Say a part of a command."""
        if self.state in ("AUTH", "SELECTED"):
            self._answers().begin(ANSWER_TIME, ANSWER_BYTES)
        super().send(data)

    def read(self, size: int) -> bytes:
        """Return a literal."""
        return self._answers().read(size)

    def readline(self) -> bytes:
        """Return a line."""
        try:
            return self._answers().readline(LINE)
        except Endless as error:
            if (
                self.sock.gettimeout() == 0
            ):  # in IDLE, where IMAPClient takes an OSError for "nothing more has come"
                raise Unreadable(str(error)) from error
            raise

    def _answers(self) -> BoundedReader:
        """Return the reader of the socket. What came before STARTTLS answers nothing that is asked after it (RFC 9051 §11.1)."""
        before = self._reader
        if before is not None and before.sock is self.sock:
            return before
        if before is not None:
            self.untagged_responses.clear()
            if before.has_more:
                raise IMAPClientAbortError("the server went on in clear after it had agreed to encrypt")
        self._reader = BoundedReader(self.sock, self._end)
        self._reader.begin(LOGIN_TIME, LOGIN_BYTES)
        return self._reader


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same over TLS from the start."""


def account_mask(account: ImapAccount) -> SecretMask:
    """Return the mask of an account's lasting secrets."""
    grant = account.grant
    return SecretMask(
        account.login, account.password, *((grant.client_secret, grant.refresh_token) if grant else ())
    )


def _log_in(client: IMAPClient, account: ImapAccount, mask: SecretMask) -> None:
    try:
        if account.grant is not None:
            _log_in_by_token(client, account, account.grant, mask)
        elif (account.login + account.password).isascii():
            client.login(account.login, account.password)
        else:
            client.plain_login(account.login, account.password)  # the command LOGIN knows ASCII only
    except BAD_ANSWERS as error:
        raise CannotOpen("answer", server_text(error)) from error
    except (LoginError, *MISREAD) as error:
        raise CannotOpen("login", server_text(error)) from error
    except (TokenRefused, TokenUnreachable) as error:
        raise CannotOpen("token", str(error)) from error
    except CONNECTION_ERRORS as error:
        raise CannotOpen(stage_of(error, "connect"), server_text(error)) from error


def _log_in_by_token(client: IMAPClient, account: ImapAccount, grant: Grant, mask: SecretMask) -> None:
    def show(token: str) -> None:
        hide_token(mask, account.login, token)
        mechanism = XOAuth2(account.login, token)
        try:
            client.sasl_login(NAME, mechanism)
        except LoginError as error:
            raise LoginError(mechanism.refusal(server_text(error))) from None

    log_in(f"imap:{account.name}", grant, show, lambda error: isinstance(error, LoginError))


def server_text(error: object) -> str:
    """Return what a server said, without the marks of Python that imaplib puts around it."""
    return re.sub(r"""\bb(['"])(.*?)\1""", r"\2", readable(error))
