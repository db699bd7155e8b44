"""Recognises a message that was filed before: sent to two addresses, forwarded by two agents, or redirected as well.

The same original has the same Message-ID, author and date, and the same content (``message/parsing/sameness``), however it came.
Another content under a Message-ID that was seen is another message: it is filed, and each of the items names the others.
"""

from dataclasses import dataclass
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.parsing.sameness import Content
from imio.mailbridge.message.parsing.sameness import content_of
from imio.mailbridge.message.parsing.sameness import is_same
from imio.mailbridge.message.parsing.sameness import name_of
from plone.app.uuid.utils import uuidToCatalogBrain


#: Items of one name that are compared: anybody can send any number under one Message-ID.
MAX_COMPARED = 20


@dataclass(frozen=True)
class Known:
    """What was filed before under the name of a message: ``item`` is the uid of the same, ``others`` those of different content."""

    item: str = ""
    others: tuple[str, ...] = ()


def identity(original):
    """Return the name and the content of an original; None for one that was read from text, which proves nothing."""
    if original.from_text:
        return None
    content = content_of(original.source)
    # without Message-ID nothing but its content names a message
    message_id = original.message_id or f"{content.fixed} {content.forms}"
    return name_of(message_id, original.author, original.date), content


def known(found):
    """Return what is known of an ``identity``; items that were deleted are not. For a user who sees all items."""
    entries = _entries(found[0]) if found else ()
    same = next((uid for uid, *content in entries if is_same(Content(*content), found[1])), "")
    return Known(same, tuple(uid for uid, *_content in entries if uid != same))


def remember(found, uid):
    """Note which item was made of the original with an ``identity``."""
    if found is None:
        return
    name, content = found
    entries = _entries(name)
    if len(entries) < MAX_COMPARED:
        inbox().by_original[name] = (*entries, (uid, *content))
    inbox().name_of[uid] = name


def others(uid):
    """Return the uids of the items with the Message-ID, author and date of an item, but another content."""
    box = inbox()
    return tuple(each for each, *_content in box.by_original.get(box.name_of.get(uid, ""), ()) if each != uid)


def _entries(name):
    return tuple(
        each for each in inbox().by_original.get(name, ()) if uuidToCatalogBrain(each[0]) is not None
    )
