"""How does the bridge get into an account? Its mailer, with the secret that the account logs in with."""

from imio.mailbridge.delivery import oauth
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.transport.smtp import SmtpConnection


def connection_to(account):
    """Return the ``SmtpConnection`` of an ``Account``; errors: ``PasswordUnreadable``. Nothing is connected yet."""
    if account.auth == "oauth2":
        authenticate = oauth.authenticator(account)
    elif not account.login:
        authenticate = None
    else:
        secret = password.read(account.name)

        def authenticate(connection):
            return connection.login(account.login, secret)

    return SmtpConnection(account, authenticate)
