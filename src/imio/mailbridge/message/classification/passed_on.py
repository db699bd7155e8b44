"""Reads what a person wrote and attached who passes messages on as attachments."""

from collections.abc import Iterable
from imio.mailbridge.message.parsing.attached_messages import Attached
from imio.mailbridge.message.parsing.attachment import Attachment
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.parsing.server_changes import without_additions
from itertools import takewhile
import re


#: Characters of the words; all of them stay in the message.
MAX_WORDS = 5_000
_EMPTY_LINES = re.compile(r"\n{3,}")


def own_words(message: ParsedMessage) -> str:
    """Return what a person wrote, as plain text, without a signature below ``-- `` (RFC 3676 §4.3) and what servers added."""
    written = (message.text or "").strip()
    lines = written.split("\n") if written else html_lines(message.html or "")
    kept = without_additions(list(takewhile(lambda line: line.rstrip() != "--", lines)))
    words = _EMPTY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in kept))
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"


def own_files(message: ParsedMessage, attached: Iterable[Attached]) -> tuple[Attachment, ...]:
    """Return what stands beside the attached messages; images that the HTML shows, such as logos, are not among it."""
    return message.attachments_beside(each.part for each in attached if each.part is not None)
