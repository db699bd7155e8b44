"""Decides who may see and change an outgoing message: managers of mail all, others those that they sent."""

from AccessControl import Unauthorized
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import is_own
from plone import api


def visible_record(id):
    """Return the record, or None where there is none that the current user may see; errors: ``Unauthorized`` (anonymous)."""
    if api.user.is_anonymous():
        raise Unauthorized("Log in to see sent messages.")
    record = outbox().get(id)
    if record is None or not (is_manager() or is_own(record)):
        return None
    return record
