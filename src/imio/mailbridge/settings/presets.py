"""Settings that fit well-known mail providers, to begin with; the names are those of ``settings.smtp.Account``."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _
from typing import Any


#: Placeholder in a token endpoint for the tenant ID, which only the organization knows; see ``validate.token_url``.
TENANT = "TENANT"

#: Files of this size, in base64 with its line ends, stay below the 35 MB of both providers.
FILES = 25 * 1024**2


@dataclass(frozen=True)
class Preset:
    """A provider: ``values`` fill in the form of an SMTP account, ``imap`` that of a mailbox read by IMAP.

    ``note`` (a msgid) says what only the administrator can add.
    """

    name: str
    title: str
    note: str
    values: dict[str, Any]
    imap: dict[str, Any]


PRESETS = (
    Preset(
        "microsoft365",
        _("Microsoft 365"),
        _(
            "Microsoft 365 is filled in and not saved yet. In the token endpoint replace TENANT with the tenant ID of your "
            "organization; then enter the login (the address of the mailbox), the client ID and the client secret of the "
            "application that was registered for iA.docs."
        ),
        {
            "host": "smtp.office365.com",
            "port": 587,
            "security": "starttls",
            "auth": "oauth2",
            "oauth_token_url": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
            "oauth_scope": "https://outlook.office365.com/.default",
            "rate": 30,
            "attachment_limit": FILES,
        },
        {
            "host": "outlook.office365.com",
            "port": 993,
            "security": "tls",
            "auth": "oauth2",
            "oauth_token_url": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
            "oauth_scope": "https://outlook.office365.com/.default",
        },
    ),
    Preset(
        "google",
        _("Google Workspace"),
        _(
            "Google Workspace is filled in and not saved yet. Enter the login (the address of the mailbox), the client ID, the "
            "client secret and the refresh token that were made for iA.docs."
        ),
        {
            "host": "smtp.gmail.com",
            "port": 587,
            "security": "starttls",
            "auth": "oauth2",
            "oauth_token_url": "https://oauth2.googleapis.com/token",
            "oauth_scope": "https://mail.google.com/",
            "rate": 30,
            "attachment_limit": FILES,
        },
        {
            "host": "imap.gmail.com",
            "port": 993,
            "security": "tls",
            "auth": "oauth2",
            "oauth_token_url": "https://oauth2.googleapis.com/token",
            "oauth_scope": "https://mail.google.com/",
        },
    ),
    Preset(
        "own",
        _("A mail server of your own, or of another provider"),
        _(
            "The usual settings are filled in and not saved yet. Enter the name of the server, the login and the password."
        ),
        {
            "host": "",
            "port": 587,
            "security": "starttls",
            "auth": "password",
            "oauth_token_url": "",
            "oauth_scope": "",
        },
        {
            "host": "",
            "port": 993,
            "security": "tls",
            "auth": "password",
            "oauth_token_url": "",
            "oauth_scope": "",
        },
    ),
)

#: Name of a value of an account → name of the setting of the default account, where they differ.
OF_DEFAULT = {
    "host": "smtp_host",
    "port": "smtp_port",
    "security": "smtp_security",
    "auth": "smtp_auth",
    "rate": "smtp_rate",
}


def preset(name: str) -> Preset | None:
    """Return the preset with this name, or None."""
    return next((each for each in PRESETS if each.name == name), None)


#: How much must be proven: name → the settings that it stands for.
TRUST = {
    "strict": {"proofs": ["tag", "gateway", "dkim"], "dkim_alignment": "strict"},
    "lenient": {"proofs": ["tag", "gateway", "arc", "dkim", "results"], "dkim_alignment": "relaxed"},
}
