"""Writes what follows from the server's replies: states, timeline, next try and sender of a message, and what was learned."""

from dataclasses import replace
from datetime import timedelta
from imio.mailbridge.delivery import account_alarm
from imio.mailbridge.delivery import hold
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.due import due_recipients
from imio.mailbridge.delivery.words import words_about
from imio.mailbridge.i18n import _
from imio.mailbridge.notify.notice import tell_agent
from imio.mailbridge.outbox import returned
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now


def settle(box, account, id, sender, replies):
    """Write to the Outbox what the server said of the message ``id``, sent as ``sender``: a dict of recipient → ``SmtpReply``.

    Returns whether the message is to be sent again at once, from another sender.
    """
    record = box.get(id)
    record.lease_until = None
    rows = _rows(replies)
    refused = [address for address, row in rows.items() if row.outcome is Outcome.SENDER_REFUSED]
    other, explanation = (
        _other_sender(account, record, sender, replies[refused[0]]) if refused else (None, "")
    )
    states = {}
    for address, reply in replies.items():
        row = rows[address]
        state = states[address] = _state(row.outcome, record, other is not None)
        _note(account, record, address, state, reply, row, explanation if state == "queued" else "")
        is_of_recipient = reply.stage == "rcpt" and row.outcome is Outcome.PERMANENT and not row.alarm
        if state == "failed" and is_of_recipient:
            returned.note(address, record.id)
    _learn(account, sender, rows, replies)
    if other is not None:
        record.sender, record.fallback = other
    if "deferred" in states.values():
        record.next_try = now() + backoff(record.tries)
    if "held" in states.values():
        hold.stop(account.name, next(replies[each] for each, state in states.items() if state == "held"))
    if "sent" in states.values():
        account_alarm.works(account.name)
    else:
        _note_trouble(account.name, rows, replies)
    box.update(record, states, unwritten="sent" in states.values() and bool(record.document))
    failed = {each: rows[each] for each, state in states.items() if state == "failed"}
    for address, row in failed.items():
        if row.alarm:
            account_alarm.refused(account.name, replies[address], row)
    if failed:
        tell_agent(record, "failed", by_admin=all(row.alarm for row in failed.values()))
    return "queued" in states.values()


def _rows(replies):
    """Return recipient → row of the answers. Where the server took the message for somebody, the account works."""
    rows = {address: answer_to(reply) for address, reply in replies.items()}
    if any(row.outcome is Outcome.SENT for row in rows.values()):
        refused = answer_named("refused")
        return {each: refused if row.outcome is Outcome.CONFIGURATION else row for each, row in rows.items()}
    return rows


def _note(account, record, address, state, reply, row, explanation=""):
    """Add a line to the timeline, unless it is the same that is there already of a message that is held."""
    about = [line for line in record.history if line["recipient"] == address]
    text = words_about(address, reply, record, account)
    known = about and (about[-1]["state"], about[-1]["code"] or 0, about[-1]["answer"])
    if state == "held" and known == (state, reply.code, row.name):
        return
    if not explanation:
        explanation = row.given_up if state == "failed" and row.given_up else row.explanation
    record.note(address, state, reply.code or None, text, explanation, row.name, row.follows(state))


def _note_trouble(name, rows, replies):
    """Note that nothing leaves, where the server put off what it would put off for everybody."""
    for address, row in rows.items():
        if row.outcome is Outcome.TEMPORARY and (row.everybody or replies[address].stage != "rcpt"):
            account_alarm.put_off(name, replies[address], row)
            return


def settle_unreached(account, ids, reply):
    """Let all that is due share the reply of the message that did not reach the server: nobody waits for each in turn."""
    box, row = outbox(), answer_to(reply)
    for record in filter(None, map(box.get, ids)):
        if addresses := due_recipients(record):
            record.tries += 1
            state = _state(row.outcome, record, False)
            record.next_try = now() + backoff(record.tries) if state == "deferred" else None
            for address in addresses:
                _note(account, record, address, state, reply, row)
            box.update(record, dict.fromkeys(addresses, state))
            if state == "failed":
                tell_agent(record, "failed")


def _state(outcome, record, has_other_sender):
    """Return the state of a recipient after an answer."""
    if outcome is Outcome.SENT:
        return "sent"
    if outcome is Outcome.SENDER_REFUSED and has_other_sender:
        return "queued"
    if outcome is Outcome.CONFIGURATION:
        return "held"
    if outcome is Outcome.TEMPORARY and now() < record.trying_since + timedelta(
        hours=settings().give_up_hours
    ):
        return "deferred"
    return "failed"


def backoff(tries):
    """Return the time between a try and the next one."""
    steps = settings().retry_minutes
    return timedelta(minutes=steps[min(max(tries, 1), len(steps)) - 1])


def _other_sender(account, record, sender, reply):
    """Return ((sender, fallback), explanation) of the next try after a refused sender, or (None, "") if there is none."""
    login = account.login_address
    if login and send_as.blames_envelope(reply, sender, account):
        fallback = record.fallback and replace(record.fallback, envelope_sender=login)
        return (replace(sender, envelope_sender=login), fallback), _(
            "The mail server does not accept the bridge's own address for error reports. The message goes out again with the "
            "login address for them, and the bridge remembers this."
        )
    if record.fallback is not None:
        return (record.fallback, None), _(
            "The mail server does not let iA.docs send as the agent. The message goes out again from the login address, "
            "and the bridge remembers this."
        )
    return None, ""


def _learn(account, sender, rows, replies):
    """Remember what the answers say of the sender."""
    outcomes = {row.outcome for row in rows.values()}
    if Outcome.SENDER_REFUSED in outcomes:
        refusal = next(
            reply for each, reply in replies.items() if rows[each].outcome is Outcome.SENDER_REFUSED
        )
        if send_as.blames_envelope(refusal, sender, account):
            send_as.learn(account.name, send_as.BOUNCE, False, str(refusal))
        elif sender.policy == "send_as":
            send_as.learn(account.name, sender.author.addr_spec, False, str(refusal))
    elif Outcome.SENT in outcomes:
        taken = next(str(reply) for each, reply in replies.items() if rows[each].outcome is Outcome.SENT)
        if send_as.has_own_envelope(sender, account):
            send_as.learn(account.name, send_as.BOUNCE, True, taken)
        if sender.policy == "send_as":
            send_as.learn(account.name, sender.author.addr_spec, True, taken)
