"""How does a stored message reach the server, once and truthfully told?

::

    claim 1 ── commit ──▶ MAIL, RCPT, DATA ──▶ 250 ──▶ settle 1, claim 2 ── commit ──▶ MAIL …  ──▶ documents ── commit
            ✝1          ✝2                     ✝3                        ✝4                     ✝5
    ✝1 the message is still queued: the sweep finds it
    ✝2 it is ``sending`` until its lease ends, then the sweep queues it again; the server took nothing
    ✝3 the server took it and we do not know: it goes out again after the lease, with the same Message-ID. The only repeat there is.
    ✝4 the first message is ``sent``, the second as ✝2
    ✝5 both are ``sent``; their documents are in ``unwritten`` until the sweep has written them

One commit a message: what the server said of one is written together with the lease on the next. A worker holds one lease at a
time, so ✝3 concerns one message. No step after ✝2 may be retried by the publisher: ``committed`` retries only the writing of
what the server said. Two workers that claim the same message conflict; the one that loses sees the lease and takes the next.
"""

from contextlib import closing
from dataclasses import dataclass
from dataclasses import replace
from datetime import timedelta
from imio.mailbridge.delivery import account_alarm as alarm
from imio.mailbridge.delivery.accounts import move
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.answers import Outcome
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.delivery.documents import write_documents
from imio.mailbridge.i18n import _
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.notify.notice import tell_agent
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.delivery_task import queue_delivery
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.smtp_reply import SmtpReply
from ZODB.POSException import POSKeyError
import itertools
import logging
import time
import transaction


BATCH = 100

#: How long a worker may hold a message. Longer than the deadline of the mailer.
LEASE = timedelta(minutes=30)

DUE = ("scheduled", "queued", "deferred")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The lease on one message: the recipients to try, and as whom."""

    id: str
    addresses: tuple[str, ...]
    sender: Sender


def deliver(id=None):
    """Send the message ``id`` and whatever else is due, account by account. Commits by itself, a message at a time."""
    more = True
    while more:
        transaction.begin()
        due, known = _due(id), settings().accounts
        full = {name for name, ids in due.items() if len(ids) == BATCH}
        done = {
            name for name, ids in due.items() if (_pass(known[name], ids) if name in known else _move(ids))
        }
        more = id is None and bool(full & done)


def _due(id):
    """Return account name → ids of what is due, ``id`` first, the oldest next, at most a batch for each."""
    box, found = outbox(), {}
    asked = [record for record in [box.get(id)] if record is not None and record.in_state(*DUE)] if id else []
    for record in itertools.chain(asked, box.waiting_in(*DUE)):
        ids = found.setdefault(record.account, [])
        if is_due(record) and record.id not in ids and len(ids) < BATCH:
            ids.append(record.id)
    return {name: ids for name, ids in found.items() if ids}


def is_due(record):
    """Tell whether the time of the next try has come."""
    return record.next_try is None or record.next_try <= now()


def _move(ids):
    """Give messages whose account was removed to the account that serves their author now, if there is one."""

    def move_all():
        for record in filter(None, map(outbox().get, ids)):
            move(record)

    committed(move_all)


def _pass(account, ids):
    """Send messages over one connection, and write their documents; return whether the server took part in it."""
    if outbox().hold_of(account.name) is not None:
        committed(lambda: _hold_new(account.name))
        return False
    try:
        connection = connection_to(account)
    except password.PasswordUnreadable as error:
        reply = SmtpReply("store", 0, str(error))
        committed(lambda: _hold(account.name, reply, UNREADABLE, UNREADABLE_REMEDY))
        return False
    reached = False
    with closing(connection):
        claim = committed(lambda: _claim(account, ids))
        while claim is not None:
            replies = _send(claim, connection)
            reached = not _is_down(replies)
            claim = committed(
                lambda claim=claim, replies=replies: _settle_and_claim(account, claim, replies, ids)
            )
    write_documents(ids)
    return reached


def _is_down(replies):
    """Tell whether the server was not reached at all, so that the next message would not reach it either."""
    return all(reply.stage == "connect" for reply in replies.values())


def _settle_and_claim(account, claim, replies, ids):
    if _settle(account, claim, replies):  # the server refused the sender, and the fallback is in place
        return _claim(account, [claim.id])
    if outbox().hold_of(account.name) is not None:
        return None
    if _is_down(replies):
        _defer_rest(account, ids, next(iter(replies.values())))
        return None
    return _claim(account, ids[ids.index(claim.id) + 1 :] if claim.id in ids else ids)


def _claim(account, ids):
    """Take the first message of ``ids`` that nobody else has taken, or return None."""
    box = outbox()
    for id in ids:
        record = box.get(id)
        if record is None or record.in_state("sending") or not is_due(record):
            continue
        addresses = record.in_state(*DUE)
        if not addresses:
            continue
        if account.rate and not _slot(account, record):
            return None
        record.lease_until = now() + LEASE
        record.next_try = None
        record.tries += 1
        box.update(record, dict.fromkeys(addresses, "sending"))
        return Claim(id, tuple(addresses), record.sender)
    return None


def _slot(account, record):
    """Take one of the account's messages a minute; if there is none left, wake up when there is, and return False."""
    box, at = outbox(), time.time()
    recent = [begun for begun in box.recent.get(account.name, ()) if at - 60 < begun <= at]
    if len(recent) >= account.rate:
        queue_delivery(record, delay=max(1, recent[0] + 60 - at))
        return False
    box.recent[account.name] = (*recent, at)
    return True


def _send(claim, connection):
    """Return the replies of one message; what goes wrong on our side is one too."""
    record = outbox().get(claim.id)
    try:
        body = record.body.open("r")
    except (POSKeyError, OSError, AttributeError) as error:
        return dict.fromkeys(claim.addresses, SmtpReply("store", 0, str(error)))
    try:
        with body:
            return connection.deliver(
                claim.sender.envelope_sender,
                claim.addresses,
                [sender_headers(claim.sender), body],
                record.size,
                record.eight_bit,
                claim.id,
            )
    except Exception as error:  # noqa: BLE001 - one message must not keep all others from leaving
        logger.exception("message %s met an error while it was sent", claim.id)
        connection.close()
        return dict.fromkeys(claim.addresses, SmtpReply("bridge", 0, type(error).__name__))


def _settle(account, claim, replies):
    """Write what the server said; return whether the message is to be sent again at once, from another sender."""
    box, values = outbox(), settings()
    record = box.get(claim.id)
    record.lease_until = None
    rows = {address: answer_to(reply) for address, reply in replies.items()}
    refused = [address for address, row in rows.items() if row.outcome is Outcome.SENDER_REFUSED]
    other, explanation = _other_sender(account, record, claim, replies[refused[0]]) if refused else (None, "")
    states = {}
    for address, reply in replies.items():
        row = rows[address]
        states[address] = _state(row.outcome, record, other is not None, values)
        record.note(
            address,
            states[address],
            reply.code or None,
            reply.text,
            explanation if states[address] == "queued" else row.explanation,
            row.name,
        )
    _learn(account, claim, rows, replies)
    if other is not None:
        record.sender, record.fallback = other
    if "deferred" in states.values():
        record.next_try = now() + backoff(record.tries, values)
    if "held" in states.values():
        reply, row = next((replies[each], rows[each]) for each, state in states.items() if state == "held")
        _stop(account.name, reply, row.explanation, row.remedy)
    if "sent" in states.values() and record.document:
        box.unwritten.insert(record.id)
    box.update(record, states)
    if "failed" in states.values():
        tell_agent(record, "failed")
    return "queued" in states.values()


def _state(outcome, record, has_other_sender, values):
    if outcome is Outcome.SENT:
        return "sent"
    if outcome is Outcome.SENDER_REFUSED and has_other_sender:
        return "queued"
    if outcome is Outcome.CONFIGURATION:
        return "held"
    if outcome is Outcome.TEMPORARY and now() < record.trying_since + timedelta(hours=values.give_up_hours):
        return "deferred"
    return "failed"


def _defer_rest(account, ids, reply):
    """Let what else is due share the fate of the message that did not reach the server: nobody waits for each in turn."""
    box, values, row = outbox(), settings(), answer_to(reply)
    for record in filter(None, map(box.get, ids)):
        addresses = record.in_state(*DUE)
        if addresses and is_due(record) and not record.in_state("sending"):
            record.tries += 1
            state = _state(row.outcome, record, False, values)
            record.next_try = now() + backoff(record.tries, values) if state == "deferred" else None
            for address in addresses:
                record.note(address, state, reply.code or None, reply.text, row.explanation, row.name)
            box.update(record, dict.fromkeys(addresses, state))
            if state == "failed":
                tell_agent(record, "failed")


def _other_sender(account, record, claim, reply):
    """Return ((sender, fallback), explanation) of the next try after a refused sender, or (None, "") if there is none."""
    sender, login = claim.sender, account.login_address
    if login and send_as.blames_envelope(reply, sender, account):
        fallback = record.fallback and replace(record.fallback, envelope_sender=login)
        return (replace(sender, envelope_sender=login), fallback), _(
            "The mail server does not take the bridge's own address for error reports. The message goes out again with the login "
            "address for them, and the bridge remembers this."
        )
    if record.fallback is not None:
        return (record.fallback, None), _(
            "The mail server does not let iA.docs send as the agent. The message goes out again from the login address, "
            "and the bridge remembers this."
        )
    return None, ""


def _learn(account, claim, rows, replies):
    """Remember what the answers say of the sender."""
    sender = claim.sender
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


def backoff(tries, values):
    """Return the time between a try and the next one."""
    steps = values.retry_minutes
    return timedelta(minutes=steps[min(max(tries, 1), len(steps)) - 1])


# an account that stops


UNREADABLE = _(
    "The file with the password of the mail server cannot be read. Your message is kept and leaves once this is right."
)
UNREADABLE_REMEDY = _("Check the path and the rights of the file that MAILBRIDGE_SMTP_PASSWORD_FILE names.")


def _hold(name, reply, explanation, remedy):
    _stop(name, reply, explanation, remedy)
    _hold_new(name)


def _stop(name, reply, explanation, remedy):
    """Stop an account, and raise the alarm if it is not stopped already."""
    box = outbox()
    if name not in box.holds:
        box.hold(name, reply.code or None, reply.text, explanation, remedy)
        alarm.stopped(name, box.holds[name])


def _hold_new(name):
    """Say of messages that came while the account is stopped that they wait too."""
    box = outbox()
    hold = box.holds[name]
    for record in list(box.waiting_in(*DUE)):
        if record.account == name and is_due(record):
            addresses = record.in_state(*DUE)
            for address in addresses:
                record.note(address, "held", hold["code"], hold["text"], hold["explanation"])
            box.update(record, dict.fromkeys(addresses, "held"))


def release(name):
    """Try an account; if it answers, queue all that was held and return True."""
    box, account = outbox(), settings().accounts.get(name)
    if account is not None:
        try:
            connection = connection_to(account)
        except password.PasswordUnreadable:
            return False
        with closing(connection):
            if connection.probe() is not None:
                return False
    del box.holds[name]
    alarm.released(name)
    for record in list(box.waiting_in("held")):
        if record.account == name:
            addresses = record.in_state("held")
            record.note(None, "queued", explanation=_("The mail server accepts iA.docs again."))
            record.start_trying()  # the time on hold is not the message's
            box.update(record, dict.fromkeys(addresses, "queued"))
    return True


def sweep():
    """Find what a lost task left behind: ended leases, due messages, unwritten documents; try to release what is held."""
    transaction.begin()
    for name in list(outbox().holds):
        committed(lambda name=name: release(name))
    for record in list(outbox().waiting_in("sending")):
        if record.lease_until is not None and record.lease_until <= now():
            committed(lambda id=record.id: _end_lease(id))
    write_documents(list(outbox().unwritten))
    transaction.begin()
    if any(is_due(record) for record in outbox().waiting_in(*DUE)):
        deliver()


def _end_lease(id):
    box = outbox()
    record = box.get(id)
    if (
        (addresses := record.in_state("sending"))
        and record.lease_until is not None
        and record.lease_until <= now()
    ):
        record.lease_until = None
        record.note(None, "queued", explanation=_("Sending was interrupted. The bridge tries again."))
        box.update(record, dict.fromkeys(addresses, "queued"))
