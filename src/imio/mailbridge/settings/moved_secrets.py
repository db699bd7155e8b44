"""Forgets the secrets of an account when its server, encryption, login or token endpoint changes, whoever changes it and where.

They were entered for the old ones: else an administrator who cannot read a secret could have it sent to a server of their own.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.smtp import DEFAULT
from typing import Any


#: What secrets belong to: settings of a row.
OWNERS = ("host", "port", "security", "login", "oauth_token_url")

#: The same settings of the default account, which are records of their own.
OWN_OWNERS = {"oauth_token_url": "oauth_token_url"} | {
    f"smtp_{name}": name for name in ("host", "port", "security", "login")
}

#: Tables of accounts → what names the secrets of a row.
TABLES: dict[str, Callable[[str], str]] = {"smtp_accounts": str, "imap_mailboxes": secrets_of}


PASSWORD_AGAIN = _("The server, its encryption or the login is another one: enter the password again.")
TOKEN_AGAIN = _(
    "The server, its encryption, the login or the token endpoint is another one: enter the client secret or the refresh token "
    "again."
)


def has_moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether a change of settings takes an account to another server or login; an empty setting had no secret."""
    return any(before.get(name) and before.get(name) != after.get(name) for name in OWNERS)


def enter_again(values: Mapping[str, Any], is_kept: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Yield (kind, message) where the secret of an account that has moved, kept for the old server, is not entered again.

    ``values`` are the new settings, by the names of ``Account``, and the secrets that were entered; ``is_kept`` tells of a kind of
    secret whether there is one.
    """
    if not values["host"] or not values["login"]:
        return
    with_token = values["auth"] == "oauth2"
    kinds = ("client_secret", "refresh_token") if with_token else ("password",)
    if any(map(is_kept, kinds)) and not any(values.get(kind) for kind in kinds):
        yield kinds[0], TOKEN_AGAIN if with_token else PASSWORD_AGAIN


def forget_moved(proxy: Any, event: Any) -> None:
    """Forget the secrets of accounts that have moved (subscriber of the registry records)."""
    name, old, new = event.record.fieldName, event.oldValue, event.newValue
    if name in OWN_OWNERS and has_moved({OWN_OWNERS[name]: old}, {OWN_OWNERS[name]: new}):
        secrets.forget(DEFAULT)
    elif name in TABLES:
        after = {row["name"]: row for row in new or ()}
        for row in old or ():
            if has_moved(row, after.get(row["name"], row)):
                secrets.forget(TABLES[name](row["name"]))
