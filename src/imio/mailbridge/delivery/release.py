"""Tries the accounts that are stopped, and releases their mail once the step that stopped them works."""

from contextlib import closing
from imio.mailbridge.delivery import hold
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.delivery.documents import write_documents
from imio.mailbridge.delivery.send import send
from imio.mailbridge.delivery.send import take
from imio.mailbridge.delivery.settle import settle
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.store.commit import committed
import transaction


#: The stages at which an account can be stopped, as they come.
STAGES = ("secret", "connect", "tls", "oauth", "auth", "mail", "rcpt", "data")


def release(name):
    """Try a stopped account and release it if it works, or if it was removed; return whether it is released.

    It works when it logs in and the oldest message that is held passes the step that stopped it. Only the all-clear waits for a
    message that the server took (``settle``). Commits by itself; the caller has written nothing.
    """
    transaction.begin()
    account, stopped = settings().accounts.get(name), outbox().hold_of(name)
    works = account is None or stopped is None or _works(account, stopped["stage"])
    explanation = _("The mail server accepts iA.docs again.")
    committed(lambda: hold.release_held(name, explanation) if works else hold.put_off(name))
    return works


def _works(account, stage):
    try:
        connection = connection_to(account)
    except PasswordUnreadable:
        return False
    with closing(connection):
        return connection.probe() is None and _passes(account, stage, connection)


def _passes(account, stage, connection):
    """Send held messages until one shows whether a stage works; without any, say MAIL."""
    held = [record.id for record in outbox().waiting_in("held", account=account.name)]
    for id in held:
        claim = committed(lambda id=id: _claim(id))
        if claim is None:
            continue
        replies = send(claim, connection)
        committed(
            lambda claim=claim, replies=replies: settle(outbox(), account, claim.id, claim.sender, replies)
        )
        write_documents([id])
        if (shown := shows(stage, replies)) is not None:
            return shown
    return connection.probe(account.login_address) is None


def _claim(id):
    """Take what is held of a message, or return None; the time on hold is not the message's."""
    box = outbox()
    record = box.get(id)
    addresses = record.in_state("held") if record is not None else ()
    if not addresses or record.in_state("sending"):
        return None
    record.start_trying()
    return take(box, record, addresses)


def shows(stage, replies):
    """Return whether replies to one message show that a stage works, or None where they do not reach it."""
    found = {reply: answer_to(reply).outcome for reply in replies.values()}
    if Outcome.SENT in found.values():
        return True
    if Outcome.CONFIGURATION in found.values():
        return False
    reply = max(found, key=_position)
    if _position(reply) < 0:  # our own error
        return None
    beyond = _position(reply) - STAGES.index(stage or "auth")
    if found[reply] is Outcome.TEMPORARY:
        return beyond > 0
    return True if beyond >= 0 else None


def _position(reply):
    return STAGES.index(reply.stage) if reply.stage in STAGES else -1
