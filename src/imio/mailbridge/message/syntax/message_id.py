"""Reads the Message-IDs in header fields (RFC 5322 §3.6.4)."""

from imio.mailbridge.message.syntax.header import decode_words
from imio.mailbridge.message.syntax.header import unfold
import re


_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_BARE_ID = re.compile(r"[^<>\s]{1,990}@[^<>\s]{1,990}")
#: Not inside an id: Python's email.policy.default writes long ids as encoded-words.
_ENCODED = re.compile(r"(?:^|\s)=\?")
_MAX_IDS = 200


def parse_message_ids(value: bytes) -> tuple[str, ...]:
    """Return the Message-IDs in a field value, with their angle brackets."""
    text = unfold(value)
    if _ENCODED.search(text):
        text = decode_words(text)
    found = _MESSAGE_ID.findall(text)[:_MAX_IDS]
    if not found and (match := _BARE_ID.search(text[:2000])):
        found = [f"<{match[0]}>"]
    return tuple(found)
