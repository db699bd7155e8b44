"""Which SMTP accounts are there, and which one serves an address? Read from the settings, without secrets."""

from dataclasses import dataclass
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.settings.read import bounce_address
from imio.mailbridge.settings.read import login_address


DEFAULT = "default"


@dataclass(frozen=True)
class Account:
    """Where mail leaves and as whom.

    ``senders`` are lower-case addresses and domains (without @) that this account serves; ``auth`` is ``password`` or
    ``oauth2``; without ``login`` nobody logs in. ``rate`` is in messages a minute, ``attachment_limit`` in bytes of files before
    encoding; 0 means none.
    """

    name: str
    host: str
    port: int = 587
    security: str = "starttls"
    ca_file: str = ""
    auth: str = "password"
    login: str = ""
    login_address: str = ""
    sender_policy: str = "login"
    senders: tuple[str, ...] = ()
    oauth_token_url: str = ""
    oauth_client_id: str = ""
    oauth_scope: str = ""
    rate: int = 0
    attachment_limit: int = 0


def default_account(values):
    """Return the account of the main settings; its host may be empty."""
    return Account(
        name=DEFAULT,
        host=values.smtp_host or "",
        port=values.smtp_port,
        security=values.smtp_security,
        ca_file=values.smtp_ca_file or "",
        auth=values.smtp_auth or "password",
        login=values.smtp_login or "",
        login_address=login_address(values),
        sender_policy=values.sender_policy,
        oauth_token_url=values.oauth_token_url or "",
        oauth_client_id=values.oauth_client_id or "",
        oauth_scope=values.oauth_scope or "",
        rate=values.smtp_rate or 0,
        attachment_limit=values.attachment_limit or 0,
    )


def accounts(values):
    """Return name → ``Account`` of all accounts; the default one first, if it has a server."""
    own = default_account(values)
    found = {own.name: own} if own.host else {}
    for row in values.smtp_accounts or ():
        login = row.get("login") or ""
        found[row["name"]] = Account(
            **{
                key: value
                for key, value in row.items()
                if value is not None and key in Account.__dataclass_fields__
            }
            | {
                "login_address": row.get("login_address") or (login if is_addr_spec(login) else ""),
                "senders": tuple(
                    sender.strip().lower().removeprefix("@") for sender in row.get("senders") or ()
                ),
            }
        )
    return found


def account_for(addr_spec, values):
    """Return the account that mail from an address leaves by: that of the address, of its domain, the default, or None."""
    found = accounts(values)
    wanted = addr_spec.lower()
    for key in (wanted, wanted.rpartition("@")[2]):
        for account in found.values():
            if key in account.senders:
                return account
    return found.get(DEFAULT)


def choice(account, values):
    """Return the keyword arguments of ``choose_sender`` that follow from an account and the settings."""
    return {
        "login_address": account.login_address,
        "reply_to_agent": bool(values.reply_to_agent),
        "envelope_sender": values.envelope_sender,
        "bounce_address": bounce_address(values),
    }
