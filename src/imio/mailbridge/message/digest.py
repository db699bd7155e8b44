"""What did the author write, however it travelled?"""

from imio.mailbridge.message.parse import ParsedMessage
import hashlib


def content_digest(message: ParsedMessage) -> str:
    """Return a sha256 in hex of author, date, subject, text and attachments."""
    author = message.author.addr_spec.lower() if message.author else ""
    text = " ".join((message.text or message.html or "").split())
    files = sorted(hashlib.sha256(file.content()).hexdigest() for file in message.attachments)
    date = message.date.timestamp() if message.date else ""
    return hashlib.sha256(
        "\0".join((author, str(date), message.subject or "", text, *files)).encode("utf-8", "replace")
    ).hexdigest()
