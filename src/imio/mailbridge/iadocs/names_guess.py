"""Guesses which part of a display name is the last name, for a form in which a person corrects it."""

_PARTICLES = frozenset(
    {"de", "du", "des", "d'", "le", "la", "van", "von", "der", "den", "ten", "ter", "el", "al", "ben", "di"}
)


def guess_name(display_name):
    """Return (last name, first name) of ``Jeanne Dupont``, ``DUPONT Jeanne``, ``Dupont, Jeanne`` or ``Jan van den Berg``."""
    text = " ".join(display_name.replace('"', " ").split())
    last, comma, first = text.partition(",")
    if comma:
        return last.strip(), first.strip()
    words = text.split()
    if len(words) < 2:
        return text, ""
    capitals = [word for word in words if len(word) > 1 and word.isupper()]
    if capitals and len(capitals) < len(words):
        return " ".join(capitals), " ".join(word for word in words if word not in capitals)
    start = next(
        (number for number, word in enumerate(words[1:], 1) if word.lower() in _PARTICLES), len(words) - 1
    )
    return " ".join(words[start:]), " ".join(words[:start])
