"""Recognises the secret part of a mail-in address (``in+<secret>@bridge.test``) and masks it in whatever is shown or leaves."""

from collections.abc import Iterator
from imio.mailbridge.message.address import detail
from mmap import mmap
from typing import Any
import re
import secrets


#: Lower case, because mail systems fold case; without the characters that look alike (i, l, 1, o, 0).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
#: 104 bits.
LENGTH = 21

#: What is generated, with two digits at least, which no words have; quoted-printable may break the line in it.
_BREAK = r"(?:=\r?\n)?"
_PART = rf"(?=(?:(?:[a-z]|=\r?\n)*[2-9]){{2}})(?:[{ALPHABET}]{_BREAK}){{{LENGTH - 1}}}[{ALPHABET}]"
#: Capitals count only before an at sign: else the base64 of a signature would hold secret parts now and then.
_SECRET = rf"(?:(?<=\+)|(?<=%2[bB])|(?<==2B))(?:{_PART}(?![A-Za-z0-9])|(?i:{_PART})(?=(?:@|%40|=40)))"
_IN_TEXT = re.compile(_SECRET)
_IN_OCTETS = re.compile(_SECRET.encode())
#: As in the files of Outlook, in UTF-16.
_IN_UTF_16 = re.compile(
    rf"(?<=\+\0)(?=(?:(?:[a-z]\0)*[2-9]\0){{2}})(?:[{ALPHABET}]\0){{{LENGTH}}}(?![A-Za-z0-9]\0)".encode()
)
_WHOLE = re.compile(_PART)
#: Whatever stands before it: ``[+]`` and ``\x2b`` are plus signs too.
_IN_PATTERN = re.compile(rf"(?i)(?=(?:[a-z]*[2-9]){{2}})[{ALPHABET}]{{{LENGTH},}}")
_CHARACTER = re.compile(rb"[A-Za-z0-9]")


def secret_part() -> str:
    """Return a new secret part of an address."""
    while True:
        made = "".join(secrets.choice(ALPHABET) for _number in range(LENGTH))
        if _WHOLE.fullmatch(made):
            return made


def is_secret(address: str) -> bool:
    """Tell whether an address ends in a part that ``secret_part`` made; a label that a person chose proves nothing."""
    return _WHOLE.fullmatch(detail(address).lower().rpartition("+")[2]) is not None


def without_secret(address: str) -> str:
    """Return ``in@x`` for ``in+<secret>@x``; another address stays as it is."""
    local, _at, domain = address.rpartition("@")
    return f"{local.rpartition('+')[0]}@{domain}" if is_secret(address) else address


def masked(text: str) -> str:
    """Return a text with each secret part as an ellipsis: ``in+…@x``; the same object, such as a msgid, where there is none."""
    return _IN_TEXT.sub("…", text) if _IN_TEXT.search(text) else text


def masked_pattern(pattern: str) -> str:
    """Return a regular expression or expression without secret parts, however the plus sign before them is written."""
    return _IN_PATTERN.sub("…", pattern)


def masked_data(data: Any) -> Any:
    """Return plain data (dicts, lists, tuples) with each text in it masked; other values stay."""
    if isinstance(data, str):
        return masked(data)
    if isinstance(data, dict):
        return {key: masked_data(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(masked_data, data))
    return data


def masks(raw: bytes | mmap, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and replacement of each secret part in ``raw[start:end]``; a replacement is as long as what it replaces."""
    for pattern in (_IN_OCTETS, _IN_UTF_16):
        for match in pattern.finditer(raw, start, end):
            yield match.start(), _CHARACTER.sub(b"x", match[0])
