"""``GET <site>/@outbox[?state=…]`` lists, ``GET <site>/@outbox/<id>`` gives one."""

from AccessControl import Unauthorized
from imio.mailbridge.i18n import _
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.visibility import is_manager
from imio.mailbridge.restapi.listing import batch
from imio.mailbridge.restapi.outbox.access import visible_record
from imio.mailbridge.restapi.outbox.serialize import message_with_timeline
from imio.mailbridge.restapi.path import PathService


class OutboxGet(PathService):
    """Managers see all, others a message they sent."""

    def reply(self):
        """Return the list or the message."""
        if len(self.params) > 1:
            return self.answer(404, _("There is nothing at this address."))
        if self.params:
            record = visible_record(self.params[0])
            if record is None:
                return self.answer(404, _("There is no such message."))
            return message_with_timeline(record, self.request)
        if not is_manager():
            raise Unauthorized("Only managers of mail see the list of all messages.")
        state = self.request.form.get("state")
        keys = outbox().newest_ids(*([state] if state else []))
        return batch(self.request, outbox(), keys, lambda record: message_with_timeline(record, self.request))
