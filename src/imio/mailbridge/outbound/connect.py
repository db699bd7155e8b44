"""How does the bridge get into an account? Its mailer, with the secret that the account logs in with."""

from imio.mailbridge.outbound import oauth
from imio.mailbridge.outbound.mailer import Mailer
from imio.mailbridge.settings import password


def mailer_for(account):
    """Return the ``Mailer`` of an ``Account``; errors: ``PasswordUnreadable``. Nothing is connected yet."""
    if account.auth == "oauth2":
        authenticate = oauth.authenticator(account)
    elif not account.login:
        authenticate = None
    else:
        secret = password.read(account.name)

        def authenticate(connection):
            return connection.login(account.login, secret)

    return Mailer(account, authenticate)
