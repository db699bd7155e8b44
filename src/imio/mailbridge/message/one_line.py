"""Can this text stand in a header? Control characters never; the spaces and marks that people paste, yes."""

import unicodedata


def has_control(text: str) -> bool:
    """Tell whether ``text`` holds a control character: line ends, NUL and the like (Unicode category Cc)."""
    return any(unicodedata.category(char) == "Cc" for char in text)


def one_line(text: str) -> str:
    """Return ``text`` with every line or paragraph separator and control character as a space, and no space at its ends."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text).strip()


def plain_spaces(text: str) -> str:
    """Return ``text`` as one line with single spaces, without invisible marks: what is pasted from a web page, as it was meant."""
    return " ".join("".join(char for char in one_line(text) if unicodedata.category(char) != "Cf").split())


def readable(answer: object) -> str:
    """Return a server's answer (bytes), or an exception, as one printable line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
