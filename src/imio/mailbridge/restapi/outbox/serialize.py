"""How does an outgoing message look in JSON?"""

from imio.mailbridge.i18n import translatable
from imio.mailbridge.outbound.visibility import visible_recipients
from plone import api
from zope.i18n import translate


def sender_fields(sender):
    """Return From, Reply-To and envelope sender."""
    return {
        "from": str(sender.author),
        "reply_to": str(sender.reply_to) if sender.reply_to else None,
        "envelope_sender": sender.envelope_sender,
    }


def draft_json(draft):
    """Return what ``dry_run`` answers."""
    addresses = dict.fromkeys(address.addr_spec for address in (*draft.to, *draft.cc, *draft.bcc))
    return {
        "@id": None,
        "id": None,
        "message_id": None,
        **sender_fields(draft.sender),
        "size": draft.size,
        "recipients": [{"address": address, "state": None} for address in addresses],
    }


def message_json(record):
    """Return a message without its timeline."""
    return {
        "@id": f"{api.portal.get().absolute_url()}/@outbox/{record.id}",
        "id": record.id,
        "message_id": record.message_id,
        **sender_fields(record.sender),
        "size": record.size,
        "recipients": [
            {"address": address, "state": state} for address, state in visible_recipients(record).items()
        ],
    }


def message_with_timeline(record, request):
    """Return a message with its state and timeline."""
    visible = visible_recipients(record)
    return {
        **message_json(record),
        "state": record.state,
        "subject": record.subject,
        "created": record.created.isoformat(),
        "timeline": [
            {
                "at": line["at"].isoformat(),
                "recipient": line["recipient"],
                "state": line["state"],
                "code": line["code"],
                "text": line["text"],
                "explanation": translate(translatable(line["explanation"]), context=request),
            }
            for line in record.history
            if line["recipient"] is None or line["recipient"] in visible
        ],
    }
