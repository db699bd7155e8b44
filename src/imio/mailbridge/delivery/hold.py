"""Stops an account that cannot work as it is set, holds its mail, and releases both once a probe succeeds."""

from contextlib import closing
from imio.mailbridge.delivery import account_alarm
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.delivery.due import due_recipients
from imio.mailbridge.delivery.due import STATES
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.store.commit import committed
import transaction


def stop(name, reply):
    """Stop an account because of an ``SmtpReply``, and raise the alarm if it is not stopped already."""
    box, answer = outbox(), answer_to(reply)
    if name not in box.holds:
        box.hold(name, reply.code or None, reply.text, answer.explanation, answer.remedy)
        account_alarm.stopped(name, box.holds[name])


def hold_due(name):
    """Let the messages that have become due while an account is stopped wait for it too."""
    box = outbox()
    hold = box.holds[name]
    for record in list(box.waiting_in(*STATES)):
        if record.account == name and (addresses := due_recipients(record)):
            for address in addresses:
                record.note(address, "held", hold["code"], hold["text"], hold["explanation"])
            box.update(record, dict.fromkeys(addresses, "held"))


def release(name):
    """Try a stopped account and release it if it works, or if it was removed; return whether it is released.

    The server is asked outside the transaction, which alone may run again. Commits by itself; the caller has written nothing.
    """
    transaction.begin()
    account = settings().accounts.get(name)
    if account is not None and not _works(account):
        return False
    committed(lambda: release_held(name, _("The mail server accepts iA.docs again.")))
    return True


def _works(account):
    try:
        connection = connection_to(account)
    except PasswordUnreadable:
        return False
    with closing(connection):
        return connection.probe() is None


def release_held(name, explanation):
    """Queue what is held for an account, which is no longer stopped; nothing where another worker was first."""
    box = outbox()
    if box.holds.pop(name, None) is None:
        return
    account_alarm.released(name)
    for record in list(box.waiting_in("held")):
        if record.account == name:
            addresses = record.in_state("held")
            record.note(None, "queued", explanation=explanation)
            record.start_trying()  # the time on hold is not the message's
            box.update(record, dict.fromkeys(addresses, "queued"))
