"""Makes the TLS context of every connection to a mail server: certificates are always verified."""

import ssl


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts the authorities of this machine and those in ``ca_file`` (PEM), if one is named.

    Errors: ``OSError`` (``ssl.SSLError`` included), when the file cannot be used.
    """
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
