"""Translatable texts: English msgids in the domain of this package."""

from zope.i18nmessageid import MessageFactory


_ = MessageFactory("imio.mailbridge")


def translatable(text: str) -> str:
    """Return a stored msgid as a message that can be translated; an empty one stays empty."""
    return _(text) if text else ""
