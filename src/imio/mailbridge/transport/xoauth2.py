"""Logs in to a mail server with an OAuth 2.0 token: the SASL mechanism XOAUTH2, the same for SMTP and IMAP.

Described by Google ("XOAUTH2 Mechanism") and by Microsoft ("Authenticate an IMAP, POP or SMTP connection using OAuth").
"""

from base64 import b64encode
from collections.abc import Callable
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.oauth import cached_token
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.secret_mask import SecretMask
from typing import TypeVar


NAME = "XOAUTH2"

#: Characters of a challenge that are kept.
LONGEST_CHALLENGE = 400

Answer = TypeVar("Answer")


class XOAuth2:
    """The client's side of one log-in, as ``smtplib.SMTP.auth`` and ``IMAPClient.sasl_login`` call it with each challenge.

    The first call returns the token. A server that refuses it sends a challenge that says why (JSON), which an empty line answers.
    """

    def __init__(self, login: str, token: str) -> None:
        self._token = token
        self._response: str | None = f"user={login}\1auth=Bearer {token}\1\1"
        self._challenge = ""

    def __call__(self, challenge: bytes | None = None) -> str:
        response, self._response = self._response, None
        if response is not None:
            return response
        self._challenge = readable(challenge or b"")[:LONGEST_CHALLENGE]
        return ""

    def refusal(self, answer: str) -> str:
        """Return a server's refusal together with its challenge, without the token."""
        return f"{answer} {self._challenge}".strip().replace(self._token, "***")


def hide_token(mask: SecretMask, login: str, token: str) -> None:
    """Mask a token and the response that carries it."""
    mask.hide(token)
    mask.hide(b64encode(str(XOAuth2(login, token)()).encode()).decode())


def log_in(
    owner: str, grant: Grant, show: Callable[[str], Answer], is_refusal: Callable[[Exception], bool]
) -> Answer:
    """Return what ``show(token)`` returns, called once more with a new token where one that was good before is refused.

    ``owner`` names the account that the token is kept for; ``is_refusal`` tells whether an error of ``show`` means that the server
    does not accept the token. Errors: those of ``show``, ``TokenRefused``, ``TokenUnreachable``.
    """
    cached = cached_token(owner, grant)
    for is_last in (False, True):
        token = cached.get(grant)
        try:
            answer = show(token)
        except Exception as error:
            is_stale = is_refusal(error) and cached.judge(token, accepted=False)
            if is_last or not is_stale:
                raise
        else:
            cached.judge(token, accepted=True)
            return answer
    raise AssertionError("not reached")
