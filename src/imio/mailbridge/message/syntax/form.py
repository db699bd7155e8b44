"""Defines a row of the tables of wording that programs use, and how such rows are matched: in any case, with or without accents."""

from collections.abc import Iterable
from imio.mailbridge.message.syntax.fold import fold as fold_line
from typing import NamedTuple
import re


class Form(NamedTuple):
    """One wording. ``where`` is where it stands (a header field, or as its table says), ``pattern`` a regular expression.

    Patterns are folded like the texts: no ``\\S`` in them.

    ``example`` is a text that the pattern accepts, ``near_miss`` one that no row of the same place accepts; tests hold both.
    """

    name: str
    where: str
    pattern: str
    example: str
    near_miss: str


def fold(text: str) -> str:
    """Return each line of a text as ``fold.fold`` does."""
    return "\n".join(map(fold_line, text.split("\n"))) if "\n" in text else fold_line(text)


def alternatives(forms: Iterable[Form], where: str) -> str:
    """Return a regular expression that matches folded text where one of the rows of a place matches."""
    return "|".join(f"(?:{fold(form.pattern)})" for form in forms if form.where == where)


def any_of(forms: Iterable[Form], where: str) -> re.Pattern[str]:
    """Return ``alternatives``, compiled."""
    return re.compile(alternatives(forms, where))
