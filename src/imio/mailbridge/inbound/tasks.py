"""Tasks of incoming mail: views on the task layer, run by a worker."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.inbound import imap_reading as mailboxes
from imio.mailbridge.inbound.flood import forget_old
from imio.mailbridge.inbound.forwarding import check as forwarding
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.receive import wake
from imio.mailbridge.inbound.summary import summarise
from imio.mailbridge.inbound.verify import sweep as sweep_unverified
from Products.Five.browser import BrowserView


#: A request that files a message has this long before the sweep takes over.
UNFINISHED_AFTER = timedelta(minutes=2)


class Process(BrowserView):
    """Classify and file the message named by ``id``."""

    def __call__(self):
        record = inbox().get(self.request.form["id"])
        if record is not None:
            process(record)
        return ""


class Fetch(BrowserView):
    """Make one pass over the mailbox called ``name``."""

    def __call__(self):
        mailboxes.read_mailbox(self.request.form["name"])
        return ""


class SweepMailboxes(BrowserView):
    """Queue a pass over each mailbox."""

    def __call__(self):
        mailboxes.sweep()
        return ""


class Sweep(BrowserView):
    """Find the records whose task or request was lost; each gets a task of its own."""

    def __call__(self):
        now = datetime.now(UTC)
        before = (now - UNFINISHED_AFTER).isoformat()
        for created, id in inbox().keys("received"):
            record = inbox().get(id) if created < before else None
            if record is not None and (record.not_before is None or record.not_before <= now):
                wake(record)
        sweep_unverified()
        forget_old(now)
        forwarding.sweep()
        summarise()
        return ""
