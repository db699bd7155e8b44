"""Reads the TOML file of ``mailbridge-fetch``; refuses it with the place and the correct form when anything in it is wrong."""

from dataclasses import dataclass
from datetime import date
from datetime import datetime
from imio.mailbridge.gateway.token_file import TokenFile
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.transport.imap_account import FLAG
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_account import MAIL_IN
from imio.mailbridge.transport.imap_account import MOVE
from imio.mailbridge.transport.imap_account import PORTS
from imio.mailbridge.transport.oauth import Grant
from pathlib import Path
from typing import Any
import os
import re
import tomllib


TOP = {"url": str, "token_file": str, "ca_file": str, "state": str, "timeout": int, "mailbox": list}
KEYS = {
    "name": str,
    "host": str,
    "port": int,
    "security": str,
    "ca_file": str,
    "login": str,
    "auth": str,
    "password_file": str,
    "oauth_token_url": str,
    "oauth_client_id": str,
    "oauth_scope": str,
    "client_secret_file": str,
    "refresh_token_file": str,
    "folder": str,
    "address": str,
    "role": str,
    "done": str,
    "done_folder": str,
    "recipient_header": str,
    "since": date,
}
REQUIRED = ("name", "host", "login", "address")
CHOICES = {
    "security": tuple(PORTS),
    "auth": ("password", "oauth2"),
    "role": (MAIL_IN, LOGIN),
    "done": (MOVE, FLAG),
}
_COPIED = (
    "name",
    "host",
    "login",
    "address",
    "security",
    "ca_file",
    "folder",
    "role",
    "done",
    "done_folder",
)


class WrongConfig(Exception):
    """The file cannot be used; the argument says where and why."""


@dataclass(frozen=True)
class Config:
    """The site, and the accounts that are read for it; ``state`` is the directory of their states."""

    url: str
    state: Path
    imap_accounts: tuple[ImapAccount, ...]
    token_file: str | None = None
    ca_file: str | None = None
    timeout: int = 300


def read(path: str) -> Config:
    """Return the configuration in a file, with the secrets in the files that it names. Errors: ``WrongConfig``."""
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongConfig(f"{path}: {error}") from error
    _check(data, TOP, path)
    for key in ("url", "state"):
        if not data.get(key):
            raise WrongConfig(f"{path}: {key} is missing")
    rows = data.get("mailbox") or []
    if not rows:
        raise WrongConfig(f"{path}: there is no [[mailbox]]")
    imap_accounts = tuple(
        _imap_account(row, f"{path}, mailbox {number}") for number, row in enumerate(rows, 1)
    )
    names = [account.name for account in imap_accounts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongConfig(f"{path}: two mailboxes have the name {twice!a}")
    return Config(
        data["url"],
        Path(data["state"]),
        imap_accounts,
        data.get("token_file"),
        data.get("ca_file"),
        data.get("timeout", 300),
    )


def _check(data: dict[str, Any], keys: dict[str, type], place: str) -> None:
    for key, value in data.items():
        if key not in keys:
            raise WrongConfig(f"{place}: there is no setting {key!a}; there are: {', '.join(keys)}")
        if not isinstance(value, keys[key]) or isinstance(value, (bool, datetime)):
            kind = {str: "a text", int: "a number", date: "a date like 2026-11-24"}.get(keys[key], "tables")
            raise WrongConfig(f"{place}: {key} must be {kind}")


def _imap_account(row: Any, place: str) -> ImapAccount:
    if not isinstance(row, dict):
        raise WrongConfig(f"{place}: a mailbox is a table: [[mailbox]]")
    _check(row, KEYS, place)
    for key in REQUIRED:
        if not row.get(key):
            raise WrongConfig(f"{place}: {key} is missing")
    for key, words in CHOICES.items():
        if row.get(key, words[0]) not in words:
            raise WrongConfig(f"{place}: {key} must be one of: {', '.join(words)}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}", row["name"]):
        raise WrongConfig(f"{place}: name is for files and logs: letters, digits, - and . only")
    if not is_addr_spec(row["address"]):
        raise WrongConfig(f"{place}: address is not an e-mail address")
    port = row.get("port", PORTS[row.get("security", "tls")])
    if not 0 < port < 65536:
        raise WrongConfig(f"{place}: port must be from 1 to 65535")
    with_token = row.get("auth") == "oauth2"
    values = {key: row[key] for key in _COPIED if key in row}
    return ImapAccount(
        **values,
        port=port,
        password="" if with_token else _secret(row, "password_file", place),
        grant=_grant(row, place) if with_token else None,
        recipient_header=row.get("recipient_header", ""),
        since=row.get("since"),
    )


def _grant(row: dict[str, Any], place: str) -> Grant:
    grant = Grant(
        row["login"],
        row.get("oauth_token_url", ""),
        row.get("oauth_client_id", ""),
        row.get("oauth_scope", ""),
        _secret(row, "client_secret_file", place) if "client_secret_file" in row else "",
        _secret(row, "refresh_token_file", place) if "refresh_token_file" in row else "",
        TokenFile(row["refresh_token_file"]) if "refresh_token_file" in row else None,
    )
    if grant.missing:
        raise WrongConfig(f"{place}: not set: {', '.join(grant.missing)}")
    return grant


def _secret(row: dict[str, Any], key: str, place: str) -> str:
    """Return the only line of a file that nobody but its owner may read."""
    path = row.get(key)
    if not path:
        raise WrongConfig(f"{place}: {key} is missing")
    try:
        with open(path, encoding="utf-8") as file:
            others = os.fstat(file.fileno()).st_mode & 0o077
            secret = file.read(65536).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongConfig(f"{place}: {key}: {error}") from error
    if others:
        raise WrongConfig(f"{place}: {path} is open to other users than its owner: chmod 600 {path}")
    if not secret or not secret.isprintable():
        raise WrongConfig(f"{place}: {path} must hold one line")
    return secret
