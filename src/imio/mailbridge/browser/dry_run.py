"""The page ``@@mailbridge-dry-run``: reports what the bridge would do with a message file, and runs the test cases."""

from functools import cached_property
from imio.mailbridge.browser import evidence
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.browser.preview import preview
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound import cases
from imio.mailbridge.inbound.dry_run import dry_run
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import IStateRow
from imio.mailbridge.settings.size import name_and_size
from imio.mailbridge.settings.size import readable_size
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
import base64
import hashlib
import time
import zlib


#: The page holds the message, compressed and encoded, and sends it back to keep it; Zope takes 1 MiB of form fields.
MAX_ENCODED = 900_000
MAX_KEPT = 20_000_000
#: A larger text is left out of the page.
MAX_PREVIEW = 2_000_000
#: Running the cases stops after this time, in seconds: each of them may wait for DNS.
RUN_TIME = 60

NO_FILE = _("Choose a file first: a message saved as .eml or .msg.")
STATES = {
    **{state: titles.INCOMING[state] for state in ("filed", "recorded", "quarantined")},
    "refused": _("refused: the mail server would be told that this is not a mail-in address"),
}
FIELDS = {
    "title": _("Subject"),
    "orig_sender_email": _("Original sender"),
    "sender": _("Senders"),
    "original_mail_date": _("Date of the mail"),
    "treating_groups": _("Handling service"),
    "assigned_user": _("Assigned agent"),
    "reply_to": _("Answers"),
}
#: What a test case compares.
COMPARED = {
    "state": _("It would be"),
    "transfer": _("How it came in"),
    "reason": _("Reason"),
    "count": _("Number of messages"),
    "from": _("Original sender"),
    "subject": _("Subject"),
    "row": _("Row of the routing"),
    "state_row": _("Row of the states"),
    "service": _("Handling service"),
    "user": _("Assigned agent"),
}


def _name(row):
    """Return a mail-in address; a secret one without its secret part, with its mailbox."""
    shown = masked(row.address)
    return f"{shown} ({row.source_mailbox})" if shown != row.address and row.source_mailbox else shown


class DryRunView(ButtonPage):
    """A file and its envelope, the report on it, and the test cases."""

    buttons = {"examine": "_examine", "keep": "_keep", "delete": "_delete"}
    report = None
    problem = ""

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-dry-run"

    def entered(self, name):
        """Return one text of the form in one line, or an empty string."""
        return " ".join(super().entered(name).split())

    def envelope(self):
        """Return the envelope that was entered."""
        recipient, sender, client = (
            self.entered(name)[:320].lower() for name in ("recipient", "sender", "client")
        )
        recipient = self._addresses.get(recipient, recipient)
        return Envelope(recipient.strip("<>"), sender.strip("<>"), client, sender == "<>")

    @cached_property
    def _addresses(self):
        """The mail-in addresses by what the page calls them."""
        return {_name(row): row.address for row in self.settings.mailin_addresses.values()}

    def recipients(self):
        """Return the names of the mail-in addresses, to choose from."""
        return list(self._addresses)

    def name_of(self, recipient):
        """Return what the page calls an envelope recipient."""
        row = self.settings.mailin_addresses.get(recipient)
        return _name(row) if row else masked(recipient)

    def _give_back(self):
        if "examine" in self.request.form:
            self.problem = NO_FILE
        return self._show()

    def _examine(self):
        upload = self.request.form.get("file")
        limit = self.settings.max_size
        raw = upload.read(limit + 1) if hasattr(upload, "read") else b""
        if not raw:
            self.problem = NO_FILE
        elif len(raw) > limit:
            self.problem = _("The message is larger than ${limit} bytes.", mapping={"limit": limit})
        else:
            name = " ".join(str(getattr(upload, "filename", "")).split())
            self.report = self._report(raw, self.envelope(), name)
        return self._show()

    def _report(self, raw, envelope, name):
        run = dry_run(raw, envelope)
        sentence, remedy = reason_texts(run.reason, run.decision.found.evidence)
        encoded = base64.urlsafe_b64encode(zlib.compress(raw)).decode()
        return {
            "name": name[:200],
            "size": readable_size(len(raw)),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "transfer": titles.TRANSFER[run.decision.found.transfer.value],
            "state": STATES[run.state],
            "sentence": translatable(sentence),
            "remedy": translatable(remedy),
            "proof": titles.PROOF[run.decision.proof.value if run.decision.proof else ""].sentence,
            "seen": evidence.seen(run.decision.found.evidence),
            "verdicts": evidence.verdicts(run.decision.verdicts),
            "messages": [self._message(outcome) for outcome in run.outcomes],
            "kept": encoded if len(encoded) <= MAX_ENCODED and len(raw) <= MAX_KEPT else "",
            "envelope": envelope,
        }

    def _message(self, outcome):
        original, chosen = outcome.candidate.original, outcome.candidate.route
        shown = preview(original.source)
        known = uuidToCatalogBrain(outcome.known_item) if outcome.known_item else None
        return {
            "subject": masked(original.subject or ""),
            "fields": [
                {"label": label, "text": self._readable(name, outcome.fields.get(name))}
                for name, label in FIELDS.items()
                if outcome.fields.get(name)
            ],
            "notes": [translatable(note) for note in outcome.notes],
            "known": {"url": f"{known.getURL()}/view", "title": known.Title} if known is not None else None,
            "route": evidence.decided(chosen.row, chosen.state_row) or [_("No row of the routing decided.")],
            "why_not": [self._why_not(_("Routing"), IRoutingRow, *each) for each in chosen.why_not]
            + [self._why_not(_("States"), IStateRow, *each) for each in chosen.state_why_not],
            "files": [
                name_and_size(file.filename, file.size)
                for file in (*original.attachments, *outcome.candidate.added)
            ],
            "preview": shown.decode() if len(shown) <= MAX_PREVIEW else "",
        }

    def _why_not(self, what, schema, row, field):
        words = {"what": api.portal.translate(what), "field": api.portal.translate(schema[field].title)}
        return _(
            "${what}, row ${row}: “${field}” does not hold.",
            mapping={**words, "row": str(row)},
        )

    def _readable(self, name, value):
        if name in ("assigned_user", "user"):
            return user_name(value)
        if isinstance(value, list | tuple):
            return ", ".join(each.Title() for each in value)
        brain = uuidToCatalogBrain(value) if isinstance(value, str) and len(value) == 32 else None
        return brain.Title if brain is not None else str(value)

    # test cases

    def cases(self):
        """Return the test cases; with ``run`` in the request also how the result of each differs today."""
        end = time.monotonic() + RUN_TIME
        run = "run" in self.request.form
        return [self._case(id, case, run and time.monotonic() < end) for id, case in cases.cases()]

    def ran(self):
        """Tell whether the cases are being run."""
        return "run" in self.request.form

    def _case(self, id, case, run):
        changes = list(cases.differences(case.result, case.today())) if run else []
        return {
            "id": id,
            "name": case.name,
            "created": readable_time(case.created),
            "ran": run,
            "result": [
                self._value("state", case.result["state"]),
                self._value("reason", case.result["reason"]),
            ],
            "changes": [
                {"label": COMPARED[key], "before": self._value(key, before), "today": self._value(key, today)}
                for key, before, today in changes
            ],
        }

    def _value(self, key, value):
        if key == "state":
            return STATES.get(value, value)
        if key == "transfer":
            return titles.TRANSFER.get(value, value)
        if key == "reason":
            return translatable(reason_texts(value)[0]) or value
        return self._readable(key, value)

    def _keep(self):
        raw = self._sent_back()
        if not raw:
            self._say(_("The message could not be kept."), "error")
            return
        try:
            cases.keep(self.entered("name")[:200], raw, self.envelope())
        except cases.TooMany:
            mapping = {"count": str(cases.MAX_CASES)}
            self._say(
                _("There are already ${count} test cases: delete some first.", mapping=mapping), "warning"
            )
        else:
            self._say(_("The message is kept as a test case."))

    def _sent_back(self):
        """Return the bytes of the message that the page sends back; none when they are damaged or too many."""
        try:
            packed = base64.b64decode(self.entered("kept"), altchars=b"-_", validate=True)
            raw = zlib.decompressobj().decompress(packed, MAX_KEPT + 1)
        except (ValueError, zlib.error):
            return b""
        return raw if len(raw) <= MAX_KEPT else b""

    def _delete(self):
        if cases.forget(self.entered("delete")):
            self._say(_("The test case has been deleted."))
