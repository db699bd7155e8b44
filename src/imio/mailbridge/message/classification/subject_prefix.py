"""Tells an answer from a mail that was passed on by what a mail program put before its subject."""

from imio.mailbridge.message.classification.subject_prefix_forms import FORMS
from imio.mailbridge.message.parsing.server_changes import without_tags
from imio.mailbridge.message.syntax.form import alternatives
import re


_PREFIX = re.compile(
    rf"\s*(?:(?P<reply>{alternatives(FORMS, 'reply')})|{alternatives(FORMS, 'forward')})"
    r"\.?\s*(?:[\[(]\d+[\])])?\s*[:：]"
)
_COLON = re.compile("[:：]")
#: Prefixes that are taken off one subject, and characters in which the colon of one is looked for.
_MAX_PREFIXES, _MAX_LENGTH = 20, 200


def is_answer(subject: str) -> bool:
    """Tell whether the outermost prefix of a subject is that of an answer (``RE:``), not of a forward or none."""
    found = _PREFIX.match(without_tags(subject))
    return found is not None and found["reply"] is not None


def without_prefixes(subject: str) -> str:
    """Return a subject without the prefixes of answers and forwards before it, and the tags of servers before those."""
    left = subject.strip()
    for _time in range(_MAX_PREFIXES):
        colon = _COLON.search(left[:_MAX_LENGTH])
        if colon is None or not _PREFIX.fullmatch(without_tags(left[: colon.end()])):
            break
        left = left[colon.end() :].strip()
    return left
