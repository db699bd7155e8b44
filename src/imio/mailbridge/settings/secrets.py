"""Keeps the secrets of SMTP and IMAP accounts outside the registry, so that no registry view or export shows them.

An account has up to three: ``password``, and for OAuth 2.0 ``client_secret`` and ``refresh_token``. Those of the default account
may come from the environment, by value or by the path of a file.
"""

from imio.mailbridge.settings.smtp import DEFAULT
from pathlib import Path
from persistent.mapping import PersistentMapping
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import os


KEY = "imio.mailbridge.smtp_password"
OTHERS = "imio.mailbridge.secrets"
ENVIRONMENT = "MAILBRIDGE_SMTP_PASSWORD"
FILE = "MAILBRIDGE_SMTP_PASSWORD_FILE"

KINDS = ("password", "client_secret", "refresh_token")


class PasswordUnreadable(Exception):
    """The password file that the environment names cannot be read."""


def source() -> str:
    """Return where the default account's password comes from: ``environment``, ``file``, ``site``, or an empty string."""
    if os.environ.get(ENVIRONMENT):
        return "environment"
    if os.environ.get(FILE):
        return "file"
    return "site" if IAnnotations(getSite()).get(KEY) else ""


def read(account: str = DEFAULT, kind: str = "password") -> str:
    """Return a secret or an empty string; errors: ``PasswordUnreadable``."""
    if (account, kind) != (DEFAULT, "password"):
        return str(_others().get((account, kind), ""))
    if value := os.environ.get(ENVIRONMENT):
        return value
    if path := os.environ.get(FILE):
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise PasswordUnreadable(f"{path}: {error}") from error
    return str(IAnnotations(getSite()).get(KEY, ""))


def write(value: str, account: str = DEFAULT, kind: str = "password") -> None:
    """Keep ``value`` in the site; an empty one removes it."""
    annotations = IAnnotations(getSite())
    if (account, kind) == (DEFAULT, "password"):
        store: Any = annotations
        key: str | tuple[str, str] = KEY
    else:
        if OTHERS not in annotations:
            annotations[OTHERS] = PersistentMapping()
        store, key = annotations[OTHERS], (account, kind)
    if value:
        store[key] = value
    else:
        store.pop(key, None)


def forget(account: str) -> None:
    """Remove the secrets of an account that was deleted."""
    for kind in KINDS:
        write("", account, kind)


def _others() -> Any:
    return IAnnotations(getSite()).get(OTHERS) or {}
