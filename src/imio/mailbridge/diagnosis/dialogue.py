"""Records what the bridge and a server said, as lines that anybody may see: no secret, nothing invisible, nothing endless."""

from base64 import b64decode
from base64 import b64encode
from urllib.parse import quote
import binascii
import re


LINES = 80
LENGTH = 300
MASK = "****"


def visible(text):
    """Return ``text`` with what cannot be seen made visible: control pictures, or the number of the character."""
    return "".join(
        char if char.isprintable() else chr(0x2400 + ord(char)) if ord(char) < 0x20 else f"\\u{ord(char):04x}"
        for char in text
    )


class Dialogue:
    """The lines since ``take`` was last called. ``hide`` names a secret: it is masked in clear, in base64 and in a URL."""

    def __init__(self, login=""):
        self._login = login
        self._secrets = set()
        self._lines = []

    def hide(self, secret):
        """Mask ``secret`` from now on, also in what a server says; the login is not a secret."""
        if secret in ("", self._login):
            return
        login = self._login
        plain = {secret, f"\0{login}\0{secret}", f"{login}\0{login}\0{secret}", f"{login}\0{secret}"}
        encoded = {b64encode(text.encode("utf-8", "replace")).decode() for text in plain}
        self._secrets |= {secret, quote(secret, safe=""), *encoded, *(text.rstrip("=") for text in encoded)}

    def hide_sent(self, text):
        """Mask what a client sends to log in, and what it encodes in base64, such as a bearer token."""
        for word in text.split():
            self.hide(word)
            try:
                inside = b64decode(word, validate=True).decode()
            except (binascii.Error, ValueError):
                continue
            for part in re.split(r"[\0\x01]", inside):
                self.hide(part.partition("Bearer ")[2] or part)

    def masked(self, text):
        """Return ``text`` without secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def client(self, text):
        """Note what the bridge said or did."""
        self._add("C: ", text)

    def server(self, text):
        """Note what the server said."""
        self._add("S: ", text)

    def take(self):
        """Return the lines so far and forget them."""
        lines, self._lines = tuple(self._lines), []
        return lines

    def _add(self, mark, text):
        if len(self._lines) < LINES:
            line = visible(self.masked(text))
            self._lines.append(mark + (line if len(line) <= LENGTH else f"{line[:LENGTH]} …"))
        elif len(self._lines) == LINES:
            self._lines.append(f"{mark}…")
