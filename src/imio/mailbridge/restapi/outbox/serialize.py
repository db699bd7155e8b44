"""The JSON of an outgoing message."""

from imio.mailbridge.outbox.explained import explained
from imio.mailbridge.outbox.visibility import visible_content
from imio.mailbridge.outbox.visibility import visible_lines
from imio.mailbridge.outbox.visibility import visible_recipients
from imio.mailbridge.outbox.visibility import visible_state
from imio.mailbridge.restapi.mailin.serialize import content_json
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
    """Return the answer to ``dry_run``."""
    addresses = dict.fromkeys(address.addr_spec for address in (*draft.to, *draft.cc, *draft.bcc))
    return {
        "@id": None,
        "id": None,
        "message_id": None,
        **sender_fields(draft.sender),
        "account": draft.account,
        "scheduled_for": draft.send_at and draft.send_at.isoformat(),
        "next_try": None,
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
        "account": record.account,
        "scheduled_for": _next_try(record, "scheduled"),
        "next_try": _next_try(record, "deferred"),
        "size": record.size,
        "recipients": [
            {"address": address, "state": state} for address, state in visible_recipients(record).items()
        ],
    }


def message_with_timeline(record, request):
    """Return a message with its state and timeline."""
    return {
        **message_json(record),
        "state": visible_state(record),
        "subject": record.subject,
        "created": record.created.isoformat(),
        "timeline": [
            {
                "at": line["at"].isoformat(),
                "recipient": line["recipient"],
                "state": line["state"],
                "code": line["code"],
                "text": line["text"],
                "explanation": translate(explained(line), context=request),
                "answer": line["answer"],
                "by": line["by"],
                "items": content_json(visible_content(line["items"])),
            }
            for line in visible_lines(record)
        ],
    }


def _next_try(record, state):
    """Return when the recipients in ``state`` whom the user may see are tried, in ISO 8601, or None."""
    waits = state in visible_recipients(record).values()
    return record.next_try.isoformat() if record.next_try and waits else None
