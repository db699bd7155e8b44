"""Which mailboxes does the bridge read by IMAP? Read from the settings, with their secrets."""

from dataclasses import dataclass
from datetime import date
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_account import Mailbox
from imio.mailbridge.transport.oauth import Grant


FILE, LEAVE = "file", "leave"
_VALUES = ("port", "security", "ca_file", "folder", "role", "done", "done_folder", "recipient_header")


@dataclass(frozen=True)
class LoginRule:
    """What becomes of mail to a login address: ``new_mail`` is ``quarantine``, ``FILE`` or ``LEAVE``; ``service`` may be empty."""

    new_mail: str
    service: str
    copy_to_agent: bool


def rows(values):
    """Return name → row."""
    return {row["name"]: row for row in values.imap_mailboxes or ()}


def login_rules(values):
    """Return lower-case address → ``LoginRule`` of the login addresses whose mail the bridge gets."""
    return {
        row["address"].lower(): LoginRule(
            row.get("new_mail") or "quarantine", row.get("service") or "", bool(row.get("copy_to_agent"))
        )
        for row in values.imap_mailboxes or ()
        if row.get("role") == LOGIN
    }


def secrets_of(name):
    """Return the name under which the secrets of a mailbox are kept."""
    return f"imap:{name}"


def mailbox(row):
    """Return the ``Mailbox`` of a row, or None when another machine reads it."""
    if not row.get("host"):
        return None
    login, account = row.get("login") or "", secrets_of(row["name"])
    with_token = row.get("auth") == "oauth2"
    return Mailbox(
        name=row["name"],
        host=row["host"],
        login=login,
        address=row["address"].lower(),
        password="" if with_token else password.read(account),
        grant=_grant(row, login, account) if with_token else None,
        since=date.fromisoformat(row["since"]) if row.get("since") else None,
        **{key: row[key] for key in _VALUES if row.get(key)},
    )


def _grant(row, login, account):
    return Grant(
        login,
        row.get("oauth_token_url") or "",
        row.get("oauth_client_id") or "",
        row.get("oauth_scope") or "",
        password.read(account, "client_secret"),
        password.read(account, "refresh_token"),
    )
