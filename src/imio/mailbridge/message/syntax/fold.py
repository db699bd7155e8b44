"""Folds text for comparison with the words of a table."""

from unicodedata import normalize


#: Combining accents of Latin, Greek, Cyrillic, Hebrew and Arabic, and invisible marks.
_MARKS: dict[int, str | None] = {ord("’"): "'"} | dict.fromkeys(
    code
    for first, last in (
        (0xAD, 0xAD),
        (0x300, 0x36F),
        (0x483, 0x487),
        (0x591, 0x5BD),
        (0x610, 0x61C),
        (0x64B, 0x65F),
        (0x670, 0x670),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x2069),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
    )
    for code in range(first, last + 1)
)


def fold(text: str) -> str:
    """Return ``text`` in lower case, without accents and invisible marks, with single blanks and straight apostrophes."""
    if not text.isascii():
        text = normalize("NFKD", text.casefold()).translate(_MARKS)
    return " ".join(text.lower().split())
