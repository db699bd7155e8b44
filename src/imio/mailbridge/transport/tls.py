"""Makes the TLS context of every connection to a mail server: certificates are always verified."""

import ssl


class AuthorityUnreadable(OSError):
    """The file with the certificates of the town's own authority cannot be used; the text says why."""


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts the authorities of this machine and those in ``ca_file`` (PEM), if one is named.

    Errors: ``AuthorityUnreadable``.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise AuthorityUnreadable(f"{ca_file}: {error}") from error
    return context
