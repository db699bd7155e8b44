"""``POST <site>/@outbox/<id>/retry``, ``/cancel`` and ``/send-now``."""

from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.actions import cancel
from imio.mailbridge.outbox.actions import retry
from imio.mailbridge.outbox.actions import send_now
from imio.mailbridge.restapi.outbox.access import visible_record
from imio.mailbridge.restapi.outbox.serialize import message_with_timeline
from imio.mailbridge.restapi.path_service import PathService
from imio.mailbridge.restapi.path_service import Refusal
from plone.protect.interfaces import IDisableCSRFProtection
from zope.interface import alsoProvides


ACTIONS = {"retry": retry, "cancel": cancel, "send-now": send_now}

NOT_KEPT = _("Mail from the site itself is not kept. To send it again, repeat in the site what caused it.")


class OutboxPost(PathService):
    """Managers act on all messages, others on those that they sent."""

    def answer(self):
        """Return the message as it is afterwards."""
        if len(self.params) != 2 or self.params[1] not in ACTIONS:
            raise Refusal(404, _("There is nothing at this address."))
        record = visible_record(self.params[0])
        if record is None:
            raise Refusal(404, _("There is no such message."))
        alsoProvides(self.request, IDisableCSRFProtection)
        if not ACTIONS[self.params[1]](record):
            if record.origin == "site" and record.body is None:
                raise Refusal(409, NOT_KEPT)
            raise Refusal(409, _("No recipient of this message is in a state that allows this."))
        return message_with_timeline(record, self.request)
