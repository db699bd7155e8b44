"""Tells an answer from a mail that was passed on by what a mail program put before its subject."""

from imio.mailbridge.message.classification.subject_prefix_forms import FORMS
from imio.mailbridge.message.parsing.server_changes import without_tags
from imio.mailbridge.message.syntax.form import alternatives
import re


_PREFIX = re.compile(
    rf"\s*(?:(?P<reply>{alternatives(FORMS, 'reply')})|{alternatives(FORMS, 'forward')})"
    r"\.?\s*(?:[\[(]\d+[\])])?\s*[:：]"
)


def is_answer(subject: str) -> bool:
    """Tell whether the outermost prefix of a subject is that of an answer (``RE:``), not of a forward or none."""
    found = _PREFIX.match(without_tags(subject))
    return found is not None and found["reply"] is not None
