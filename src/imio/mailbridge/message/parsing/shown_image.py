"""Tells which images browsers and the renderer show."""

from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.transfer_encoding import decode_body
from mmap import mmap


_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: How the content of an image begins, by type.
_BEGINS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


def shown_type(content_type: str, content: bytes) -> str:
    """Return the media type to show an image as, by its content if that is known, or an empty string for none that is shown."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    declared = content_type if content_type in _TYPES else ""
    return next((known for begin, known in _BEGINS if content.startswith(begin)), declared)


def is_shown(raw: bytes | mmap, part: Part) -> bool:
    """Tell whether the image in a part can be shown, from its type and the beginning of its content."""
    return bool(
        shown_type(
            part.content_type, decode_body(raw, part.body, min(part.end, part.body + 80), part.encoding)
        )
    )
