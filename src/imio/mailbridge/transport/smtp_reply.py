"""One answer in an SMTP dialogue: the stage it came at, its code and its text."""

from dataclasses import dataclass
import re


@dataclass(frozen=True)
class SmtpReply:
    """An answer of the server, or of our side of the connection (``code`` 0), at a ``stage`` of the dialogue.

    Stages: ``connect``, ``tls``, ``auth``, ``mail``, ``rcpt``, ``data``; ``oauth`` where no token was given, ``secret`` where
    the password could not be read, ``store`` where the message could not be read, ``bridge`` where our own code met an error.
    """

    stage: str
    code: int
    text: str

    @property
    def is_positive(self) -> bool:
        """Tell whether the server did what it was asked to (2yz, RFC 5321 §4.2.1)."""
        return self.code // 100 == 2

    @property
    def enhanced_status(self) -> str:
        """Return the enhanced status code (RFC 3463), or an empty string."""
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)", self.text)
        return found[0] if found else ""

    def __str__(self) -> str:
        return f"{self.code or ''} {self.text}".strip()
