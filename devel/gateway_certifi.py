"""Stands for certifi in mailbridge-gateway.pyz: requests trusts the authorities of the machine, as the pipe and IMAP do."""

import ssl


def where():
    """Return the file, or else the folder, of the machine's authorities."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or paths.openssl_cafile
