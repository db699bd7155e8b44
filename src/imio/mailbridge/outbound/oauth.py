"""How does an account log in without a password? OAuth 2.0: a token from the provider, shown to SMTP as XOAUTH2.

With a refresh token (Google) the provider is asked by the grant of RFC 6749 §6, else with the client's own secret (§4.4, Microsoft
365). A token is kept in this process until a minute before it expires, and dropped when the SMTP server refuses it.
"""

from dataclasses import dataclass
from imio.mailbridge.outbound.answers import SmtpReply
from imio.mailbridge.outbound.mailer import readable
from imio.mailbridge.outbound.mailer import Stopped
from imio.mailbridge.settings import password
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2 import WebApplicationClient
import base64
import contextlib
import hashlib
import json
import requests
import smtplib
import threading
import time


#: Seconds that the token endpoint may be silent, and that its whole answer may take.
TIMEOUT = 20

#: The longest answer of a token endpoint, in bytes.
LARGEST = 64 * 1024

#: Seconds before its end at which a token is no longer used, and the life of one that names no end.
MARGIN = 60
UNKNOWN_LIFE = 300

#: The provider's own troubles among the errors of RFC 6749 §5.2.
TEMPORARY = ("server_error", "temporarily_unavailable")

TEXT = 400


@dataclass(frozen=True, repr=False)
class Grant:
    """What is shown to the token endpoint; ``login`` is the mailbox that the token is for."""

    login: str
    url: str
    client_id: str
    scope: str
    client_secret: str
    refresh_token: str

    @property
    def key(self):
        """Return what tells grants apart, without a secret in it."""
        secrets = hashlib.sha256(f"{self.client_secret}\0{self.refresh_token}".encode()).hexdigest()
        return self.url, self.client_id, self.scope, secrets

    @property
    def missing(self):
        """Return which settings are still to be made, in words."""
        wanted = {
            "login": self.login,
            "token endpoint": self.url,
            "client ID": self.client_id,
            "client secret or refresh token": self.client_secret or self.refresh_token,
        }
        return [name for name, value in wanted.items() if not value]

    def body(self):
        """Return the body of the request for a token."""
        client = WebApplicationClient if self.refresh_token else BackendApplicationClient
        ask = client(self.client_id)
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        if self.refresh_token:
            return ask.prepare_refresh_body(
                refresh_token=self.refresh_token, scope=self.scope or None, client_id=self.client_id, **secret
            )
        return ask.prepare_request_body(scope=self.scope or None, include_client_id=True, **secret)

    def hide(self, text):
        """Return a text from the provider as one printable line without our secrets."""
        for secret in filter(None, (self.client_secret, self.refresh_token)):
            text = text.replace(secret, "***")
        return readable(text)[:TEXT]


class _Kept:
    """A token in this process: ``until`` is in seconds of the monotonic clock, ``accepted`` whether it ever logged in."""

    def __init__(self):
        self.lock = threading.Lock()
        self.token = ""
        self.until = 0.0
        self.accepted = False

    def get(self, grant):
        """Return the token, a new one where there is none or it is about to expire."""
        with self.lock:
            if not self.token or time.monotonic() >= self.until:
                self.token, life = _fetch(grant)
                self.until = time.monotonic() + life - MARGIN
                self.accepted = False
            return self.token

    def judge(self, token, accepted):
        """Note what the SMTP server said of a token, unless another thread has a new one; return whether it was good before."""
        with self.lock:
            if self.token != token:
                return True
            before, self.accepted = self.accepted, accepted
            if not accepted:
                self.token = ""
            return before


_kept = {}


def authenticator(account):
    """Return what logs a connection of ``account`` in with XOAUTH2; no token is asked for yet."""
    grant = Grant(
        account.login,
        account.oauth_token_url,
        account.oauth_client_id,
        account.oauth_scope,
        password.read(account.name, "client_secret"),
        password.read(account.name, "refresh_token"),
    )
    kept = _kept.setdefault((account.name, *grant.key), _Kept())

    def authenticate(connection):
        """Log in, with a new token where one that was good is refused; errors: those of smtplib, ``Stopped`` without a token."""
        for is_last in (False, True):
            token = kept.get(grant)
            try:
                answer = _log_in(connection, grant.login, token)
            except smtplib.SMTPAuthenticationError as refusal:
                is_stale = refusal.smtp_code == 535 and kept.judge(token, accepted=False)
                if is_last or not is_stale:
                    raise
            else:
                kept.judge(token, accepted=True)
                return answer
        raise AssertionError("not reached")

    return authenticate


# the token endpoint


def _fetch(grant):
    """Ask for a token; return it and its life in seconds. Errors: ``Stopped``."""
    if grant.missing:
        raise _refused(400, f"not set: {', '.join(grant.missing)}")
    try:
        status, content = _post(grant)
    except (requests.RequestException, OSError, UnicodeError) as error:
        raise _unreachable(grant.hide(f"token endpoint: {error}")) from error
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    error = answer.get("error")
    if status >= 500 or status in (408, 429) or error in TEMPORARY:
        raise _unreachable(grant.hide(f"token endpoint: {status} {_words(answer)}"))
    if status >= 300 or error:
        words = _words(answer) or "this is not a token endpoint"
        raise _refused(status if status >= 300 else 400, grant.hide(words))
    try:
        token = BackendApplicationClient(grant.client_id).parse_request_body_response(content)
    except (OAuth2Error, ValueError, TypeError) as error:
        raise _unreachable(f"token endpoint: {grant.hide(str(error)) or 'no token in its answer'}") from error
    value = token.get("access_token")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise _unreachable("token endpoint: no token in its answer")
    return value, token.get("expires_in") or UNKNOWN_LIFE


def _post(grant):
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


def _words(answer):
    """Return what a provider says of an error."""
    parts = (answer.get("error"), answer.get("error_description"))
    return ": ".join(part for part in parts if isinstance(part, str))


def _refused(code, text):
    return Stopped(SmtpReply("oauth", code, text))


def _unreachable(text):
    return Stopped(SmtpReply("connect", 0, text))


# the SMTP server


def _log_in(connection, login, token):
    """AUTH XOAUTH2; a refusal carries what the server's challenge says (JSON in base64, answered by an empty line)."""
    if "XOAUTH2" not in connection.esmtp_features.get("auth", "").upper().split():
        raise smtplib.SMTPNotSupportedError("XOAUTH2 is not offered: the server takes no token on this port")
    first = base64.b64encode(f"user={login}\1auth=Bearer {token}\1\1".encode()).decode()
    code, answer = connection.docmd("AUTH", f"XOAUTH2 {first}")
    if code == 334:
        challenge = _decoded(answer)
        code, answer = connection.docmd("")
        answer += f" {challenge}".encode()
    if code != 235:
        answer = answer.replace(token.encode(), b"***") + b" (XOAUTH2)"  # by which ``answers`` knows it
        raise smtplib.SMTPAuthenticationError(code, answer)
    return code, answer


def _decoded(challenge):
    with contextlib.suppress(ValueError):
        return readable(base64.b64decode(challenge, validate=True))[:TEXT]
    return ""
