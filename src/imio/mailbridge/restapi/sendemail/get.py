"""``GET <content>/@send-email``: the messages written from a document, the newest first."""

from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.restapi.outbox.serialize import message_with_timeline
from plone.restapi.services import Service
from plone.uuid.interfaces import IUUID


class SendEmailGet(Service):
    """For everyone who may send from the document."""

    def reply(self):
        """Return the messages with their timelines."""
        check_may_send(self.context)
        records = outbox().of_document(IUUID(self.context))
        return {
            "@id": f"{self.context.absolute_url()}/@send-email",
            "items": [message_with_timeline(record, self.request) for record in records],
        }
