"""Folds text for comparison with the words of a table."""

import unicodedata


def fold(text: str) -> str:
    """Return ``text`` in lower case, without accents and invisible marks, with single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return " ".join(
        "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf")).split()
    )
