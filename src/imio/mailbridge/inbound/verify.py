"""Verifies the signatures of a filed message soon after it came, because keys change, and keeps the verdicts as evidence.

Nothing depends on them, so nobody waits for DNS: a task asks it after the message is filed. ::

    filed ── unverified ── commit ── task: count the try ── commit ── ask DNS ── commit: verdicts, no longer unverified
                        ✝1                               ✝2
    ✝1 ✝2 or DNS does not answer: still unverified, and the sweep queues its task another time, at most ``TRIES`` times
"""

from imio.mailbridge.inbound import signatures
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.authentication.results import own_results
from imio.mailbridge.message.authentication.signatures import dkim_verdicts
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.blobs import is_readable
from imio.mailbridge.store.commit import committed
from imio.mailbridge.taskqueue import add
from imio.mailbridge.taskqueue.queue import NETWORK
from imio.mailbridge.transport.txt_lookup import TxtLookup
from Products.Five.browser import BrowserView
from zope.component.hooks import getSite


TRIES = 3
MAX_SWEPT = 200
#: Messages of one record whose signatures are verified: itself, and those attached to it.
MAX_MESSAGES = 5
SIGNS = ("dkim-signature", "authentication-results")


def request(record, messages):
    """Have the signatures of a record verified after the commit, when one of these messages has any."""
    if any(message.root.values(name) for message in messages for name in SIGNS):
        inbox().unverified[record.id] = 0
        wake(record.id)


def wake(id):
    """Queue the task for after the commit."""
    add(
        "/".join(getSite().getPhysicalPath()) + "/@@mailbridge-verify",
        "POST",
        params={"id": id},
        queue=NETWORK,
    )


def sweep():
    """Queue the tasks that were lost, or that DNS did not answer."""
    for id in list(inbox().unverified)[:MAX_SWEPT]:
        wake(id)


class Verify(BrowserView):
    """Verify the signatures of the record ``id`` (a task)."""

    def __call__(self):
        id = self.request.form["id"]
        tries = committed(lambda: _count_try(id))
        record = inbox().get(id)
        if tries is None or record is None:
            return ""
        found = verdicts(record) if tries <= TRIES and is_readable(record.raw) else ()
        if tries >= TRIES or not any(each["result"] == "temperror" for each in found):
            committed(lambda: _keep(record, found))
        return ""


def _count_try(id):
    """Count a try and return its number, or None for nothing to do.

    The count is committed first: a message that kills the worker is not tried for ever.
    """
    waiting = inbox().unverified
    if id not in waiting:
        return None
    waiting[id] = waiting[id] + 1
    return waiting[id]


def _keep(record, found):
    record.authenticated = tuple(each for each in found if each not in record.verdicts)
    inbox().unverified.pop(record.id, None)


def verdicts(record):
    """Return the verdicts on a message and on each message attached to it; DNS is asked only for new ones."""
    values, known = settings(), signatures.restored(record.signatures)
    with record.raw.open("r") as stream:
        message = parse(stream)
    lookup = TxtLookup(values.dns_resolver)
    found = [*own_results(message, values.authserv_id)]
    found += known.dkim if known and not known.are_unanswered else dkim_verdicts(message, lookup)
    for attached in attached_messages(message)[: MAX_MESSAGES - 1] if record.transfer == "forward" else ():
        found += dkim_verdicts(attached.message, lookup)
    return tuple(map(signatures.as_dict, found))
