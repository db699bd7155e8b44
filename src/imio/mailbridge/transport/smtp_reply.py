"""One answer in an SMTP dialogue: where it came, its code and its text."""

from dataclasses import dataclass
import re


@dataclass(frozen=True)
class SmtpReply:
    """An answer of the server, or of our side of the connection (``code`` 0): ``stage`` is where it came.

    Stages: ``connect``, ``tls``, ``auth``, ``mail``, ``rcpt``, ``data``; ``oauth`` where no token was given, ``store`` where
    we could not read the message ourselves, ``bridge`` where our own code met an error.
    """

    stage: str
    code: int
    text: str

    @property
    def enhanced_status(self):
        """Return the enhanced status code (RFC 3463), or an empty string."""
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)", self.text)
        return found[0] if found else ""

    def __str__(self):
        return f"{self.code or ''} {self.text}".strip()
