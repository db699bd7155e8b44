"""Decides what a user sees of a message: Bcc only its sender and managers of mail, content those who may view it."""

from AccessControl import getSecurityManager
from collections.abc import Iterable
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.outbox.states import message_state
from plone import api
from Products.CMFCore.permissions import View
from typing import Any


MANAGE = "imio.mailbridge: Manage mail"


def is_manager() -> bool:
    """Tell whether the current user manages mail."""
    return bool(api.user.has_permission(MANAGE, obj=api.portal.get()))


def is_own(record: OutgoingMessage) -> bool:
    """Tell whether the current user sent the message."""
    # not plone.api's user, which is looked up in all user folders: a list asks this for each message
    return bool(record.userid) and record.userid == getSecurityManager().getUser().getId()


def sees_all(record: OutgoingMessage) -> bool:
    """Tell whether the current user sees blind copies and the words of servers, which may name where mail was passed on to."""
    return is_own(record) or is_manager()


def may_read(record: OutgoingMessage) -> bool:
    """Tell whether the current user may read the message: the sender, managers of mail, and those who may view its document."""
    return is_own(record) or is_manager() or is_of_visible_document(record)


def is_of_visible_document(record: OutgoingMessage) -> bool:
    """Tell whether an agent wrote the message from a document that the current user may view."""
    return record.origin == "agent" and bool(visible_content([record.document]))


def visible_recipients(record: OutgoingMessage) -> dict[str, str]:
    """Return address → state, without bcc for users who may not see it."""
    return dict(record.recipients) if sees_all(record) else record.open_recipients


def visible_state(record: OutgoingMessage) -> str:
    """Return the state of the message for the current user: that of the recipients whom the user may see."""
    return message_state(visible_recipients(record).values())


def visible_lines(record: OutgoingMessage) -> list[dict[str, Any]]:
    """Return the lines of the timeline that the current user may see, without the words of servers where they are not for the user.

    What is said of no recipient may concern a blind copy: others see of it only that the message began to wait.
    """
    if sees_all(record):
        return list(record.history)
    shown = record.open_recipients
    return [
        {**line, "text": ""}
        for line in record.history
        if line["recipient"] in shown
        or line["recipient"] is None
        and (not record.bcc or line["state"] in ("scheduled", "queued") and not line["text"])
    ]


def visible_content(uids: Iterable[str]) -> list[Any]:
    """Return the catalog brains of the content that the current user may view, in the order of ``uids``."""
    found = api.portal.get_tool("portal_catalog").unrestrictedSearchResults(UID=list(uids)) if uids else ()
    may = getSecurityManager().checkPermission
    brains = {brain.UID: brain for brain in found if may(View, brain._unrestrictedGetObject())}
    return [brains[uid] for uid in uids if uid in brains]
