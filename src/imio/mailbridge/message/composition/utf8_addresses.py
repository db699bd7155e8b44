"""Internationalised addresses (RFC 6531) in the header of a message: finds them, and takes them out for a server without."""

import re


_FIELD = re.compile(rb"(?im)^(from|reply-to|to|cc):((?:[^\r\n]*\r\n[ \t])*[^\r\n]*)\r\n")
_BETWEEN = b",\r\n "


def has_utf8_address(header: bytes) -> bool:
    """Tell whether an address in ``header`` (CRLF line ends) is not ASCII."""
    return any(not match[2].isascii() for match in _FIELD.finditer(header))


def without_utf8_addresses(header: bytes) -> bytes:
    """Return a composed header without the addresses in To and Cc that are not ASCII; From and Reply-To stay as they are."""
    return _FIELD.sub(_without, header)


def _without(match: re.Match[bytes]) -> bytes:
    name = match[1].lower()
    if match[2].isascii() or name not in (b"to", b"cc"):
        return match[0]
    kept = [each.strip() for each in match[2].split(_BETWEEN) if each.isascii()]
    if not kept and name == b"cc":
        return b""
    return match[1] + b": " + (_BETWEEN.join(kept) or b"undisclosed-recipients:;") + b"\r\n"
