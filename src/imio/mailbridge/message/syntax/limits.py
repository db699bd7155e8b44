"""Limits how complex a message may be to be opened.

The limits are far above what mail programs write and far below what costs a parser seconds. They are checked while the
structure is scanned, so that no parser ever sees a message that exceeds them.
"""

from dataclasses import dataclass


class TooComplex(Exception):
    """The message exceeds a limit; the argument names it."""


@dataclass(frozen=True)
class Limits:
    """The most that a message may have.

    ``header_bytes`` and ``header_fields`` apply to each header block, ``total_header_bytes`` to all together; ``parts`` counts
    the body parts on all levels, ``depth`` the multiparts and attached messages around one part, ``delimiters`` the lines
    that begin like a delimiter of a multipart.
    """

    header_bytes: int = 512_000
    header_fields: int = 1_000
    total_header_bytes: int = 4_000_000
    parts: int = 2_000
    depth: int = 30
    delimiters: int = 50_000


LIMITS = Limits()


class Budget:
    """Counts what a scan meets; each method raises ``TooComplex`` when a limit is exceeded."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self._header_bytes = self._parts = self._delimiters = 0

    def header(self, octets: int, fields: int) -> None:
        """Count a header block, or the part of it that was read so far."""
        self._header_bytes += octets
        if octets > self.limits.header_bytes or self._header_bytes > self.limits.total_header_bytes:
            raise TooComplex("header bytes")
        if fields > self.limits.header_fields:
            raise TooComplex("header fields")

    def part(self, depth: int) -> None:
        """Count a body part inside ``depth`` multiparts and attached messages."""
        self._parts += 1
        if self._parts > self.limits.parts:
            raise TooComplex("parts")
        if depth > self.limits.depth:
            raise TooComplex("depth")

    def delimiter(self) -> None:
        """Count a line that begins like a delimiter."""
        self._delimiters += 1
        if self._delimiters > self.limits.delimiters:
            raise TooComplex("delimiters")
