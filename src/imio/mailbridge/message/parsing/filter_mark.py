"""Finds what mail filters on the way left in a message. Anyone can write such a mark: it is a reason to look, never proof."""

from collections.abc import Iterable
from imio.mailbridge.message.parsing.filter_forms import SENDER
from imio.mailbridge.message.parsing.filter_forms import UNWANTED
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
from imio.mailbridge.message.syntax.form import Form
from imio.mailbridge.message.syntax.header import decode
from imio.mailbridge.message.syntax.structure import Part
import re


#: A longer value is not a mark.
_MAX_VALUE = 2_000
_SUBJECT = re.compile(rf"\s*(?:[^\W\d_]{{1,5}}\s?:\s?)?(?:{any_of(UNWANTED, 'subject').pattern})")


def _fields(forms: Iterable[Form]) -> dict[str, re.Pattern[str]]:
    return {form.where: any_of(forms, form.where) for form in forms if form.where != "subject"}


_UNWANTED, _SENDER = _fields(UNWANTED), _fields(SENDER)


def unwanted_mark(header: Part) -> str | None:
    """Return the mark by which a filter calls a message unwanted, as the field that holds it, or None."""
    return _in_fields(header, _UNWANTED) or next(
        (
            f"Subject: {subject}"
            for subject in map(decode, header.values("subject")[:1])
            if _SUBJECT.match(fold(subject))
        ),
        None,
    )


def sender_mark(header: Part) -> str | None:
    """Return the field in which a server says that it could not confirm the sender, or None."""
    return _in_fields(header, _SENDER)


def _in_fields(header: Part, fields: dict[str, re.Pattern[str]]) -> str | None:
    if header.names.isdisjoint(fields):
        return None
    return next(
        (
            f"{name}: {value}"
            for name, pattern in fields.items()
            for value in map(decode, header.values(name))
            if len(value) <= _MAX_VALUE and pattern.fullmatch(fold(value))
        ),
        None,
    )
