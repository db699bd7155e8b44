"""Logs an SMTP connection in, by password or by token. Each function returns what ``SmtpConnection`` takes as ``authenticate``."""

from collections.abc import Callable
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.secret_mask import SecretMask
from imio.mailbridge.transport.xoauth2 import hide_token
from imio.mailbridge.transport.xoauth2 import log_in
from imio.mailbridge.transport.xoauth2 import NAME
from imio.mailbridge.transport.xoauth2 import XOAuth2
import binascii
import smtplib


#: Logs in; returns the server's code and text. Errors: ``smtp_errors.DIALOGUE_ERRORS``.
Authenticate = Callable[[smtplib.SMTP], tuple[int, bytes]]

#: Ends the text of a refused token, by which the table of answers tells it from a refused password.
MARK = f"({NAME})"

#: The ways to log in by a password that smtplib knows.
PASSWORD_MECHANISMS = frozenset({"CRAM-MD5", "PLAIN", "LOGIN"})


def by_password(login: str, password: str) -> Authenticate:
    """Return what logs in by the best mechanism that the server offers for a password."""

    def authenticate(connection: smtplib.SMTP) -> tuple[int, bytes]:
        offered = connection.esmtp_features.get("auth", "").upper().split()
        if not PASSWORD_MECHANISMS.intersection(offered):
            raise smtplib.SMTPNotSupportedError(
                f"no login that iA.docs knows is offered: {' '.join(offered) or 'none'}"
            )
        connection.esmtp_features["auth"] = " ".join(offered)  # smtplib knows the names in capitals only
        try:
            return connection.login(login, password)
        except binascii.Error as error:
            raise smtplib.SMTPException("the challenge of the server is not in base64") from error

    return authenticate


def by_token(owner: str, grant: Grant, mask: SecretMask) -> Authenticate:
    """Return what logs in by XOAUTH2; no token is asked for yet. ``owner`` names the account that the token is kept for.

    ``mask`` hides each token that is shown.
    """

    def authenticate(connection: smtplib.SMTP) -> tuple[int, bytes]:
        if NAME not in connection.esmtp_features.get("auth", "").upper().split():
            raise smtplib.SMTPNotSupportedError(
                f"{NAME} is not offered: the server takes no token on this port"
            )
        return log_in(owner, grant, lambda token: _show(connection, grant.login, token, mask), _is_refusal)

    return authenticate


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code == 535


def _show(connection: smtplib.SMTP, login: str, token: str, mask: SecretMask) -> tuple[int, bytes]:
    hide_token(mask, login, token)
    mechanism = XOAuth2(login, token)
    try:
        return connection.auth(NAME, mechanism)
    except smtplib.SMTPAuthenticationError as refusal:
        code, answer = refusal.smtp_code, refusal.smtp_error
    except binascii.Error:  # the challenge is not in base64
        code, answer = connection.docmd("")
        if code == 235:
            return code, answer
    raise smtplib.SMTPAuthenticationError(code, f"{mechanism.refusal(readable(answer))} {MARK}")
