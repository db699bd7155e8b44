"""Does Google ask whether a mailbox may forward here? Nothing is forwarded before somebody confirms, by link or by code.

Anyone can write such a mail: a link counts only when it leads to Google, and nobody but a person follows it.
"""

from dataclasses import dataclass
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from urllib.parse import urlsplit
import re


SENDER = "forwarding-noreply@google.com"
HOSTS = frozenset({"mail.google.com", "mail-settings.google.com", "isolated.mail.google.com"})
_CODE = re.compile(r"\(?#\s?(\d{3,12})\)?")
_CODE_IN_TEXT = re.compile(r"\b(\d{8,12})\b")
_LINK = re.compile(r"https://[^\s<>\"']{10,1000}")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]{1,64}@[^\s<>\"'(),;:]{3,255}")


@dataclass(frozen=True)
class Confirmation:
    """``code`` and ``link`` may be empty; ``mailbox`` is who asks, as the text says, or empty."""

    code: str
    link: str
    mailbox: str


def read_confirmation(message: ParsedMessage) -> Confirmation | None:
    """Return what Google asks for, or None when this is another mail."""
    if message.author is None or message.author.addr_spec.lower() != SENDER:
        return None
    subject = message.subject or ""
    text = message.text or "\n".join(html_lines(message.html or ""))
    found = _CODE.search(subject) or _CODE_IN_TEXT.search(text)
    link = next((each for each in _LINK.findall(text[:100_000]) if is_googles(each)), "")
    asking = next(
        (each for each in _ADDRESS.findall(f"{subject}\n{text[:20_000]}") if each.lower() != SENDER), ""
    )
    return Confirmation(found[1] if found else "", link, asking.strip(".").lower())


def is_googles(link: str) -> bool:
    """Tell whether a link leads to Google's mail and nowhere else."""
    try:
        parts = urlsplit(link)
        return parts.scheme == "https" and parts.netloc in HOSTS and link.isascii() and "\\" not in link
    except ValueError:
        return False
