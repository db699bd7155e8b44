"""Decides who may see an incoming message: managers of mail all, agents those that they forwarded or handed in."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.ports.directory import IDirectory
from plone import api
from zExceptions import NotFound
from zope.component.hooks import getSite


def visible_record(request):
    """Return the record named by ``id`` in the address; errors: ``NotFound``, also where the user may not see it."""
    id = request.form.get("id")
    record = inbox().get(id) if isinstance(id, str) else None
    if record is None or not (is_manager() or _was_forwarded_by_user(record)):
        raise NotFound("id")
    return record


def _was_forwarded_by_user(record):
    if record.handed_in_by:
        return record.handed_in_by == api.user.get_current().getId()
    return bool(record.transferred_by) and record.transferred_by in own_addresses()


def own_addresses():
    """Return the addresses of the current user in lower case.

    These are those of their positions, and that of their account where the directory agrees: users who may edit their account
    could otherwise enter a colleague's address.
    """
    if api.user.is_anonymous():
        return ()
    user, directory = api.user.get_current(), IDirectory(getSite())
    found = [identity.address.addr_spec.lower() for identity in directory.identities(user.getId(), ())]
    email = (user.getProperty("email") or "").strip().lower()
    if email and directory.agent_userid(email) == user.getId():
        found.append(email)
    return tuple(dict.fromkeys(filter(is_addr_spec, found)))
