"""Translatable texts: English msgids in the domain of this package."""

from imio.mailbridge.former_words import FORMER
from zope.i18nmessageid import Message
from zope.i18nmessageid import MessageFactory


_ = MessageFactory("imio.mailbridge")


def translatable(text: str) -> str:
    """Return a stored msgid as a message that can be translated, in its present words; an empty one stays empty."""
    return _(FORMER.get(text, text)) if text else ""


def plural(number: int, one: Message, many: Message, **mapping: str) -> Message:
    """Return ``one`` for 1, else ``many`` with ``${count}`` filled in; both may hold more of ``mapping``."""
    words = one if number == 1 else many
    return Message(words, mapping={**mapping, "count": str(number)})
