"""Decodes the text of messages, whatever charset they declare and whatever charset they really use."""

import codecs
import re


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")

#: What mail programs declare → what they mean (in WHATWG Encoding too, the ISO names mean their Windows supersets).
_MEANT = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "unicode-1-1-utf-7": "utf-7",
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
    "default": "utf-8",
    "utf8mb4": "utf-8",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "windows-31j": "cp932",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
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


def decode_text(content: bytes, charset: str | None = None) -> str:
    """Return ``content`` as text; never fails.

    Tries the declared ``charset``, then UTF-8, then Windows-1252, which undeclared 8-bit mail in Western Europe uses.
    """
    declared = _codec(charset) if charset else None
    for codec in dict.fromkeys((declared, "utf-8")):
        if codec:
            try:
                text = content.decode(codec)
                text.encode()  # UTF-7 can hold lone surrogates, which nothing else can write
                return text
            except (UnicodeError, LookupError, ValueError):
                continue
    if declared == "utf-8" and _mostly_utf8(content):
        return content.decode("utf-8", "replace")
    if declared not in (None, "utf-8", "cp1252") and _is_multibyte(declared):
        return content.decode(declared, "replace")
    return "".join(_windows(content))


def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").lower()
    if not _NAME.fullmatch(name):
        return None
    name = _MEANT.get(name, name)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if found in _NOT_FOR_MAIL or name in _NOT_FOR_MAIL else found


def _is_multibyte(codec: str | None) -> bool:
    return bool(codec) and str(codec).startswith(
        ("utf-16", "utf-32", "gb", "big5", "euc", "cp9", "iso2022", "shift")
    )


def _mostly_utf8(content: bytes) -> bool:
    text = content.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return wrong * 4 < sum(1 for character in text if character > "\x7f")


def _windows(content: bytes) -> list[str]:
    # cp1252 leaves five octets undefined; there they are read as C1 controls.
    try:
        return [content.decode("cp1252")]
    except UnicodeDecodeError:
        return [chr(octet) if octet in _UNDEFINED else _CP1252[octet] for octet in content]


_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")
_CP1252 = bytes(range(256)).decode("cp1252", "replace")
