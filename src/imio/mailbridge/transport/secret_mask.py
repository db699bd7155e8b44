"""Masks the secrets of an account in what a server says, before it is stored, logged or shown."""

from base64 import b64decode
from base64 import b64encode
from imio.mailbridge.message.one_line import readable
from urllib.parse import quote
import binascii
import re


MASK = "****"


class SecretMask:
    """Masks what it was told to ``hide``: in clear, quoted, in base64 as AUTH PLAIN and LOGIN send it, and in a URL."""

    def __init__(self, login: str = "", *secrets: str) -> None:
        self._login = login
        self._secrets: set[str] = set()
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Mask ``secret`` from now on; the login is not a secret."""
        if secret in ("", self._login):
            return
        login = self._login
        plain = {secret, f"\0{login}\0{secret}", f"{login}\0{login}\0{secret}", f"{login}\0{secret}"}
        encoded = {b64encode(text.encode("utf-8", "replace")).decode() for text in plain}
        quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
        clear = {secret, quoted, *(repr(text.encode("utf-8", "replace"))[2:-1] for text in (secret, quoted))}
        self._secrets |= {
            *clear,
            *filter(None, map(readable, clear)),
            quote(secret, safe="", errors="replace"),
        }
        self._secrets |= {*encoded, *(text.rstrip("=") for text in encoded)}

    def hide_sent(self, text: str) -> None:
        """Mask what a client sends to log in, and what it encodes in base64, such as a bearer token."""
        for word in text.split():
            self.hide(word)
            try:
                inside = b64decode(word, validate=True).decode()
            except (binascii.Error, ValueError):
                continue
            for part in re.split(r"[\0\x01]", inside):
                self.hide(part.partition("Bearer ")[2] or part)

    def masked(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def mask_error(self, error: BaseException | None) -> None:
        """Mask the texts of an exception and of those that it came from, which a log shows with it."""
        while error is not None:
            error.args = tuple(
                self.masked(readable(arg)) if isinstance(arg, (str, bytes)) else arg for arg in error.args
            )
            error = error.__cause__ or error.__context__
