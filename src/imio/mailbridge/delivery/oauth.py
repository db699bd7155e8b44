"""How does an SMTP account log in without a password? With a token of its provider, by AUTH XOAUTH2."""

from imio.mailbridge.message.one_line import readable
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.oauth import Kept
from imio.mailbridge.transport.oauth import TEXT
from imio.mailbridge.transport.oauth import TokenRefused
from imio.mailbridge.transport.oauth import TokenUnreachable
from imio.mailbridge.transport.smtp import Stopped
from imio.mailbridge.transport.smtp_reply import SmtpReply
import base64
import contextlib
import smtplib


_kept = {}


def authenticator(account):
    """Return what logs a connection of ``account`` in with XOAUTH2; no token is asked for yet."""
    grant = Grant(
        account.login,
        account.oauth_token_url,
        account.oauth_client_id,
        account.oauth_scope,
        password.read(account.name, "client_secret"),
        password.read(account.name, "refresh_token"),
    )
    kept = _kept.setdefault((account.name, *grant.key), Kept())

    def authenticate(connection):
        """Log in, with a new token where one that was good is refused; errors: those of smtplib, ``Stopped`` without a token."""
        for is_last in (False, True):
            token = _token(kept, grant)
            try:
                answer = _log_in(connection, grant.login, token)
            except smtplib.SMTPAuthenticationError as refusal:
                is_stale = refusal.smtp_code == 535 and kept.judge(token, accepted=False)
                if is_last or not is_stale:
                    raise
            else:
                kept.judge(token, accepted=True)
                return answer
        raise AssertionError("not reached")

    return authenticate


def _token(kept, grant):
    try:
        return kept.get(grant)
    except TokenRefused as error:
        raise Stopped(SmtpReply("oauth", error.code, error.text)) from error
    except TokenUnreachable as error:
        raise Stopped(SmtpReply("connect", 0, str(error))) from error


def _log_in(connection, login, token):
    """AUTH XOAUTH2; a refusal carries what the server's challenge says (JSON in base64, answered by an empty line)."""
    if "XOAUTH2" not in connection.esmtp_features.get("auth", "").upper().split():
        raise smtplib.SMTPNotSupportedError("XOAUTH2 is not offered: the server takes no token on this port")
    first = base64.b64encode(f"user={login}\1auth=Bearer {token}\1\1".encode()).decode()
    code, answer = connection.docmd("AUTH", f"XOAUTH2 {first}")
    if code == 334:
        challenge = _decoded(answer)
        code, answer = connection.docmd("")
        answer += f" {challenge}".encode()
    if code != 235:
        answer = answer.replace(token.encode(), b"***") + b" (XOAUTH2)"  # by which ``answers`` knows it
        raise smtplib.SMTPAuthenticationError(code, answer)
    return code, answer


def _decoded(challenge):
    with contextlib.suppress(ValueError):
        return readable(base64.b64decode(challenge, validate=True))[:TEXT]
    return ""
