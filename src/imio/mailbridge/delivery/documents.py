"""Writes on documents how far their e-mails were sent and what came back, after the fact: the mail is out in any case."""

from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import TAKEN
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.commit import committed
from imio.mailbridge.taskqueue.system_user import system_user
from plone.app.uuid.utils import uuidToObject
from zope.component import queryAdapter
import logging
import transaction


logger = logging.getLogger(__name__)


def write_documents(ids):
    """Write on the documents of messages how many recipients they were sent to; close those whose mail is sent to all."""
    for id in ids:
        transaction.begin()
        if (record := outbox().get(id)) is None or not record.unwritten:
            continue
        try:
            committed(lambda id=id: _write(id))
        except Exception:  # noqa: BLE001 - the mail is out; that the document cannot be written must not hide it
            transaction.abort()
            logger.exception(
                "message %s is sent, but its document could not be updated; the sweep tries again", id
            )


def _write(id):
    box = outbox()
    record = box.get(id)
    if record is None or not record.unwritten:
        return
    box.is_written(record)
    document = uuidToObject(record.document, unrestricted=True)
    sending = queryAdapter(document, ISendingContext)
    if sending is None:
        return
    shown = record.open_recipients  # readers of the document may not learn of blind copies
    taken = sum(state in TAKEN for state in shown.values())
    with system_user(record.userid):
        if taken:
            lines = (line for line in record.history if line["recipient"] in shown)
            sent_at = max(line["at"] for line in lines if line["state"] == "sent")
            sending.write_status(taken, len(shown), sent_at)
            if transition := settings().reply_transition:
                sending.answered(transition)
        if bounced := sum(state == "bounced" for state in shown.values()):
            sending.write_returned(bounced)
        elif settings().close_on_send and TAKEN.issuperset(record.recipients.values()):
            sending.close()
