"""The outbox for managers of mail.

``@@mailbridge-outbox`` lists, ``@@mailbridge-outbox-message`` shows one message, ``@@mailbridge-outbox-source`` its bytes as they
left, ``@@mailbridge-outbox.csv`` exports the list.
"""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.message_summary import summary_of
from imio.mailbridge.browser.message_summary import SummaryPage
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.outbox import actions
from imio.mailbridge.outbox.explained import explained
from imio.mailbridge.outbox.query import BadQuery
from imio.mailbridge.outbox.query import find
from imio.mailbridge.outbox.query import Query
from imio.mailbridge.outbox.query import read_query
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.source import source
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.settings.smtp import DEFAULT
from plone import api
from plone.protect.interfaces import IDisableCSRFProtection
from Products.Five.browser import BrowserView
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.i18n import translate
from zope.interface import alsoProvides
import csv
import io


PAGE = 50
MAX_ROWS = 10_000
FILTERS = ("state", "account", "agent", "origin", "from", "to", "q")
ORIGIN = {
    "agent": _("written by an agent"),
    "site": _("mail from the site"),
    "notice": _("notice from the bridge"),
    "copy": _("copy of an answer"),
    "check": _("forwarding check"),
}
DELETED = _("The message itself was deleted at the end of its retention period.")
NEVER_SHOWN = _(
    "Mail from the site itself is never shown, and is deleted once it has been sent or has failed. To send it again, repeat in "
    "the site what caused it."
)
#: A cell that begins with one of these is a formula for a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class OutboxView(ButtonPage):
    """A table with filters, and buttons for the messages that are ticked."""

    #: name → the function that it calls, the message afterwards
    buttons = {
        "retry": (actions.retry, _("Messages being retried: ${done}. Not possible for: ${not_done}.")),
        "cancel": (actions.cancel, _("Messages cancelled: ${done}. Not possible for: ${not_done}.")),
    }

    @property
    def next_url(self):
        """Return this page with the filters that are chosen."""
        return f"{self.url}?{self.query_string}"

    def _press(self, name):
        records = list(filter(None, map(outbox().get, self.ticked)))
        action, sentence = self.buttons[name]
        done = sum(map(action, records))
        if records:
            mapping = {"done": str(done), "not_done": str(len(records) - done)}
            self._say(_(sentence, mapping=mapping), "info" if done else "warning")
        else:
            self._say(_("Select the messages first."), "warning")

    def update(self):
        """Read the query; called by the template."""
        try:
            self.query = read_query(self.request.form)
        except BadQuery:
            self.query = Query()
            self.error = _("A filter cannot be understood; everything is shown.")
        else:
            self.error = ""

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-outbox"

    @property
    def chosen(self):
        """Return the filters as they were entered."""
        form = self.request.form
        return {key: form[key] for key in FILTERS if isinstance(form.get(key), str) and form[key]}

    @property
    def query_string(self):
        """Return the filters for a link."""
        return urlencode(self.chosen)

    def states(self):
        """Return the states that have messages, with their counts."""
        counts = outbox().counts()
        return [(state, title, counts[state]) for state, title in titles.OUTGOING.items() if state in counts]

    def accounts(self):
        """Return name and title of each account."""
        return [(name, account_title(name)) for name in self.settings.accounts]

    def origins(self):
        """Return name and title of each origin of messages."""
        return ORIGIN.items()

    def batch(self):
        """Return one page of ids."""
        return batch_of(find(self.query), PAGE, self.request)

    def counted(self, number):
        """Return how many messages there are, in words."""
        return plural(number, _("1 message"), _("${count} messages"))

    @property
    def _bcc(self):
        return self._translated(_("Bcc"))

    def _translated(self, message):
        return translate(message, context=self.request)

    def row(self, id):
        """Return what the table shows of a message."""
        record = outbox().get(id)
        shown = record.open_recipients
        recipients = [each if each in shown else f"{each} ({self._bcc})" for each in record.recipients]
        last = record.history[-1]
        return {
            "id": id,
            "created": readable_time(record.created),
            "subject": record.subject,
            "from": str(record.sender.author),
            "agent": record.userid,
            "origin": ORIGIN[record.origin] if record.origin != "agent" else "",
            "recipients": recipients[:3],
            "more": len(recipients) - 3,
            "state": titles.OUTGOING[record.state],
            "colour": titles.colour(record.state),
            "explanation": explained(last),
            "account": account_title(record.account) if record.account != DEFAULT else "",
            "url": f"{self.context.absolute_url()}/@@mailbridge-outbox-message?id={id}",
        }


class Message(SummaryPage, BrowserView):
    """One message: recipients, timeline with remedies, and the download."""

    def __call__(self):
        self.record = _record(self.request)
        return self.index()

    def message(self):
        """Return what the page shows."""
        record = self.record
        reply_to = record.sender.reply_to
        return {
            **summary_of(record),
            "reply_to": str(reply_to) if reply_to else "",
            "envelope_sender": record.sender.envelope_sender,
            "message_id": record.message_id,
            "agent": record.userid,
            "origin": ORIGIN[record.origin],
            "account": account_title(record.account),
            "size": readable_size(record.size),
            "source": f"{self.context.absolute_url()}/@@mailbridge-outbox-source?id={record.id}"
            if record.is_readable
            else "",
            "gone": NEVER_SHOWN if record.origin == "site" else DELETED,
        }


class Source(BrowserView):
    """The message as it left; the download is noted in the timeline."""

    def __call__(self):
        record = _record(self.request)
        if not record.is_readable:
            raise NotFound("source")
        alsoProvides(self.request, IDisableCSRFProtection)  # only adds a line to the timeline
        user = api.user.get_current().getId()
        record.note(None, record.state, explanation=_("The message was downloaded."), by=user)
        return source(record, self.request.response)


class Export(OutboxView):
    """The filtered list as CSV in the dialect of Excel in Belgium."""

    def __call__(self):
        self.update()
        if self.error:
            raise NotFound("export")
        target = io.StringIO()
        writer = csv.writer(target, delimiter=";")
        writer.writerow(
            [
                self._translated(title)
                for title in (
                    _("Date"),
                    _("State"),
                    _("From"),
                    _("Agent"),
                    _("Account"),
                    _("Subject"),
                    _("Recipients"),
                    _("Size in bytes"),
                    "Message-ID",
                    _("Latest event"),
                )
            ]
        )
        for id in find(self.query)[:MAX_ROWS]:
            writer.writerow(map(harmless, self._cells(outbox().get(id))))
        response = self.request.response
        response.setHeader("Content-Type", "text/csv; charset=utf-8")
        response.setHeader("Content-Disposition", 'attachment; filename="outbox.csv"')
        response.setHeader("X-Content-Type-Options", "nosniff")
        return target.getvalue().encode("utf-8-sig", "replace")

    def _cells(self, record):
        states = {
            state: self._translated(titles.OUTGOING[state]) for state in set(record.recipients.values())
        }
        last, shown = record.history[-1], record.open_recipients
        return (
            f"{local_time(record.created):%Y-%m-%d %H:%M}",
            self._translated(titles.OUTGOING[record.state]),
            str(record.sender.author),
            record.userid,
            record.account,
            record.subject,
            ", ".join(
                f"{address} ({states[state] if address in shown else f'{self._bcc}, {states[state]}'})"
                for address, state in record.recipients.items()
            ),
            str(record.size),
            record.message_id,
            " ".join(filter(None, (self._translated(explained(last)), last["text"]))),
        )


def harmless(cell):
    """Return a text that a spreadsheet shows and does not compute."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def account_title(name):
    """Return the title of an account."""
    return _("Default account") if name == DEFAULT else name


def _record(request):
    id = request.form.get("id")
    record = outbox().get(id) if isinstance(id, str) else None
    if record is None:
        raise NotFound("id")
    return record
