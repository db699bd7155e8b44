"""Recognises the mail in which Google asks whether a mailbox may forward here, to be confirmed by a link or a code.

Anyone can write such a mail: a link counts only when it leads to Google, and only a person follows it.
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
    """A request to forward; ``mailbox`` is the address that asks, as the text says. Each may be empty."""

    code: str
    link: str
    mailbox: str


def read_confirmation(message: ParsedMessage) -> Confirmation | None:
    """Return the request, or None when ``message`` is any other mail."""
    if message.author is None or message.author.addr_spec.lower() != SENDER:
        return None
    subject = message.subject or ""
    text = message.text or "\n".join(html_lines(message.html or ""))
    found = _CODE.search(subject) or _CODE_IN_TEXT.search(text)
    link = next((each for each in _LINK.findall(text[:100_000]) if leads_to_google(each)), "")
    asking = next(
        (each for each in _ADDRESS.findall(f"{subject}\n{text[:20_000]}") if each.lower() != SENDER), ""
    )
    return Confirmation(found[1] if found else "", link, asking.strip(".").lower())


def leads_to_google(link: str) -> bool:
    """Tell whether a link leads to Google's mail service."""
    try:
        parts = urlsplit(link)
        return parts.scheme == "https" and parts.netloc in HOSTS and link.isascii() and "\\" not in link
    except ValueError:
        return False
