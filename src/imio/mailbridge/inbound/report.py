"""What does a message that came in say about one that left? Noted on its timeline; only our own Message-ID leads there."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.report import ReportKind
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.states import TAKEN


FAILED = ("failed",)


def record(report):
    """Note a report whose Message-ID is ours on the message; return the message's id."""
    message = _message(report.message_id)
    if report.kind is ReportKind.BOUNCE:
        _bounce(message, report)
    else:
        explanation = {
            ReportKind.AUTO_REPLY: _("The recipient's mailbox answered by itself."),
            ReportKind.RECEIPT: _("The recipient's mail program sent a receipt."),
        }[report.kind]
        for address in _concerned(message, [each.address for each in report.recipients]) or [None]:
            state = message.recipients[address] if address else message.state
            message.note(address, state, explanation=explanation)
    return message.id


def replied(message_id, author):
    """Note that ``author`` answered the message; return its id."""
    message = _message(message_id)
    addresses = _concerned(message, [author.addr_spec] if author else [])
    for address in addresses or [None]:
        message.note(address, "replied", explanation=_("An answer came in and was filed."))
    outbox().update(message, {address: "replied" for address in addresses if _was_taken(message, address)})
    return message.id


def _bounce(message, report):
    for each in report.recipients:
        for address in _concerned(message, [each.address, each.final_address]):
            failed = each.action in FAILED and _was_taken(message, address)
            message.note(
                address,
                "bounced" if failed else message.recipients[address],
                text=" ".join(filter(None, (each.status, each.diagnostic)))[:500],
                explanation=_("The message came back: it could not be delivered to this address.")
                if failed
                else _("A mail server on the way reported about the delivery."),
            )
            if failed:
                outbox().update(message, {address: "bounced"})
    if not report.recipients:
        message.note(
            None, message.state, explanation=_("A mail server on the way reported about the delivery.")
        )


def _message(message_id):
    box = outbox()
    return box.get(box.by_message_id[message_id])


def _was_taken(message, address):
    """Tell whether a server took the message for this recipient; a mail from outside never ends what still waits to be sent."""
    return message.recipients[address] in TAKEN


def _concerned(message, addresses):
    """Return the recipients of the message that are meant; the only one there is when no address fits."""
    wanted = {address.lower() for address in addresses if address}
    found = [address for address in message.recipients if address.lower() in wanted]
    return found or (list(message.recipients) if len(message.recipients) == 1 else [])
