"""Vocabularies of fixed values."""

from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


def terms(**titles: str) -> SimpleVocabulary:
    """Return a vocabulary of value → title (a msgid)."""
    return SimpleVocabulary([SimpleTerm(value, value, title) for value, title in titles.items()])
