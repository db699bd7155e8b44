"""Turns text into one line that can stand in a header or a log."""

import unicodedata


def has_control(text: str) -> bool:
    """Tell whether ``text`` holds a control character such as a line end or NUL (Unicode category Cc), or a lone surrogate (Cs)."""
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def one_line(text: str) -> str:
    """Return ``text`` stripped, with a space for each line or paragraph separator, control character and lone surrogate."""
    return "".join(
        " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in text
    ).strip()


def is_encodable(text: str) -> bool:
    """Tell whether ``text`` holds no lone surrogate, so that it can be written anywhere."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def plain_spaces(text: str) -> str:
    """Return ``text`` as one line with single spaces and without the invisible marks that come with text pasted from web pages."""
    return " ".join("".join(char for char in one_line(text) if unicodedata.category(char) != "Cf").split())


def readable(answer: object) -> str:
    """Return a server's answer (bytes) or an exception as one printable line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
