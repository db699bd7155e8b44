"""The page ``@@mailbridge-returned`` for managers of mail: addresses from which e-mails keep coming back."""

from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.outbox import returned
from imio.mailbridge.outbox.explained import explained
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import LOST
from imio.mailbridge.settings.clock import readable_time


PAGE = 50


class ReturnedView(ButtonPage):
    """A table of addresses, and a button that removes those that are ticked."""

    buttons = {"remove": "_remove"}

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-returned"

    def _remove(self):
        if self.ticked:
            count = returned.forget(self.ticked)
            self._say(_("Addresses removed from the list: ${count}.", mapping={"count": str(count)}))
        else:
            self._say(_("Select the addresses first."), "warning")

    def batch(self):
        """Return one page of what is known."""
        return batch_of(returned.all_returned(), PAGE, self.request)

    def counted(self, number):
        """Return how many addresses there are, in words."""
        return plural(number, _("1 address"), _("${count} addresses"))

    def row(self, found):
        """Return what the table shows of an address."""
        record = outbox().get(found.id)
        last = _last_failure(record, found.address)
        return {
            "address": found.address,
            "times": found.times,
            "at": readable_time(found.at),
            "explanation": explained(last) if last else "",
            "text": last["text"] if last else "",
            "subject": record.subject if record else "",
            "url": f"{self.context.absolute_url()}/@@mailbridge-outbox-message?id={found.id}"
            if record
            else "",
        }


def _last_failure(record, address):
    """Return the newest line of a timeline that says why the message did not arrive at an address, or None."""
    lines = reversed(record.history) if record else ()
    return next(
        (line for line in lines if (line["recipient"] or "").lower() == address and line["state"] in LOST),
        None,
    )
