"""Takes the content out of an opaque S/MIME signature (``signed-data``, RFC 8551 §3.5.2, RFC 5652 §5).

The signature is not verified: the content is only taken out to be read and filed.
"""

from collections.abc import Iterator


_SIGNED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
_OID, _OCTETS, _OCTETS_CONSTRUCTED, _SEQUENCE = 0x06, 0x04, 0x24, 0x30
_MAX_ELEMENTS = 200_000
_MAX_DEPTH = 16


def signed_content(der: bytes) -> bytes | None:
    """Return the MIME entity inside a CMS signature, or None when there is none or it cannot be read."""
    try:
        return _Reader(der).content()
    except (IndexError, ValueError, StopIteration):
        return None


class _Reader:
    """Reads BER (ITU-T X.690) with definite and indefinite lengths. Errors: ``ValueError``, ``IndexError``."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.elements_left = _MAX_ELEMENTS

    def content(self) -> bytes | None:
        outer = next(self.inside(0, len(self.octets)))
        kind, content = list(self.inside(*outer[1:]))[:2]
        if self.octets[kind[1] : kind[2]] != _SIGNED_DATA:
            return None
        signed = next(self.inside(*content[1:]))
        info = next(element for element in list(self.inside(*signed[1:]))[1:] if element[0] == _SEQUENCE)
        fields = list(self.inside(*info[1:]))
        if fields[0][0] != _OID or self.octets[fields[0][1] : fields[0][2]] != _DATA or len(fields) < 2:
            return None
        tag, start, end = next(self.inside(*fields[1][1:]))
        if tag == _OCTETS:
            return self.octets[start:end]
        if tag != _OCTETS_CONSTRUCTED:
            return None
        return b"".join(
            self.octets[first:last] for tag, first, last in self.inside(start, end) if tag == _OCTETS
        )

    def inside(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield tag, start and end of the content of each element between two offsets."""
        while start < end:
            tag, first, last = self.read(start)
            if last is None:
                last = self.end_of(first, 0)
                start = last + 2
            else:
                start = last
            if last > end:
                raise ValueError("an element ends outside of its parent")
            yield tag, first, last

    def end_of(self, start: int, depth: int) -> int:
        """Return the end of content of indefinite length, which two zero octets follow."""
        if depth > _MAX_DEPTH:
            raise ValueError("too deep")
        while self.octets[start : start + 2] != b"\0\0":
            _tag, first, last = self.read(start)
            start = last if last is not None else self.end_of(first, depth + 1) + 2
        return start

    def read(self, position: int) -> tuple[int, int, int | None]:
        self.elements_left -= 1
        tag, length = self.octets[position], self.octets[position + 1]
        if self.elements_left < 0 or tag & 0x1F == 0x1F:
            raise ValueError("not a signature")
        position += 2
        if length == 0x80:
            return tag, position, None
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(self.octets[position : position + size], "big")
            position += size
        if position + length > len(self.octets):
            raise ValueError("cut off")
        return tag, position, position + length
