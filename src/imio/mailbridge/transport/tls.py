"""Makes the TLS context of every connection to a mail server: certificates are always verified."""

import functools
import os
import ssl


class AuthorityUnreadable(OSError):
    """The file with the certificates of the town's own authority cannot be used; the text says why."""


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts the authorities of this machine and those in ``ca_file`` (PEM), if one is named.

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
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise AuthorityUnreadable(f"{ca_file}: {error}") from error
    return context


def _changed(path: str | None) -> tuple[int, ...]:
    """Return what differs when a file, or the list of a folder, has changed."""
    try:
        found = os.stat(path or "")
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)
