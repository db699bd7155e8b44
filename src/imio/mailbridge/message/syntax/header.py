"""Unfolds and decodes the values of header fields, without any character that could hide a line end."""

from binascii import a2b_qp
from imio.mailbridge.message.syntax.charset import decode_text
from imio.mailbridge.message.syntax.transfer_encoding import decode_base64
import re


ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")

_FOLD = re.compile(r"\r*\n(?=[ \t])")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]+")


def clean(text: str) -> str:
    """Return ``text`` as one line: control characters become spaces, marks that change the reading direction are removed."""
    return _CONTROLS.sub(" ", _INVISIBLE.sub("", text)).strip()


def unfold(value: bytes) -> str:
    """Return the field value as one line of text, with its encoded-words still encoded.

    Raw 8-bit values are read as UTF-8 (RFC 6532), failing that as Windows-1252.
    """
    return clean(_FOLD.sub("", decode_text(value)))


def decode_words(text: str) -> str:
    """Return ``text`` with its encoded-words decoded (RFC 2047).

    Neighbours in the same charset are joined first: many programs split them in the middle of a character.
    """
    if "=?" not in text:
        return text
    result: list[str] = []
    run: list[tuple[str, str]] = []
    charset, position = "", 0
    for match in ENCODED_WORD.finditer(text):
        between = text[position : match.start()]
        this_charset = match[1].partition("*")[0].lower()
        if run and (between.strip() or this_charset != charset):
            result.append(decode_text(_octets(run), charset))
            run = []
            between = between if between.strip() else ""
        if not run:
            result.append(between)
        charset = this_charset
        run.append((match[2].lower(), match[3]))
        position = match.end()
    result += [decode_text(_octets(run), charset), text[position:]]
    return clean("".join(result))


def decode(value: bytes) -> str:
    """Return the field value as a person reads it."""
    return decode_words(unfold(value))


def _octets(run: list[tuple[str, str]]) -> bytes:
    octets, base64 = b"", b""
    for encoding, payload in run:
        content = payload.encode("utf-8", "replace")
        if encoding == "b":
            base64 += content
            if len(base64) % 4 and not base64.endswith(b"="):
                continue  # split inside a group of four
            octets += decode_base64(base64)
        else:
            octets += decode_base64(base64) + a2b_qp(content, header=True)
        base64 = b""
    return octets + decode_base64(base64)
