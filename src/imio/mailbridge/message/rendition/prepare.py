"""Prepares a message for its readers: harmless HTML and what they are told about it, made once, in a child with limits.

::

    message ──▶ child: layout ──▶ HTML, notes
                  │ over a limit, or an error
                  └──▶ child: text alone ──▶ text, notes
                         │ over a limit, or an error
                         └──▶ nothing but a note

Run as a program, this module reads a message on standard input and writes the HTML and, as the last line, the ``Outline`` in JSON.
"""

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from imio.mailbridge.message.parsing.invitation import Invitation
from imio.mailbridge.message.parsing.invitation import read_invitations
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.rendition import confined
from imio.mailbridge.message.rendition.written import written
from imio.mailbridge.message.rendition.written import written_plainly
from imio.mailbridge.message.syntax.doubt import Doubt
from imio.mailbridge.message.syntax.limits import TooComplex
from os import SEEK_END
from typing import Any
from typing import BinaryIO
import json
import logging
import sys


BOUNDS = confined.Bounds(processor=6, memory=768 << 20, output=60 << 20)
#: Seconds that a child may take where nobody waits: a busy machine takes many for one of processor time.
SECONDS = 300
PLAIN = "--plain"
_MAX_OUTLINE = 1 << 20
_MAX_INVITATIONS = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outline:
    """What a reader is told beside the text.

    ``blocked`` counts the remote contents that were left out, ``missing`` the images of the message that are not shown. ``limit``
    names what was exceeded where layout, images or appointments were left out; ``is_unreadable``: nothing can be shown;
    ``is_empty``: the message has no text; ``doubts`` are pairs as ``Doubt``.
    """

    blocked: int = 0
    missing: int = 0
    limit: str = ""
    is_unreadable: bool = False
    is_empty: bool = False
    invitations: tuple[Invitation, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return plain data that JSON and databases keep."""
        invitations = [each.as_data() for each in self.invitations]
        return {**asdict(self), "invitations": invitations, "doubts": [list(each) for each in self.doubts]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Outline":
        """Return the outline that ``as_data`` described."""
        invitations = tuple(map(Invitation.from_data, data["invitations"]))
        return cls(
            **{**data, "invitations": invitations, "doubts": tuple(Doubt(*each) for each in data["doubts"])}
        )


def prepare(source: BinaryIO, target: BinaryIO, plain: bool = False, seconds: int = SECONDS) -> Outline:
    """Write the harmless HTML of a message to ``target``; ``source`` and ``target`` are real files.

    ``plain``: the text alone is wanted, since the layout was too much before. Errors: ``confined.Unfinished``, never because of
    the message.
    """
    limit = "repeated failure" if plain else ""
    for arguments in ((PLAIN,),) if plain else ((), (PLAIN,)):
        try:
            confined.run(__file__, source, target, seconds, *arguments)
        except confined.ProgramFailed as error:
            logger.warning("a message is shown without its layout: %s", error)
            limit = str(error)
        else:
            outline = _cut_outline(target)
            return replace(outline, limit=outline.limit or limit)
    target.seek(0)
    target.truncate()
    return Outline(limit=limit, is_unreadable=True)


def _cut_outline(target: BinaryIO) -> Outline:
    """Take the last line from a file; return what it says."""
    size = target.seek(0, SEEK_END)
    target.seek(max(0, size - _MAX_OUTLINE))
    line = target.read().rpartition(b"\n")[2]
    target.truncate(size - len(line) - 1)
    return Outline.from_data(json.loads(line))


def outline_and_html(message: ParsedMessage, plain: bool = False) -> tuple[Outline, str]:
    """Return what a reader is told and shown; takes as long as the message wants."""
    body = written_plainly(message) if plain else written(message)
    limit = body.limit or message.defect or ""
    found: list[Invitation] = []
    for calendar in () if plain else message.calendars:
        try:
            found += read_invitations(calendar)
        except TooComplex as error:
            limit = limit or str(error)
    outline = Outline(
        body.blocked,
        body.missing,
        limit,
        is_unreadable=message.defect is not None,
        is_empty=not body.html,
        invitations=tuple(dict.fromkeys(found))[:_MAX_INVITATIONS],
        doubts=message.doubts,
    )
    return outline, body.html


def main() -> None:
    """Prepare the message on standard input."""
    confined.confine(BOUNDS)
    outline, html = outline_and_html(parse(sys.stdin.buffer), PLAIN in sys.argv)
    confined.write(html.encode("utf-8", "replace"), b"\n", json.dumps(outline.as_data()).encode())


if __name__ == "__main__":
    main()
