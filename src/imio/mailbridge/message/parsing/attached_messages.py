"""Finds the messages attached to a forward, each with exactly the bytes that were attached."""

from dataclasses import dataclass
from imio.mailbridge.message.outlook.msg_file import MAGIC as OLE
from imio.mailbridge.message.outlook.to_rfc5322 import MEDIA_TYPE as MSG_TYPE
from imio.mailbridge.message.parsing.attachment import part_beginning
from imio.mailbridge.message.parsing.attachment import part_bytes
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.structure import looks_like_message
from imio.mailbridge.message.syntax.structure import Part
from mmap import mmap


#: Types under which programs attach a message without saying so: Notes sends octet-stream, without a name.
_OPAQUE = frozenset({"application/octet-stream", "application/x-octet-stream", "binary/octet-stream"})


@dataclass(frozen=True)
class Attached:
    """An attached message and how it was found: ``rfc822``, ``rfc822-encoded``, ``eml-file``, ``octet-stream``,
    ``outlook-msg`` or ``tnef``. ``part`` holds it, None in a ``winmail.dat``."""

    message: ParsedMessage
    form: str
    part: Part | None = None


def attached_messages(message: ParsedMessage) -> tuple[Attached, ...]:
    """Return the messages attached to ``message`` in order, but not those attached to them in turn.

    The message that a report returns is not a forward.
    """
    if message.defect is not None:
        return ()
    packed = tuple(
        Attached(found, "tnef") for found in message.packed_messages if found.defect != "unreadable"
    )
    return (*_attached(*message.content), *packed)


def _attached(raw: bytes | mmap, part: Part) -> list[Attached]:
    if part.content_type == "multipart/report":
        return []
    if part.maintype == "multipart":
        return [found for child in part.parts for found in _attached(raw, child)]
    form = _form(raw, part)
    if not form:
        return []
    message = parse(part_bytes(raw, part))
    return [Attached(message, form, part)] if message.defect != "unreadable" else []


def _form(raw: bytes | mmap, part: Part) -> str:
    if part.is_message:
        return "rfc822-encoded" if part.encoding in ("base64", "quoted-printable") else "rfc822"
    if part.content_type == MSG_TYPE or part.filename.lower().rstrip(". ").endswith(".msg"):
        return "outlook-msg" if part_beginning(raw, part).startswith(OLE) else ""
    named = part.filename.lower().rstrip(". ").endswith(".eml")
    if not named and part.content_type not in _OPAQUE:
        return ""
    if not looks_like_message(part_beginning(raw, part)):
        return ""
    return "eml-file" if named else "octet-stream"
