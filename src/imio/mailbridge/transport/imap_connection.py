"""Connects to an IMAP server over verified TLS and logs in, by password or by token."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from imapclient import IMAPClient
from imapclient import SocketTimeout
from imapclient.exceptions import IMAPClientError
from imapclient.exceptions import LoginError
from imio.mailbridge.message.one_line import readable
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
import re
import ssl


CONNECT_TIMEOUT, READ_TIMEOUT = 30.0, 120.0  # seconds

#: What a connection raises because of the server or the network.
CONNECTION_ERRORS = (OSError, IMAPClientError)


class CannotOpen(Exception):
    """An account cannot be read: ``stage`` is ``connect``, ``tls``, ``token``, ``login`` or ``folder``."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(text)
        self.stage = stage

    @property
    def text(self) -> str:
        """Return why."""
        return str(self.args[0])


@contextmanager
def logged_in(account: ImapAccount, timeout: SocketTimeout | None = None) -> Iterator[IMAPClient]:
    """Yield a client that is logged in; log out at the end. Errors: ``CannotOpen``, and later ``CONNECTION_ERRORS``.

    No error repeats a secret of the account, whatever the server says.
    """
    mask = account_mask(account)
    client = _connected(account, timeout or SocketTimeout(CONNECT_TIMEOUT, READ_TIMEOUT))
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


def _connected(account: ImapAccount, timeout: SocketTimeout) -> IMAPClient:
    try:
        context = client_context(account.ca_file)
        if account.security == "tls":
            return IMAPClient(account.host, account.port, ssl_context=context, timeout=timeout)
        client = IMAPClient(account.host, account.port, ssl=False, timeout=timeout)
        try:
            client.starttls(context)
        except BaseException:
            client.shutdown()
            raise
        return client
    except (ssl.SSLError, AuthorityUnreadable) as error:
        raise CannotOpen("tls", server_text(error)) from error
    except CONNECTION_ERRORS as error:
        raise CannotOpen("connect", server_text(error)) from error


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
    except (LoginError, ValueError) as error:
        raise CannotOpen("login", server_text(error)) from error
    except (TokenRefused, TokenUnreachable) as error:
        raise CannotOpen("token", str(error)) from error
    except CONNECTION_ERRORS as error:
        raise CannotOpen("connect", server_text(error)) from error


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
