"""Makes the SMTP connection of an account, with the secret that the account logs in with."""

from imio.mailbridge.delivery.ehlo_name import ehlo_name
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.rotated_token import RotatedToken
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.secret_mask import SecretMask
from imio.mailbridge.transport.smtp import SmtpConnection
from imio.mailbridge.transport.smtp_login import by_password
from imio.mailbridge.transport.smtp_login import by_token


def connection_to(account):
    """Return the ``SmtpConnection`` of an ``Account``. Errors: ``PasswordUnreadable``. Nothing is connected yet."""
    if account.auth == "oauth2":
        grant = _grant(account)
        mask = SecretMask(account.login, grant.client_secret, grant.refresh_token)
        return _connection(account, by_token(f"smtp:{account.name}", grant, mask), mask)
    if account.login:
        password = secrets.password_of(account)
        mask = SecretMask(account.login, password)
        return _connection(account, by_password(account.login, password), mask)
    return _connection(account)


def _connection(account, authenticate=None, mask=None):
    return SmtpConnection(account, authenticate, mask=mask, ehlo_name=ehlo_name(account))


def _grant(account):
    refresh_token = secrets.read(account.name, "refresh_token")
    return Grant(
        account.login,
        account.oauth_token_url,
        account.oauth_client_id,
        account.oauth_scope,
        secrets.read(account.name, "client_secret"),
        refresh_token,
        RotatedToken(account.name, refresh_token) if refresh_token else None,
    )
