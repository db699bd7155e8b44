"""Takes due messages and sends them, account by account, so that each goes out once and its state is the truth.

::

    claim 1 ── commit ──▶ MAIL, RCPT, DATA, dot ──▶ 250 ──▶ settle 1, claim 3 ── commit ─┐
            ✝1          ✝2   claim 2 ── commit     ✝3     ▶ MAIL, RCPT, DATA of 2 … ─────┴▶ dot ──▶ 250 …  ──▶ documents ── commit
                                                                                         ✝4                ✝5
    ✝1 the message is still queued: the sweep finds it
    ✝2 it is ``sending`` until its lease ends, then the sweep queues it again; the server took nothing. Until what it said
       of the message before is committed, this is ✝3 of that one too.
    ✝3 the server took it and we do not know: it goes out again after the lease, with the same Message-ID. The only repeat there is.
    ✝4 the first message is ``sent``, the second as ✝2
    ✝5 both are ``sent`` and ``unwritten`` until the sweep has written their documents

One commit a message: what the server said of one is written together with the lease on the next but one, while the dialogue about
the next goes on. That one gets its final dot only after the commit, so that ✝3 concerns one message; a worker holds two leases. No
step after ✝2 may be retried by the publisher: ``committed`` retries only the writing of what the server said. Two workers that
claim the same message conflict; the one that loses sees the lease and takes the next. A worker whose clock is wrong ends no lease.
"""

from contextlib import closing
from contextlib import suppress
from datetime import timedelta
from functools import partial
from imio.mailbridge.delivery import account_alarm
from imio.mailbridge.delivery import hold
from imio.mailbridge.delivery.accounts import move
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.delivery.dialogue import Dialogue
from imio.mailbridge.delivery.documents import write_documents
from imio.mailbridge.delivery.due import due_recipients
from imio.mailbridge.delivery.release import release
from imio.mailbridge.delivery.send import give_back
from imio.mailbridge.delivery.send import renew
from imio.mailbridge.delivery.send import take
from imio.mailbridge.delivery.settle import settle
from imio.mailbridge.delivery.settle import settle_unreached
from imio.mailbridge.i18n import _
from imio.mailbridge.logs import about
from imio.mailbridge.outbox.delivery_task import queue_delivery
from imio.mailbridge.outbox.delivery_task import queue_rest
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue.stopping import is_stopping
from imio.mailbridge.transport.smtp_reply import SmtpReply
from transaction.interfaces import TransientError
import itertools
import logging
import random
import time
import transaction


BATCH = 100
#: How far the clock of a worker may be from that of the database before it no longer ends leases.
MAX_SKEW = timedelta(minutes=5)
#: Seconds after which a task takes no more messages: the thread that runs it belongs to all sites.
TURN = 15.0

logger = logging.getLogger(__name__)


def deliver(id=None):
    """Send the message ``id`` and whatever else is due, account by account, for a ``TURN``; return whether it ended too early.

    Commits by itself, a message at a time. What is left then has tasks of its own, or is left to ``deliver_rest``.
    """
    end = time.monotonic() + TURN
    while True:
        transaction.begin()
        due, known = _due(id), settings().accounts
        full = {name for name, ids in due.items() if len(ids) == BATCH}
        done = set()
        # each account gets its share of the turns; that of the message which is to be sent now comes first
        for name, ids in due.items() if id else _in_any_order(due):
            if _pass(known[name], ids, end) if name in known else _move(ids):
                done.add(name)
            if time.monotonic() >= end:
                return len(due) > 1 or len(ids) > 1
        if id is not None or not full & done:
            return False


def deliver_rest():
    """Send what is due, and queue the rest if it takes longer than a turn."""
    if deliver():
        queue_rest()


def sweep():
    """Find what a lost task left behind: ended leases, due messages, unwritten documents; try to release what is held."""
    transaction.begin()
    for name in hold.stopped_accounts():
        release(name)
    transaction.begin()
    committed(account_alarm.tell_troubles)
    ended = [
        record.id
        for record in outbox().waiting_in("sending")
        if record.lease_until is not None and record.lease_until <= now()
    ]
    if ended and _has_right_clock():
        for id in ended:
            committed(partial(_end_lease, id))
    write_documents(outbox().to_write())
    transaction.begin()
    if _due(None):
        deliver_rest()


def _in_any_order(due):
    return random.sample(list(due.items()), len(due))


def _has_right_clock():
    """Tell whether this worker has the time of the database; one that is ahead would end the leases of the others.

    A commit tells what time the database has: that of its server, with ZEO and RelStorage.
    """
    committed(_touch)
    ahead = time.time() - outbox().holds._p_mtime
    if abs(ahead) <= MAX_SKEW.total_seconds():
        return True
    logger.error(
        "the clock of this worker is %d s ahead of that of the database: it ends no lease; set the clock",
        ahead,
    )
    return False


def _touch():
    outbox().holds._p_changed = True


def _due(id):
    """Return account name → ids of what is due, ``id`` first, then the oldest, at most a batch for each account."""
    box, found, at = outbox(), {}, now()
    first = box.get(id) if id else None
    if first is not None and due_recipients(first):
        found[first.account] = [id]
    for name in box.accounts_waiting():
        due = (each for each in box.due_ids(name, at) if each != id and due_recipients(box.get(each)))
        ids = found.get(name, [])
        if ids := ids + list(itertools.islice(due, BATCH - len(ids))):
            found[name] = ids
    return found


def _move(ids):
    """Give messages whose account was removed to the account that serves their author now, if there is one."""

    def move_all():
        for record in filter(None, map(outbox().get, ids)):
            move(record)

    committed(move_all)


def _pass(account, ids, end):
    """Send messages over one connection, and write their documents; return whether the server was reached.

    None is begun after ``end``, by the monotonic clock, but one.
    """
    if outbox().hold_of(account.name) is not None:
        committed(lambda: hold.hold_due(account.name))
        return False
    try:
        connection = connection_to(account)
    except PasswordUnreadable as error:
        reply = SmtpReply("secret", 0, str(error))
        committed(lambda: _stop(account.name, reply))
        return False
    with closing(connection), Dialogue(connection) as dialogue:
        reached = _send_all(account, dialogue, ids, end)
    write_documents(ids)
    return reached


def _send_all(account, dialogue, ids, end):
    """Send what is due of ``ids`` until ``end``; return whether the server was reached. See the diagram of the module."""
    reached, claim, following = False, committed(lambda: _claim(account, ids)), None
    is_begun = False
    while claim is not None:
        if not is_begun:
            dialogue.begin(claim)
            dialogue.go_on()
            # what the server says of this message is written even if no other can be taken
            with suppress(TransientError):
                following = committed(lambda claim=claim: _claim(account, _after(ids, claim, end)))
        if following is not None:
            dialogue.prepare(following)
        replies = dialogue.end()
        reached = not _is_down(replies)
        if is_begun := following is not None and _is_open(replies):
            dialogue.begin(following)
        settle_and_claim = partial(_settle_and_claim, account, claim, replies, ids, end, following, is_begun)
        with about(record=claim.id):
            newer = committed(settle_and_claim)
        if is_begun:
            dialogue.go_on()
            claim, following = following, newer
        else:
            claim, following = newer, None
    return reached


def _stop(name, reply):
    hold.stop(name, reply)
    hold.hold_due(name)


def _is_open(replies):
    """Tell whether the server was ready for mail, whatever it said of this message."""
    return all(reply.stage in ("mail", "rcpt", "data") for reply in replies.values())


def _is_down(replies):
    """Tell whether the dialogue ended before a message could be named, so that it would for the next message too."""
    return all(reply.stage in ("connect", "tls", "auth") for reply in replies.values())


def _settle_and_claim(account, claim, replies, ids, end, following, is_begun):
    """Write what the server said of a message and take another one, behind the one that follows, or return None."""
    box = outbox()
    if following is not None:
        renew(box, following) if is_begun else give_back(box, following)
    has_other_sender = settle(box, account, claim.id, claim.sender, replies)
    if has_other_sender:  # the fallback is in place
        return _claim(account, [claim.id])
    if box.hold_of(account.name) is not None:
        return None
    if _is_down(replies):
        settle_unreached(account, ids, next(iter(replies.values())))
        return None
    return _claim(account, _after(ids, following if is_begun else claim, end))


def _after(ids, claim, end):
    """Return what comes after a message; nothing when the turn has ended."""
    if time.monotonic() >= end:
        return []
    return ids[ids.index(claim.id) + 1 :] if claim.id in ids else ids


def _claim(account, ids):
    """Take the first message of ``ids`` that is due and that no other worker has taken; return None at the end, also a worker's."""
    if is_stopping():
        return None
    box = outbox()
    for id in ids:
        record = box.get(id)
        addresses = due_recipients(record) if record is not None else ()
        if not addresses:
            continue
        if account.rate and not _slot(account, record):
            return None
        return take(box, record, addresses)
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


def _end_lease(id):
    """Queue a message again whose worker has not come back in time."""
    box = outbox()
    record = box.get(id)
    if (
        (addresses := record.in_state("sending"))
        and record.lease_until is not None
        and record.lease_until <= now()
    ):
        record.lease_until = None
        record.note(None, "queued", explanation=_("Sending was interrupted. iA.docs tries again by itself."))
        box.update(record, dict.fromkeys(addresses, "queued"))
