"""How does a stored message reach the server, once and truthfully told?

::

    claim ── commit ──▶ MAIL, RCPT, DATA ──▶ 250 ──▶ settle ── commit ──▶ document ── commit
      ✝1               ✝2                    ✝3                       ✝4
    ✝1 the message is still queued: the sweep finds it
    ✝2 it is ``sending`` until its lease ends, then the sweep queues it again; the server took nothing
    ✝3 the server took it and we do not know: it goes out again after the lease, with the same Message-ID. The only repeat there is.
    ✝4 the message is ``sent``; its document is in ``unwritten`` until the sweep has written it

No step after ✝2 may be retried by the publisher: ``_committed`` retries only the writing of what the server said.
"""

from contextlib import closing
from imio.mailbridge.i18n import _
from imio.mailbridge.message.compose import sender_headers
from imio.mailbridge.outbound import send_as
from imio.mailbridge.outbound.answers import answer_to
from imio.mailbridge.outbound.answers import Outcome
from imio.mailbridge.outbound.interfaces import ISendingContext
from imio.mailbridge.outbound.mailer import Mailer
from imio.mailbridge.outbound.outbox import BACKOFF
from imio.mailbridge.outbound.outbox import GIVE_UP_AFTER
from imio.mailbridge.outbound.outbox import LEASE
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.submit import wake
from imio.mailbridge.settings import password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue.system_user import system_user
from plone.app.uuid.utils import uuidToObject
from transaction.interfaces import TransientError
from zope.component import queryAdapter
import itertools
import logging
import random
import time
import transaction


BATCH = 50
COMMIT_TRIES = 20

logger = logging.getLogger(__name__)


_UNREADABLE = _(
    "The file with the password of the mail server cannot be read. Your message is kept and leaves once the site administrator "
    "has corrected this."
)


def mailer():
    """Return the mailer of the account that is set; errors: ``PasswordUnreadable``."""
    values = settings()
    return Mailer(
        values.smtp_host,
        values.smtp_port,
        values.smtp_security,
        values.smtp_login or "",
        password.read() if values.smtp_login else "",
        values.smtp_ca_file or "",
    )


def deliver(id=None):
    """Send the message ``id`` and whatever else is due, on one connection. Commits by itself, a message at a time."""
    transaction.begin()
    box = outbox()
    if box.hold:
        _hold_new(box)
        return
    due = (record.id for record in box.waiting_in("queued", "deferred") if _is_due(record))
    ids = list(dict.fromkeys(itertools.chain([id] if id else [], itertools.islice(due, BATCH))))
    if not ids or not settings().smtp_host:
        return
    try:
        account = mailer()
    except password.PasswordUnreadable as error:
        box.hold = {"at": now(), "code": None, "text": str(error), "explanation": _UNREADABLE}
        _hold_new(box)
        return
    with closing(account):
        for each in ids:
            _deliver_one(each, account)
            if outbox().hold:
                break


def _is_due(record):
    return record.next_try is None or record.next_try <= now()


def _deliver_one(id, account):
    claimed = _committed(lambda: _claim(id))
    if not claimed:
        return
    replies = _send(id, claimed, account)
    again = _committed(lambda: _settle(id, replies))
    if again:  # the server refused the sender, and the fallback is in place
        _deliver_one(id, account)
        return
    write_document(id)


def _claim(id):
    """Take the recipients to try; return their addresses, or nothing when there is nothing to do or somebody else does it."""
    box = outbox()
    record = box.get(id)
    if record is None or record.in_state("sending"):
        return ()
    addresses = record.in_state("queued", "deferred")
    if not addresses:
        return ()
    record.lease_until = now() + LEASE
    record.next_try = None
    record.tries += 1
    box.update(record, dict.fromkeys(addresses, "sending"))
    return addresses


def _send(id, addresses, account):
    record = outbox().get(id)
    with record.body.open("r") as body:
        message = sender_headers(record.sender) + body.read()
    return account.deliver(record.sender.envelope_sender, addresses, message)


def _settle(id, replies):
    """Write what the server said; return whether the message is to be sent again at once, under the fallback."""
    box = outbox()
    record = box.get(id)
    record.lease_until = None
    states = {}
    for address, reply in replies.items():
        row = answer_to(reply)
        explanation = row.explanation
        if row.outcome is Outcome.SENT:
            states[address] = "sent"
            box.unwritten.insert(id)
        elif row.outcome is Outcome.SENDER_REFUSED and record.fallback is not None:
            states[address] = "queued"
            explanation = _(
                "The mail server does not let iA.docs send as the agent. The message goes out again from the login address, "
                "and the bridge remembers this."
            )
        elif row.outcome is Outcome.CONFIGURATION:
            states[address] = "held"
            box.hold = {
                "at": now(),
                "code": reply.code or None,
                "text": reply.text,
                "explanation": row.explanation,
            }
        elif row.outcome is Outcome.TEMPORARY and now() < record.trying_since + GIVE_UP_AFTER:
            states[address] = "deferred"
        else:
            states[address] = "failed"
        record.note(address, states[address], reply.code or None, reply.text, explanation)
    if "deferred" in states.values():
        record.next_try = now() + BACKOFF[min(record.tries, len(BACKOFF)) - 1]
    again = "queued" in states.values()
    if again:
        send_as.remember_refusal(record.sender.author.addr_spec)
        record.sender, record.fallback = record.fallback, None
    box.update(record, states)
    return again


def _hold_new(box):
    """Say of messages that came while the account is stopped that they wait too."""
    for record in list(box.waiting_in("queued", "deferred")):
        addresses = record.in_state("queued", "deferred")
        for address in addresses:
            record.note(address, "held", box.hold["code"], box.hold["text"], box.hold["explanation"])
        box.update(record, dict.fromkeys(addresses, "held"))
    transaction.commit()


def write_document(id):
    """Write on the document how many recipients the message was sent to; close it when that is all of them."""
    try:
        _committed(lambda: _write_document(id))
    except Exception:  # noqa: BLE001 - the mail is out; that the document cannot be written must not hide it
        transaction.abort()
        logger.exception(
            "message %s is sent, but its document could not be updated; the sweep tries again", id
        )


def _write_document(id):
    box = outbox()
    record = box.get(id)
    if record is None or id not in box.unwritten:
        return
    box.unwritten.remove(id)
    document = uuidToObject(record.document, unrestricted=True)
    sending = queryAdapter(document, ISendingContext)
    if sending is None:
        return
    sent_at = max(line["at"] for line in record.history if line["state"] == "sent")
    with system_user(record.userid):
        sending.write_status(record.taken, len(record.recipients), sent_at)
        if settings().close_on_send and record.taken == len(record.recipients):
            sending.close()


def sweep():
    """Find what a lost task left behind: ended leases, due messages, unwritten documents; try to release a hold."""
    transaction.begin()
    box = outbox()
    if box.hold:
        _committed(release)
        box = outbox()
    for record in list(box.waiting_in("sending")):
        if record.lease_until is not None and record.lease_until <= now():
            _committed(lambda id=record.id: _end_lease(id))
    for id in list(box.unwritten):
        write_document(id)
    transaction.begin()
    if any(_is_due(record) for record in outbox().waiting_in("queued", "deferred")):
        deliver()


def _end_lease(id):
    box = outbox()
    record = box.get(id)
    if addresses := record.in_state("sending"):
        record.lease_until = None
        record.note(None, "queued", explanation=_("Sending was interrupted. The bridge tries again."))
        box.update(record, dict.fromkeys(addresses, "queued"))


def release():
    """Try the account; if it answers, queue all that was held and return True."""
    box = outbox()
    try:
        account = mailer()
    except password.PasswordUnreadable:
        return False
    with closing(account):
        if settings().smtp_host and account.probe() is not None:
            return False
    box.hold = None
    for record in list(box.waiting_in("held")):
        addresses = record.in_state("held")
        record.note(None, "queued", explanation=_("The mail server accepts iA.docs again."))
        record.start_trying()  # the time on hold is not the message's
        box.update(record, dict.fromkeys(addresses, "queued"))
        wake(record)
    return True


def retry(record):
    """Queue again what failed, or waits, for some recipients; the current transaction decides."""
    addresses = record.in_state("failed", "deferred", "held")
    if addresses:
        record.note(None, "queued", explanation=_("Sent again on request."))
        record.start_trying()
        outbox().update(record, dict.fromkeys(addresses, "queued"))
        wake(record)
    return bool(addresses)


def cancel(record):
    """Give up the recipients that no server took yet and none is being asked for; return whether there were any."""
    addresses = record.in_state("scheduled", "queued", "deferred", "held")
    if addresses:
        for address in addresses:
            record.note(address, "cancelled")
        outbox().update(record, dict.fromkeys(addresses, "cancelled"))
    return bool(addresses)


def _committed(change):
    """Run ``change`` and commit it, again after each conflict; return its result."""
    for attempt in range(COMMIT_TRIES):
        transaction.begin()
        try:
            result = change()
            transaction.commit()
        except TransientError:
            transaction.abort()
            if attempt + 1 == COMMIT_TRIES:
                raise
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 - not a secret
        else:
            return result
    raise AssertionError("not reached")
