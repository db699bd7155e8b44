"""Who may see and change an outgoing message? Managers of mail all, others what they sent."""

from AccessControl import Unauthorized
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.visibility import is_manager
from imio.mailbridge.outbound.visibility import is_own
from plone import api


def visible_record(id):
    """Return the record, or None when there is none that the current user may know of. Errors: ``Unauthorized`` (anonymous)."""
    if api.user.is_anonymous():
        raise Unauthorized("Log in to see sent messages.")
    record = outbox().get(id)
    if record is None or not (is_manager() or is_own(record)):
        return None
    return record
