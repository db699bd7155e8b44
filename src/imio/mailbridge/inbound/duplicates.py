"""Recognises a message that was filed before: sent to two addresses, forwarded by two agents, or redirected as well.

The same original has the same Message-ID and the same content (``message.digest``), however it came: another content under
a Message-ID that was seen is another message, and is filed.
"""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.parsing.digest import content_digest
from plone.app.uuid.utils import uuidToCatalogBrain
import hashlib


def key(original):
    """Return the key of an original message, or an empty string for a proposal read from text, which proves nothing."""
    source = original.source
    if original.message_id != source.message_id or original.author != source.author:
        return ""
    return hashlib.sha256(f"{original.message_id or ''} {content_digest(source)}".encode()).hexdigest()


def known_item(original_key):
    """Return the uid of the item that was made of this original, or an empty string; one that was deleted is not known."""
    uid = original_key and inbox().by_original.get(original_key, "")
    return uid if uid and uuidToCatalogBrain(uid) is not None else ""


def remember(original_key, uid):
    """Note which item was made of an original."""
    if original_key:
        inbox().by_original[original_key] = uid
