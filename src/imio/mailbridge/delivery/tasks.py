"""The tasks of the delivery: views on the task layer that work on the whole site, whichever user queued them."""

from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import deliver_rest
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.retention import purge
from imio.mailbridge.outbox.saved_drafts import purge_drafts
from imio.mailbridge.store.reading import read_words
from Products.Five.browser import BrowserView


class Deliver(BrowserView):
    """Send the message named by ``id`` and whatever else is due."""

    def __call__(self):
        deliver(self.request.form["id"])
        return ""


class SweepDue(BrowserView):
    """Send what is due: the rest of a long delivery."""

    def __call__(self):
        deliver_rest()
        return ""


class Sweep(BrowserView):
    """Find what lost tasks left behind."""

    def __call__(self):
        sweep()
        purge()
        purge_drafts()
        read_words(outbox)
        return ""
