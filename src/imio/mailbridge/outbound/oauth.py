"""How does an account log in without a password? OAuth 2.0: a token from the provider, shown to SMTP as XOAUTH2."""


def authenticator(account):
    """Return what logs a connection of ``account`` in with XOAUTH2."""
    raise NotImplementedError
