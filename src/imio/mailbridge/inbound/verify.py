"""What do the signatures of a filed message say? Asked soon after it came, because keys change, and kept as evidence.

Nothing depends on it, so nobody waits for DNS: a task does it when the message is filed. ::

    filed ── unverified ── commit ── task: count the try ── commit ── ask DNS ── commit: verdicts, no longer unverified
                        ✝1                               ✝2
    ✝1 ✝2 or DNS does not answer: still unverified, and the sweep queues it again, at most ``TRIES`` times
"""

from imio.mailbridge.inbound import proof
from imio.mailbridge.inbound.examine import examine
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.blobs import is_readable
from imio.mailbridge.taskqueue import add
from Products.Five.browser import BrowserView
from zope.component.hooks import getSite
import transaction


TRIES = 3
MAX_SWEPT = 200
SIGNS = ("dkim-signature", "authentication-results")


def request(record, messages):
    """Have the signatures of a record verified after the commit, when one of these messages has any."""
    if any(message.root.values(name) for message in messages for name in SIGNS):
        inbox().unverified[record.id] = 0
        wake(record.id)


def wake(id):
    """Queue the task for after the commit."""
    add("/".join(getSite().getPhysicalPath()) + "/@@mailbridge-verify", "POST", params={"id": id})


def sweep():
    """Queue again what was lost, or what DNS did not answer."""
    for id in list(inbox().unverified)[:MAX_SWEPT]:
        wake(id)


class Verify(BrowserView):
    """Verify the signatures of the record ``id`` (a task)."""

    def __call__(self):
        waiting, id = inbox().unverified, self.request.form["id"]
        record = inbox().get(id)
        if record is None or id not in waiting:
            return ""
        # counted first and for good: what kills the worker is not tried for ever
        tries = waiting[id] = waiting[id] + 1
        transaction.commit()
        found = _verdicts(record) if tries <= TRIES and is_readable(record.raw) else ()
        if tries < TRIES and any(each["result"] == "temperror" for each in found):
            return ""
        record.authenticated = tuple(each for each in found if each not in record.verdicts)
        del waiting[id]
        return ""


def _verdicts(record):
    values = settings()
    with record.raw.open("r") as stream:
        message = parse(stream)
    examined = examine(record, message, values, final=True)
    return proof.authentication(message, examined.found.messages, values)
