"""Keeps the secrets of SMTP and IMAP accounts outside the registry, so that no registry view or export shows them.

An account has up to three: ``password``, and for OAuth 2.0 ``client_secret`` and ``refresh_token``. The password of the default
account may come from the environment, by value or by the path of a file; it is for the server that the environment names, so that
nobody who changes the settings of the site has it sent elsewhere.
"""

from imio.mailbridge.i18n import _
from imio.mailbridge.settings import history
from imio.mailbridge.settings.server import ServerLogin
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

#: Setting of the default account → environment variable with the value that the password there is for.
GIVEN_FOR = {name: f"MAILBRIDGE_SMTP_{name.upper()}" for name in ("host", "port", "security", "login")}
FOR_ANOTHER = _(
    "The password that the iA.docs server was given is for another mail server, encryption or login: it is not sent to this one."
)

KINDS = ("password", "client_secret", "refresh_token")

#: Stands for an account whose log-in is being tried, which is no change of the settings; no account can have this name.
TRIAL = "setup:trial"

#: What ``rotated_token`` keeps beside them: the newest refresh token, and until when one worker has its turn to ask.
ROTATED, TURN = "rotated_token", "turn"


class PasswordUnreadable(Exception):
    """The password file that the environment names cannot be read."""


class PasswordForAnother(PasswordUnreadable):
    """The environment gives its password for another server."""


def source() -> str:
    """Return where the default account's password comes from: ``environment``, ``file``, ``site``, or an empty string."""
    if os.environ.get(ENVIRONMENT):
        return "environment"
    if os.environ.get(FILE):
        return "file"
    return "site" if IAnnotations(getSite()).get(KEY) else ""


def is_given_for(account: ServerLogin) -> bool:
    """Tell whether the password of the environment is for the server and login of an account.

    The host must be named there; what else is named must be the same. Without encryption it is sent only where that is named.
    """
    named = {name: os.environ.get(variable, "") for name, variable in GIVEN_FOR.items()}
    same = all(
        not value or value.lower() == str(getattr(account, name)).lower() for name, value in named.items()
    )
    return bool(named["host"]) and same and (account.security != "none" or named["security"] == "none")


def password_of(account: ServerLogin) -> str:
    """Return the password that an SMTP account logs in with, or an empty string; errors: ``PasswordUnreadable``."""
    if account.name != DEFAULT or source() not in ("environment", "file"):
        return read(account.name)
    if not is_given_for(account):
        raise PasswordForAnother(FOR_ANOTHER)
    if value := os.environ.get(ENVIRONMENT):
        return value
    path = os.environ[FILE]
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordUnreadable(f"{path}: {error}") from error


def read(account: str = DEFAULT, kind: str = "password") -> str:
    """Return a secret that the site keeps, or an empty string."""
    if (account, kind) == (DEFAULT, "password"):
        return str(IAnnotations(getSite()).get(KEY, ""))
    return str(_others().get((account, kind), ""))


def is_kept(account: str, kind: str) -> bool:
    """Tell whether the site keeps a secret that is in use."""
    return bool(read(account, kind)) and ((account, kind) != (DEFAULT, "password") or source() == "site")


def write(value: str, account: str = DEFAULT, kind: str = "password") -> None:
    """Keep ``value`` in the site; an empty one removes it."""
    if kind in KINDS and not account.endswith(TRIAL) and value != (present := read(account, kind)):
        history.note_secret(kind, account, bool(present), bool(value))
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
    for kind in (*KINDS, ROTATED, TURN):
        write("", account, kind)


def _others() -> Any:
    return IAnnotations(getSite()).get(OTHERS) or {}
