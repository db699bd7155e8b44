"""Tells which images browsers and the renderer show."""

from imio.mailbridge.message.syntax.filename import content_kind
from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.transfer_encoding import decode_body
from mmap import mmap


_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def shown_type(content_type: str, content: bytes) -> str:
    """Return the media type to show an image as, by its content if that is known, or an empty string for none that is shown."""
    return next((kind for kind in (content_kind(content[:80]), content_type) if kind in _TYPES), "")


def is_shown(raw: bytes | mmap, part: Part) -> bool:
    """Tell whether the image in a part can be shown, from its type and the beginning of its content."""
    return bool(
        shown_type(
            part.content_type, decode_body(raw, part.body, min(part.end, part.body + 80), part.encoding)
        )
    )
