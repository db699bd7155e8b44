"""Tasks of incoming mail: views on the task layer, run by a worker."""

from datetime import timedelta
from functools import partial
from imio.mailbridge.inbound import imap_reading as mailboxes
from imio.mailbridge.inbound.flood import forget_old
from imio.mailbridge.inbound.forwarding import check as forwarding
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import coming
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.receive import wake
from imio.mailbridge.inbound.retention import purge
from imio.mailbridge.inbound.summary import summarise
from imio.mailbridge.inbound.verify import sweep as sweep_unverified
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.reading import read_words
from imio.mailbridge.store.store import now
from itertools import islice
from Products.Five.browser import BrowserView
import logging


#: A request that files a message has this long before the sweep takes over.
UNFINISHED_AFTER = timedelta(minutes=2)
#: Records that one sweep queues again, the oldest first: most of a backlog still has its task.
WOKEN = 100

logger = logging.getLogger(__name__)


class Process(BrowserView):
    """Process the message named by ``id``."""

    def __call__(self):
        with coming():
            record = inbox().get(self.request.form["id"])
            if record is not None:
                process(record)
        return ""


class Fetch(BrowserView):
    """Make one pass over the IMAP mailbox called ``name``."""

    def __call__(self):
        mailboxes.read_mailbox(self.request.form["name"])
        return ""


class SweepMailboxes(BrowserView):
    """Queue a pass over each IMAP mailbox."""

    def __call__(self):
        mailboxes.sweep()
        return ""


class Sweep(BrowserView):
    """Queue the records whose task or request was lost, and do what is due; a step that fails does not stop the others."""

    def __call__(self):
        for step in (_wake_unfinished, sweep_unverified, _forget_old_authors, forwarding.sweep, summarise):
            _attempt(step.__name__, partial(committed, step))
        _attempt("purge", purge)
        _attempt("read_words", partial(read_words, inbox))
        return ""


def _attempt(name, step):
    try:
        step()
    except Exception:  # noqa: BLE001 - the next sweep comes in a minute
        logger.exception("a step of the sweep failed: %s", name)


def _wake_unfinished():
    at = now()
    records = inbox().oldest_first("received", before=at - UNFINISHED_AFTER)
    due = (each for each in records if each.not_before is None or each.not_before <= at)
    for record in islice(due, WOKEN):
        wake(record)


def _forget_old_authors():
    forget_old(now())
