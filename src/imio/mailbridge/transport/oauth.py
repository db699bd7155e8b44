"""Gets OAuth 2.0 tokens from the provider of a mailbox and keeps them.

With a refresh token (Google) the provider is asked by the grant of RFC 6749 §6, else with the client's own secret (§4.4, Microsoft
365). A token is kept in this process until a minute before it expires, and dropped when the mail server refuses it.
"""

from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.bounded import bounded
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2 import WebApplicationClient
from typing import Any
from typing import Protocol
from urllib.parse import urlsplit
import hashlib
import ipaddress
import json
import os
import requests
import socket
import threading
import time


#: Seconds that the token endpoint may be silent, and that the body of its answer may take; all of it has twice as many.
TIMEOUT = 20

#: The longest answer of a token endpoint, in bytes.
LARGEST = 64 * 1024

#: Seconds before its end at which a token is no longer used, and the life of one that names no end.
MARGIN = 60
UNKNOWN_LIFE = 300
#: Seconds after which a token is asked for anew, whatever life it has.
LONGEST_LIFE = 24 * 3600

#: The provider's own troubles among the errors of RFC 6749 §5.2.
TEMPORARY = ("server_error", "temporarily_unavailable")

#: Environment, for trials: ``1`` lets a token endpoint be this machine or a private address, and be asked without encryption.
INSECURE = "MAILBRIDGE_ALLOW_INSECURE_TOKEN_URL"

#: Characters of an error text that are kept.
LONGEST_TEXT = 400


class TokenRefused(Exception):
    """The provider gives no token to these settings: ``code`` is its HTTP status, ``text`` what it says."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class TokenUnreachable(Exception):
    """The provider gives no token now; the argument says why."""


class TokenKeeper(Protocol):
    """Keeps a refresh token that the provider may replace with each use (RFC 6749 §6)."""

    def begin(self) -> str:
        """Wait until nobody else asks with this token; return it. Errors: ``TokenUnreachable``."""

    def end(self, new: str) -> None:
        """Let others ask; ``new`` is kept for good in place of the token, unless it is empty."""


@dataclass(frozen=True, repr=False)
class Grant:
    """What is shown to the token endpoint; ``login`` is the mailbox that the token is for.

    With a ``keeper`` that one's refresh token is shown; ``refresh_token`` is then only the one that was entered.
    """

    login: str
    url: str
    client_id: str
    scope: str
    client_secret: str
    refresh_token: str
    keeper: TokenKeeper | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what tells grants apart; it holds no secret."""
        secrets = hashlib.sha256(f"{self.client_secret}\0{self.refresh_token}".encode()).hexdigest()
        return self.url, self.client_id, self.scope, secrets

    @property
    def missing(self) -> list[str]:
        """Return the names of the settings that are still empty."""
        wanted = {
            "login": self.login,
            "token endpoint": self.url,
            "client ID": self.client_id,
            "client secret or refresh token": self.client_secret or self.refresh_token,
        }
        return [name for name, value in wanted.items() if not value]

    def body(self) -> str:
        """Return the body of the request for a token."""
        client = WebApplicationClient if self.refresh_token else BackendApplicationClient
        ask = client(self.client_id)
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        if self.refresh_token:
            return str(
                ask.prepare_refresh_body(
                    refresh_token=self.refresh_token,
                    scope=self.scope or None,
                    client_id=self.client_id,
                    **secret,
                )
            )
        return str(ask.prepare_request_body(scope=self.scope or None, include_client_id=True, **secret))

    def hide(self, text: str) -> str:
        """Return a text from the provider as one printable line without our secrets."""
        for secret in filter(None, (self.client_secret, self.refresh_token)):
            text = text.replace(secret, "***")
        return readable(text)[:LONGEST_TEXT]


class CachedToken:
    """A token in this process: ``until`` is a time of the monotonic clock, ``accepted`` tells whether it ever logged in."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token = ""
        self.until = 0.0
        self.accepted = False

    def get(self, grant: Grant) -> str:
        """Return the token, a new one where there is none or it is about to expire."""
        with self.lock:
            if not self.token or time.monotonic() >= self.until:
                self.token, life = request_token(grant)
                self.until = time.monotonic() + life - MARGIN
                self.accepted = False
            return self.token

    def judge(self, token: str, accepted: bool) -> bool:
        """Note whether the server accepted a token; return whether it did before, or another thread has a new token by now."""
        with self.lock:
            if self.token != token:
                return True
            before, self.accepted = self.accepted, accepted
            if not accepted:
                self.token = ""
            return before


_cache: dict[tuple[str, ...], CachedToken] = {}


def cached_token(owner: str, grant: Grant) -> CachedToken:
    """Return the token that this process keeps for an account, whose name is ``owner``, and its grant."""
    return _cache.setdefault((owner, grant.login, *grant.key), CachedToken())


def may_be_asked(url: str) -> bool:
    """Tell whether our secrets may be shown to a token endpoint: by https only, and not on this machine or a private network."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if not host or not url.isprintable():
        return False
    if os.environ.get(INSECURE) == "1":
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and _is_public(host)


def _is_public(host: str) -> bool:
    """Tell whether a name, or an address in any notation that a system takes, may be one of the internet."""
    with suppress(OSError, UnicodeError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.lower().endswith((".localhost", ".local", ".internal"))


def request_token(grant: Grant) -> tuple[str, float]:
    """Ask the provider for a token; return it and its life in seconds. Errors: ``TokenRefused``, ``TokenUnreachable``."""
    if grant.missing:
        raise TokenRefused(400, f"not set: {', '.join(grant.missing)}")
    if not may_be_asked(grant.url):
        raise TokenRefused(400, "the token endpoint is not a public https address")
    if (keeper := grant.keeper) is None:
        return _ask(grant)[:2]
    new = ""
    newest = keeper.begin()
    try:
        token, life, new = _ask(replace(grant, refresh_token=newest))
    finally:
        keeper.end(new)
    return token, life


def _ask(grant: Grant) -> tuple[str, float, str]:
    """Return a token, its life in seconds, and the refresh token that replaces the one that was shown, or an empty string."""
    try:
        status, content = bounded(lambda: _post(grant), 2 * TIMEOUT)
    except (requests.RequestException, OSError, UnicodeError) as error:
        raise TokenUnreachable(grant.hide(f"token endpoint: {error}")) from error
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    problem = answer.get("error")
    if status >= 500 or status in (408, 429) or problem in TEMPORARY:
        raise TokenUnreachable(grant.hide(f"token endpoint: {status} {_error_text(answer)}"))
    if status >= 300 or problem:
        text = _error_text(answer) or "this is not a token endpoint"
        raise TokenRefused(status if status >= 300 else 400, grant.hide(text))
    try:
        token = BackendApplicationClient(grant.client_id).parse_request_body_response(content)
    except (OAuth2Error, ArithmeticError, RecursionError, ValueError, TypeError) as error:
        raise TokenUnreachable(
            f"token endpoint: {grant.hide(str(error)) or 'no token in its answer'}"
        ) from error
    value = token.get("access_token")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise TokenUnreachable("token endpoint: no token in its answer")
    life = token.get("expires_in") or UNKNOWN_LIFE
    if not isinstance(life, (int, float)) or not 0 < life < float("inf"):
        life = UNKNOWN_LIFE
    new = token.get("refresh_token")
    is_new = isinstance(new, str) and new.isascii() and new.isprintable() and new != grant.refresh_token
    return value, min(life, LONGEST_LIFE), new if is_new else ""


def _post(grant: Grant) -> tuple[int, str]:
    """Return status and body of the answer; no redirect is followed, since our secrets would go along."""
    deadline = time.monotonic() + TIMEOUT
    with (
        requests.Session() as session,
        session.post(
            grant.url,
            data=grant.body(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            auth=lambda request: request,  # else a .netrc of the machine would be sent
            allow_redirects=False,
            stream=True,
            timeout=TIMEOUT,
        ) as response,
    ):
        content = bytearray()
        for byte in response.iter_content(1):
            content += byte
            if len(content) > LARGEST:
                raise requests.RequestException("the answer is too long")
            if time.monotonic() > deadline:
                raise requests.Timeout("the answer takes too long")
        return response.status_code, content.decode("utf-8", "replace")


def _error_text(answer: dict[str, Any]) -> str:
    """Return how a provider describes an error."""
    parts = (answer.get("error"), answer.get("error_description"))
    return ": ".join(part for part in parts if isinstance(part, str))
