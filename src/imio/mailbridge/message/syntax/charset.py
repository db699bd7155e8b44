"""Decodes the text of messages, whatever charset they declare and whatever charset they really use."""

from functools import lru_cache
from typing import NamedTuple
import codecs
import re


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:+-]{0,39}")
#: Ways to write the names of charsets, and what Python calls them.
_SPELLINGS = (
    (re.compile(r"(?:unicode-1-1-)?utf[-_ ]?8"), "utf-8"),
    (re.compile(r"(?:iso[-_ ]?)?8859[-_ ]?(\d{1,2})"), "iso8859-{}"),
    (
        re.compile(r"(?:cp|ibm|windows|win|dos|oem|ccsid|code ?page)[-_ ]?0{0,3}([1-9]\d{2,4})(?!\d)"),
        "cp{}",
    ),
)
_OTHER_NAMES = {
    "unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "default": "utf-8",
    "ansi": "cp1252",
    "cp20127": "ascii",
    "cp28591": "cp1252",
    "cp28605": "iso8859-15",
    "cp10000": "mac-roman",
    "macintosh": "mac-roman",
    "windows-31j": "cp932",
}
#: What programs declare → what they mean (in WHATWG Encoding too, the ISO names mean their Windows supersets).
_MEANT = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
#: Python codecs that are not charsets of mail; some take quadratic time.
_NOT_FOR_MAIL = {
    "idna",
    "punycode",
    "undefined",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "mbcs",
    "oem",
}
_MAX_LINES = 20_000
#: Charsets whose octets below 128 are not always ASCII, so that no line can be read by itself.
_NOT_BY_LINE = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")
_EAST_ASIAN = ("gb", "big5", "euc", "cp932", "cp949", "cp950", "johab", "shift")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WESTERN = (None, "utf-8", "cp1252", "cp1254", "iso8859-15")
#: Octets that are UTF-8 even where another charset is declared. In Latin-1 a capital letter with an accent may stand before a
#: sign ("É»"), which is valid UTF-8 for one rare letter; in an East Asian charset any two octets may be.
_EVIDENT = re.compile(
    rb"[\xc2-\xc5\xc8][\x80-\xbf]|(?:[\xc2-\xdf][\x80-\xbf]){2}|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_EVIDENT_IN_ASIA = re.compile(
    rb"[A-Za-z][\xc2-\xdf][\x80-\xbf]|[\xc2-\xdf][\x80-\xbf][A-Za-z]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


class Decoded(NamedTuple):
    """``guessed`` tells that ``text`` was not read, or not all of it, in the charset that was declared."""

    text: str
    guessed: bool


def decode_text(content: bytes, charset: str | None = None) -> str:
    """Return ``content`` as text (see ``read_text``); never fails."""
    if charset is None and content.isascii():  # nearly all header fields
        return content.decode("ascii")
    return read_text(content, charset).text


def read_text(content: bytes, charset: str | None = None) -> Decoded:
    """Return ``content`` as text, and whether its charset was guessed; never fails.

    What is evidently UTF-8 is read as UTF-8, whatever is declared. Where no charset fits the whole, each line is read by itself: in
    UTF-8, the declared ``charset``, or Windows-1252, which undeclared 8-bit mail in Western Europe uses.
    """
    declared = _codec(charset) if charset else "utf-8"
    if declared is not None and declared.startswith(_NOT_BY_LINE) and _can_be(declared, content):
        text = _strict(content, declared)
        if text is None and not declared.startswith("utf-7"):
            return Decoded(content.decode(declared, "replace"), True)
        if text is not None:
            return Decoded(text, False)
    if content.isascii():
        return Decoded(content.decode("ascii"), False)
    if declared is not None and declared.startswith(_NOT_BY_LINE):
        declared = None
    in_utf8 = declared in (None, "utf-8")
    if (in_utf8 or _is_evident(content, declared)) and (text := _strict(content, "utf-8")) is not None:
        return Decoded(text, declared != "utf-8")
    if not in_utf8 and not _EVIDENT.search(content) and (text := _strict(content, declared)) is not None:
        return Decoded(text, False)
    lines = [_line(line, declared) for line in _lines(content)]
    return Decoded("".join(line.text for line in lines), any(line.guessed for line in lines))


def _lines(content: bytes) -> list[bytes]:
    """Return the lines of ``content``; of a text with more lines than anyone writes, several at once."""
    lines = content.splitlines(keepends=True)
    together = 1 + len(lines) // _MAX_LINES
    if together == 1:
        return lines
    return [b"".join(lines[first : first + together]) for first in range(0, len(lines), together)]


def _line(line: bytes, declared: str | None) -> Decoded:
    if line.isascii():
        return Decoded(line.decode("ascii"), False)
    if (declared in (None, "utf-8") or _is_evident(line, declared)) and (
        text := _strict(line, "utf-8")
    ) is not None:
        return Decoded(text, declared != "utf-8")
    if declared in _WESTERN and _EVIDENT.search(line):
        return Decoded(line.decode("utf-8", _LENIENT), True)
    if declared not in (None, "utf-8") and (text := _strict(line, declared)) is not None:
        return Decoded(text, False)
    if declared is not None and declared.startswith(_EAST_ASIAN):
        return Decoded(line.decode(declared, "replace"), True)
    return Decoded("".join(_CP1252[octet] for octet in line), True)


def _is_evident(content: bytes, declared: str | None) -> bool:
    in_asia = declared is not None and declared.startswith(_EAST_ASIAN)
    return (_EVIDENT_IN_ASIA if in_asia else _EVIDENT).search(content) is not None


def _can_be(codec: str, content: bytes) -> bool:
    return not codec.startswith(("utf-16", "utf-32")) or b"\0" in content or content[:2] in _BYTE_ORDER_MARKS


def _strict(content: bytes, codec: str | None) -> str | None:
    try:
        text = content.decode(codec or "utf-8")
        text.encode()  # UTF-7 can hold lone surrogates, which nothing else can write
    except (UnicodeError, LookupError, ValueError):
        return None
    return text


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    name = charset.strip("\"';, \t").lower().removeprefix("x-")
    if not _NAME.fullmatch(name):
        return None
    for spelling, meant in _SPELLINGS:
        if match := spelling.match(name):
            name = meant.format(*match.groups())
            break
    try:
        found = codecs.lookup(_OTHER_NAMES.get(name, name)).name
    except (LookupError, ValueError):
        return None
    if found in _NOT_FOR_MAIL or name in _NOT_FOR_MAIL:
        return None
    return _MEANT.get(found, found)


# cp1252 leaves five octets undefined; there they are read as C1 controls.
_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")
_CP1252 = tuple(
    chr(octet) if octet in _UNDEFINED else bytes([octet]).decode("cp1252") for octet in range(256)
)


def _one_wrong_octet(error: UnicodeError) -> tuple[str, int]:
    """Read a single wrong octet as Windows-1252, and what is left of a cut character as U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    alone = error.end - error.start == 1
    return _CP1252[error.object[error.start]] if alone else "\ufffd", error.end


_LENIENT = "mailbridge-lenient"
codecs.register_error(_LENIENT, _one_wrong_octet)
