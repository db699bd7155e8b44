"""``GET <site>/@outbox`` lists, ``/<id>`` gives one, ``/<id>/source`` its bytes as they left."""

from AccessControl import Unauthorized
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.query import BadQuery
from imio.mailbridge.outbox.query import find
from imio.mailbridge.outbox.query import read_query
from imio.mailbridge.outbox.source import source
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.restapi.listing import batch
from imio.mailbridge.restapi.outbox.access import visible_record
from imio.mailbridge.restapi.outbox.serialize import message_with_timeline
from imio.mailbridge.restapi.path_service import PathService
from imio.mailbridge.restapi.path_service import Refusal


class OutboxGet(PathService):
    """Managers see all messages, others those that they sent."""

    def render(self):
        """Stream the source without the JSON renderer."""
        if len(self.params) == 2 and self.params[1] == "source":
            record = visible_record(self.params[0])
            if record is not None and record.is_readable:
                return source(record, self.request.response)
        return super().render()

    def answer(self):
        """Return the list or the message."""
        if len(self.params) > 1:
            raise Refusal(404, _("There is nothing at this address."))
        if self.params:
            record = visible_record(self.params[0])
            if record is None:
                raise Refusal(404, _("There is no such message."))
            return message_with_timeline(record, self.request)
        if not is_manager():
            raise Unauthorized("Only managers of mail see the list of all messages.")
        try:
            found = find(read_query(self.request.form))
        except BadQuery as bad:
            message = _("The filter ${name} cannot be understood.", mapping={"name": bad.field})
            raise Refusal(400, message) from bad
        return batch(self.request, found, lambda record: message_with_timeline(record, self.request))
