"""How does a message that Outlook keeps become one of RFC 5322? A ``.msg`` file, or a message embedded in TNEF.

What is made here can be read like any other message; the original bytes stay beside it and are what is kept.
"""

from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import format_datetime
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.rtf import text_of
from imio.mailbridge.message.tnef import Tnef
from olefile import OleFileIO
from oxmsg import Message
from typing import Any
import contextlib
import email.policy


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MEDIA_TYPE = "application/vnd.ms-outlook"
MAX_SIZE = 100_000_000
MAX_FILES = 500
#: Of the transport's headers these speak of how the body was written, which is written anew.
_OF_THE_BODY = frozenset(
    {"content-type", "content-transfer-encoding", "mime-version", "content-disposition", "bcc"}
)


def msg_to_rfc5322(octets: bytes) -> bytes | None:
    """Return a ``.msg`` file as a message, or None when it cannot be read. Never fails."""
    if not octets.startswith(OLE) or len(octets) > MAX_SIZE:
        return None
    try:
        with OleFileIO(octets) as file:  # streams may share their sectors, and claim far more than there is
            if sum(file.get_size(path) for path in file.listdir()) > 2 * len(octets):
                return None
        found = Message.load(octets)
        properties = found.properties
        html = found.html_body
        files = [
            (
                each.file_name or each.properties.str_prop_value(0x3704) or "",
                each.mime_type or "",
                each.file_bytes,
            )
            for each in found.attachments[:MAX_FILES]
            if each.file_bytes
        ]
        return _written(
            headers=properties.str_prop_value(0x007D) or "",
            sender=properties.str_prop_value(0x5D01) or properties.str_prop_value(0x0C1F) or "",
            sender_name=properties.str_prop_value(0x0C1A) or "",
            to=[(each.name, each.email_address) for each in found.recipients[:200]],
            subject=found.subject or "",
            date=found.sent_date,
            message_id=properties.str_prop_value(0x1035) or "",
            text=found.body or "",
            html=html or "",
            files=files,
        )
    except Exception:  # noqa: BLE001 - of libraries on hostile input
        return None


def tnef_to_rfc5322(found: Tnef) -> bytes | None:
    """Return a message that was embedded in TNEF, or None when it cannot be written. Never fails."""
    try:
        return _written(
            headers=found.headers,
            sender=found.sender,
            sender_name=found.sender_name,
            to=[],
            subject=found.subject,
            date=found.sent,
            message_id=found.message_id,
            text=found.text or text_of(found.rtf),
            html=found.html,
            files=[
                (file.name, file.content_type, file.content) for file in found.files if file.message is None
            ],
        )
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return None


def _written(
    *,
    headers: str,
    sender: str,
    sender_name: str,
    to: list[tuple[str, str]],
    subject: str,
    date: Any,
    message_id: str,
    text: str,
    html: str,
    files: list[tuple[str, str, bytes]],
) -> bytes:
    body = EmailMessage(email.policy.SMTP)
    body.set_content(text.replace("\r\n", "\n"), cte="base64")
    if html:
        body.add_alternative(html.replace("\r\n", "\n"), subtype="html", cte="base64")
    for name, content_type, content in files:
        kind, _, subtype = content_type.partition("/")
        with contextlib.suppress(ValueError, TypeError):
            good = kind.isalnum() and subtype and kind not in ("multipart", "message", "text")
            maintype, minor = (kind, subtype) if good else ("application", "octet-stream")
            body.add_attachment(content, maintype, minor, filename=one_line(name)[:200])
    lines = [
        f"{name}: {one_line(str(value))}"
        for name, value in HeaderParser(policy=email.policy.compat32).parsestr(headers).items()
        if name.lower() not in _OF_THE_BODY and name.isascii() and name.isprintable()
    ]
    present = {line.partition(":")[0].lower() for line in lines}
    address = sender if "@" in sender and not sender.startswith("/") else ""
    shown = (
        f'"{one_line(sender_name)}" <{one_line(address)}>'.replace('""', "")
        if address
        else one_line(sender_name)
    )
    known = ", ".join(f'"{one_line(name)}" <{one_line(each)}>' for name, each in to if "@" in each)
    for name, value in (
        ("from", shown),
        ("to", known),
        ("subject", one_line(subject)),
        ("date", format_datetime(date) if date else ""),
        ("message-id", one_line(message_id)),
    ):
        if value and name not in present:
            lines.append(f"{name.title()}: {value}")
    head = "\r\n".join(lines).encode("utf-8", "replace")
    return (head + b"\r\n" if head else b"") + bytes(body)
