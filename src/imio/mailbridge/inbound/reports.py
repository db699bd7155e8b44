"""Notes reports, reactions and replies on the outgoing message that they are about, and tells its agent.

Only what nobody can guess leads to a message: its Message-ID, its ENVID, or the signed address that its error reports go to. But
each of its recipients knows these: see ``_is_credible``.
"""

from imio.mailbridge.delivery.returned import read_failure
from imio.mailbridge.i18n import _
from imio.mailbridge.message.classification.bounce import is_mail_system
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.notify.notice import tell_agent
from imio.mailbridge.outbox import returned
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import TAKEN


FAILED = ("failed",)

#: Characters of a report's own words that are kept: anybody may have written them.
LONGEST_WORDS = 300

#: Other reports of mail servers (RFC 3464 §2.3.3); none of them changes a state.
ON_THE_WAY = {
    "delayed": _("A mail server on the way still tries to deliver the message. Nothing to do."),
    "delivered": _("The message arrived in the recipient's mailbox."),
    "relayed": _("The message was passed on to a mail server that sends no further reports."),
    "expanded": _("The message was passed on to the members of a list."),
}
#: What else a report says, by its kind; none changes a state.
SAID = {
    ReportKind.AUTO_REPLY: _("The recipient's mailbox answered automatically."),
    ReportKind.RECEIPT: _("The recipient's mail program sent a receipt."),
    ReportKind.COMPLAINT: _(
        "The recipient's mail provider reports that the message was marked as unwanted. "
        "Ask before you write to this address again."
    ),
    ReportKind.REACTION: _("The recipient reacted to the message with an emoji, and wrote nothing."),
}
PASSED_ON = _("Somebody who is not a recipient passed the message on to us; this was filed.")
BY_OTHER = _(
    "Somebody whose address is not that of any recipient wrote to the reply address of this message; this was filed. No "
    "recipient counts as having answered."
)
COPIED = _("A copy of the answer goes to the agent.")
UNPROVEN = _(
    "A report says that this recipient did not get the message. It is not proven, so nothing was changed."
)
REPORTED = _("A mail server on the way reported about the delivery.")


def note_report(report, about="", senders=()):
    """Note a report on the message that it concerns; return the message's id.

    ``about`` is the id of the message whose signed address the report came to. One of the three leads to a message of ours.
    ``senders`` are the addresses in the report's From, and last its envelope sender, empty where that is null or unknown.
    """
    message = _message(report, about)
    if report.kind is ReportKind.BOUNCE:
        _bounce(message, report, senders)
    else:
        addresses = [each.address for each in report.recipients]
        is_reaction = report.kind is ReportKind.REACTION
        for address in (_named if is_reaction else _concerned)(message, addresses) or [None]:
            state = message.recipients[address] if address else message.state
            message.note(address, state, text=report.words, explanation=SAID[report.kind])
    return message.id


def who_answered(message, original):
    """Return the recipients of ``message`` who answered it by ``original``; None where somebody else only passed it on.

    An answer (``is_answer``) from an unknown address is that of the only recipient, of several it is nobody's.
    """
    author = original.source.author.addr_spec if original.source.author else ""
    if named := _named(message, [author]):
        return named
    return _only(message) if original.is_answer else None


def note_reply(message, original, items, copied=False, is_proven=True):
    """Note that ``original``, which was filed as ``items`` (uids), answers our ``message`` or passes it on; return its id.

    ``copied``: the agent gets it itself, so that no notice is needed. ``is_proven`` is False where another may have answered in the
    name of an agent.
    """
    box, author = outbox(), str(original.author or "")
    addresses = who_answered(message, original)
    if addresses is None:
        how = BY_OTHER if original.at_reply_address else PASSED_ON
        message.note(None, message.state, text=one_line(author), explanation=how, items=items)
    for address in () if addresses is None else addresses or [None]:
        message.note(address, "replied", explanation=_("An answer came in and was filed."), items=items)
    returned.forget(addresses or ())
    box.update(message, {address: "replied" for address in addresses or () if _was_taken(message, address)})
    if copied and not was_copied(message, items[0]):
        message.note(None, message.state, explanation=COPIED, items=items)
    if copied:
        return message.id
    by_other = "by-other" if original.at_reply_address else "passed-on"
    tell_agent(message, by_other if addresses is None else "replied", author, items, is_proven)
    return message.id


def was_copied(message, item):
    """Tell whether the agent of ``message`` got a copy of the answer that was filed as ``item``: it may come by two ways."""
    return any(line["explanation"] == COPIED and item in line["items"] for line in message.history)


def _bounce(message, report, senders):
    bounced = False
    for each in report.recipients:
        code, text, row = read_failure(each.status or "", each.diagnostic or "")
        for address in _failing(message, each):
            says_failed = each.action in FAILED and _was_taken(message, address)
            failed = says_failed and _is_credible(message, address, senders)
            other = UNPROVEN if says_failed else ON_THE_WAY.get(each.action, REPORTED)
            message.note(
                address,
                "bounced" if failed else message.recipients[address],
                code=code,
                text=one_line(text)[:LONGEST_WORDS],
                explanation=row.explanation if failed else other,
                answer=row.name if failed else "",
                follows=row.follows("bounced") if failed else "",
            )
            if failed:
                bounced = True
                outbox().update(message, {address: "bounced"}, unwritten=True)
                returned.note(address, message.id)
    if not any(_failing(message, each) for each in report.recipients):
        named = ", ".join(each.address for each in report.recipients if each.address)
        message.note(None, message.state, text=one_line(named)[:LONGEST_WORDS], explanation=REPORTED)
    if bounced:
        tell_agent(message, "bounced")


def _message(report, about):
    box = outbox()
    id = box.by_message_id.get(report.message_id) if report.message_id else None
    return box.get(id or (report.envelope_id if report.envelope_id in box else about))


def _is_credible(message, address, senders):
    """Tell whether a report may say of one recipient that the message came back.

    Of several recipients, each could forge a report on another. Servers send theirs with the null sender, which a mailbox that is
    read may not show, or one of their own: a report is not believed that comes from another recipient, or from any other person.
    """
    if len(message.recipients) == 1 or not senders:
        return True
    envelope_sender = senders[-1].lower()
    by_server = not envelope_sender or is_mail_system(envelope_sender) or envelope_sender == address.lower()
    return by_server and set(_named(message, senders)) <= {address}


def _was_taken(message, address):
    """Tell whether a server took the message for this recipient; a mail from outside never ends what still waits to be sent."""
    return message.recipients[address] in TAKEN


def _failing(message, reported):
    """Return the recipients that a delivery report is about: the one that it names exactly.

    Otherwise the only recipient when the report names none, or another address of its domain: an alias that led to another name.
    """
    named = [address for address in (reported.address, reported.final_address) if address]
    # one report is about one recipient: the address that it came to marks no second one
    for address in named:
        if exactly := _named(message, [address]):
            return exactly
    domains = {address.rpartition("@")[2] for address in named}
    return [
        address
        for address in _concerned(message, named)
        if not named or address.lower().rpartition("@")[2] in domains
    ]


def _concerned(message, addresses):
    """Return the recipients of the message with these addresses; its only recipient when none fits."""
    return _named(message, addresses) or _only(message)


def _only(message):
    """Return the only recipient of the message, or none."""
    return list(message.recipients) if len(message.recipients) == 1 else []


def _named(message, addresses):
    """Return the recipients of the message that are among ``addresses``."""
    named = {address.lower() for address in addresses if address}
    return [address for address in message.recipients if address.lower() in named]
