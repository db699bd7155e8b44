"""Translatable texts: English msgids in the domain of this package."""

from imio.mailbridge.former_words import FORMER
from zope.i18nmessageid import Message
from zope.i18nmessageid import MessageFactory


_ = MessageFactory("imio.mailbridge")


def translatable(text: str) -> str:
    """Return a stored msgid as a message that can be translated, in its present words; an empty one stays empty."""
    return _(FORMER.get(text, text)) if text else ""


def plural(number: int, one: Message, many: Message, /, **mapping: str) -> Message:
    """Return ``one`` where ``number`` is 1, else ``many``, with ``mapping`` and ``${count}`` filled in."""
    return Message(one if number == 1 else many, mapping={**mapping, "count": str(number)})
