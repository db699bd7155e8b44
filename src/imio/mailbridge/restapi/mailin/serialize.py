"""The JSON of an incoming message."""

from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.message.secret_address import masked_data
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
from zope.i18n import translate


def items_json(uids):
    """Return the items made of a message, also for a pipe, which may not view them; deleted ones are left out."""
    return content_json(filter(None, map(uuidToCatalogBrain, uids)))


def content_json(brains):
    """Return the summaries of content."""
    return [{"@id": brain.getURL(), "@type": brain.portal_type, "title": brain.Title} for brain in brains]


def record_url(record):
    """Return the address of a record in the REST API."""
    return f"{api.portal.get().absolute_url()}/@mail-in/{record.id}"


def delivery_json(record, items):
    """Return what a pipe may know."""
    return {
        "@id": record_url(record),
        "id": record.id,
        "sha256": record.sha256,
        "state": record.state,
        "transfer": record.transfer or None,
        "reason": record.reason or None,
        "items": items,
    }


def left_json(left):
    """Return the answer for a message that stays in the mailbox that it was read from."""
    return {
        "@id": record_url(left),
        "id": left.id,
        "sha256": left.sha256,
        "state": "left",
        "transfer": None,
        "reason": None,
        "items": [],
    }


def record_json(record, request):
    """Return what a manager of mail may know: no secret part of an address."""
    sentence, remedy = reason_texts(record.reason, record.evidence)
    return masked_data(
        {
            **delivery_json(record, items_json(record.items)),
            "received": record.created.isoformat(),
            "size": record.size,
            "envelope_sender": record.envelope_sender,
            "envelope_recipient": record.envelope_recipient,
            "client_address": record.client_address,
            "from": record.author,
            "subject": record.subject,
            "transferred_by": record.transferred_by or None,
            "source_mailbox": record.source_mailbox or None,
            "explanation": translate(translatable(sentence), context=request),
            "remedy": translate(translatable(remedy), context=request),
            "error": record.error,
            "evidence": [
                dict(zip(("detector", "saw", "strength"), seen, strict=True)) for seen in record.evidence
            ],
            "proof": record.proof,
            "verdicts": list(record.verdicts),
            "history": [{**line, "at": line["at"].isoformat()} for line in record.history],
        }
    )
