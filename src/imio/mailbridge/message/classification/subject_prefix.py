"""Tells an answer from a mail that was passed on by what a mail program put before its subject."""

from imio.mailbridge.message.classification.form import any_of
from imio.mailbridge.message.classification.form import fold
from imio.mailbridge.message.classification.subject_prefix_forms import FORMS
import re


_PREFIX = re.compile(
    rf"\s*(?:\[[^\[\]]{{1,40}}\]\s*)?(?:(?P<reply>{any_of(FORMS, 'reply').pattern})|{any_of(FORMS, 'forward').pattern})"
    r"\s*(?:[\[(]\d+[\])])?\s*[:：]"
)


def is_answer(subject: str) -> bool:
    """Tell whether the outermost prefix of a subject is that of an answer (``RE:``), not of a forward or none."""
    found = _PREFIX.match(fold(subject))
    return found is not None and found["reply"] is not None
