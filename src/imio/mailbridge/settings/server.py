"""A server and the log-in there: the fields and values that SMTP accounts and IMAP accounts share."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.terms import terms
from typing import Any
from zope import schema
from zope.schema.vocabulary import SimpleVocabulary


AUTH = terms(
    password=_("Password"),
    oauth2=_("OAuth 2.0 (Microsoft 365, Google)"),
)


@dataclass(frozen=True)
class ServerLogin:
    """A server and how the bridge logs in there; secrets are kept elsewhere (``settings.secrets``).

    ``security`` is ``starttls``, ``tls`` or ``none``; ``auth`` is ``password`` or ``oauth2``; without ``login`` nobody logs in.
    """

    name: str
    host: str = ""
    port: int = 0
    security: str = ""
    ca_file: str = ""
    auth: str = "password"
    login: str = ""
    oauth_token_url: str = ""
    oauth_client_id: str = ""
    oauth_scope: str = ""


def port(default: int, description: str = "") -> schema.Int:
    """Return the field of a port."""
    return schema.Int(title=_("Port"), description=description, min=1, max=65535, default=default)


def security(vocabulary: SimpleVocabulary, default: str, description: str = "") -> schema.Choice:
    """Return the field of the encryption."""
    return schema.Choice(
        title=_("Encryption"), description=description, vocabulary=vocabulary, default=default
    )


def ca_file(description: str = "") -> schema.TextLine:
    """Return the field of the file with the certificate authorities of the town."""
    return schema.TextLine(
        title=_("Custom CA certificates"),
        description=description,
        constraint=validate.readable_file,
        required=False,
    )


def auth(description: str = "") -> schema.Choice:
    """Return the field of the way to log in."""
    return schema.Choice(
        title=_("Authentication"), description=description, vocabulary=AUTH, default="password"
    )


def login(description: str = "") -> schema.TextLine:
    """Return the field of the login."""
    return schema.TextLine(
        title=_("Login"), description=description, constraint=validate.one_line, required=False
    )


def token_url(description: str = "") -> schema.TextLine:
    """Return the field of the token endpoint (OAuth 2.0)."""
    return schema.TextLine(
        title=_("Token endpoint"), description=description, constraint=validate.token_url, required=False
    )


def client_id(description: str = "") -> schema.TextLine:
    """Return the field of the client ID (OAuth 2.0)."""
    return schema.TextLine(
        title=_("Client ID"), description=description, constraint=validate.one_line, required=False
    )


def scope(description: str = "") -> schema.TextLine:
    """Return the field of the scope (OAuth 2.0)."""
    return schema.TextLine(
        title=_("Scope"), description=description, constraint=validate.one_line, required=False
    )


def filled_in(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values of a table's row that are set, of the fields ``names``."""
    return {name: row[name] for name in names if row.get(name) is not None}
