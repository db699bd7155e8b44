"""Makes the TLS context of every connection to a mail server: certificates are always verified."""

import base64
import functools
import os
import re
import ssl


#: A certificate in PEM, its lines joined by whatever white space, or by none.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


class AuthorityUnreadable(OSError):
    """The certificates of the town's own authority, or their file, cannot be used; the text says why."""


def is_certificates(text: str) -> bool:
    """Tell whether a setting holds certificates themselves (PEM, on one line or several) and not the path of their file."""
    return text.lstrip().startswith("-----BEGIN ")


def certificates_in(text: str) -> list[bytes]:
    """Return the certificates in a PEM text as DER. Errors: ``ValueError`` for broken base64."""
    return [base64.b64decode("".join(found.split())) for found in _CERTIFICATE.findall(text)]


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts the authorities of this machine and those in ``ca_file``: a path or certificates, in PEM.

    It is shared, not to be changed, and made anew when one of the files changed: reading the authorities takes some 50 ms. Errors:
    ``AuthorityUnreadable``.
    """
    paths = ssl.get_default_verify_paths()
    return _context(ca_file, *(_changed(path) for path in (ca_file, paths.cafile, paths.capath)))


@functools.lru_cache(maxsize=8)
def _context(ca_file: str, *changed: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            if is_certificates(ca_file):
                context.load_verify_locations(cadata=b"".join(certificates_in(ca_file)))
            else:
                context.load_verify_locations(ca_file)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            named = "certificates in the settings" if is_certificates(ca_file) else ca_file
            raise AuthorityUnreadable(f"{named}: {error}") from error
    return context


def _changed(path: str | None) -> tuple[int, ...]:
    """Return what differs when a file, or the list of a folder, has changed."""
    try:
        found = os.stat(path or "")
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)
