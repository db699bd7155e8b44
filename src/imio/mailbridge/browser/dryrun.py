"""What would the bridge make of this message? The page ``@@mailbridge-dry-run``: a file in, a report out, and test cases."""

from imio.mailbridge.browser import evidence
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.browser.message_view import name_of
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.iadocs import reading
from imio.mailbridge.inbound import cases
from imio.mailbridge.inbound.dry_run import dry_run
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.message.rendition.html_document import body
from imio.mailbridge.message.rendition.html_document import document
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import IStateRow
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound
import base64
import hashlib
import time
import zlib


#: The page sends the message back, compressed and encoded, when it is kept; Zope takes 1 MiB of form fields.
MAX_ENCODED = 900_000
MAX_KEPT = 20_000_000
#: A larger text is not shown in the page.
MAX_PREVIEW = 2_000_000
#: Running all cases ends after this, in seconds: each of them may wait for DNS.
RUN_TIME = 60

STATES = {
    **{state: titles.INCOMING[state] for state in ("filed", "recorded", "quarantined")},
    "refused": _("refused: the mail server would be told that this is not a mail-in address"),
}
FIELDS = {
    "title": _("Subject"),
    "orig_sender_email": _("Original sender"),
    "sender": _("Senders"),
    "original_mail_date": _("Date of the mail"),
    "treating_groups": _("Treating service"),
    "assigned_user": _("Assigned agent"),
    "reply_to": _("Answers"),
}
#: What a test case compares, for people.
COMPARED = {
    "state": _("It would be"),
    "transfer": _("How it came in"),
    "reason": _("Reason"),
    "count": _("Number of messages"),
    "from": _("Original sender"),
    "subject": _("Subject"),
    "row": _("Row of the routing"),
    "state_row": _("Row of the states"),
    "service": _("Treating service"),
    "user": _("Assigned agent"),
}


class DryRunView(BrowserView):
    """The page: a file, its envelope, what came of it, and the test cases."""

    shown = None
    problem = ""

    def __call__(self):
        form = self.request.form
        act = next((name for name in ("examine", "keep", "delete") if name in form), None)
        if act is None:
            return self.index()
        if self.request.method != "POST":
            raise NotFound("mailbridge-dry-run")
        CheckAuthenticator(self.request)
        return getattr(self, f"_{act}")()

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-dry-run"

    def _entered(self, name):
        value = self.request.form.get(name)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def envelope(self):
        """Return the envelope that was typed in."""
        recipient, sender, client = (
            self._entered(name)[:320].lower() for name in ("recipient", "sender", "client")
        )
        return Envelope(recipient.strip("<>"), sender.strip("<>"), client, sender == "<>")

    def recipients(self):
        """Return the mail-in addresses, to choose from."""
        return list(settings().mailin_addresses)

    def _examine(self):
        upload = self.request.form.get("file")
        limit = settings().max_size
        raw = upload.read(limit + 1) if hasattr(upload, "read") else b""
        if not raw:
            self.problem = _("Choose a file first: a message saved as .eml or .msg.")
        elif len(raw) > limit:
            self.problem = _("The message is larger than ${limit} bytes.", mapping={"limit": limit})
        else:
            self._show(raw, self.envelope(), " ".join(str(getattr(upload, "filename", "")).split()))
        return self.index()

    def _show(self, raw, envelope, name):
        run = dry_run(raw, envelope)
        sentence, remedy = reason_texts(run.reason)
        encoded = base64.urlsafe_b64encode(zlib.compress(raw)).decode()
        self.shown = {
            "name": name[:200],
            "size": readable_size(len(raw)),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "transfer": titles.TRANSFER[run.decision.found.transfer.value],
            "state": STATES[run.state],
            "sentence": translatable(sentence),
            "remedy": translatable(remedy),
            "proof": evidence.PROOFS[run.decision.proof.value if run.decision.proof else ""],
            "seen": evidence.seen(run.decision.found.evidence),
            "verdicts": evidence.verdicts(run.decision.verdicts),
            "messages": [self._message(outcome) for outcome in run.outcomes],
            "kept": encoded if len(encoded) <= MAX_ENCODED and len(raw) <= MAX_KEPT else "",
            "envelope": envelope,
        }

    def _message(self, outcome):
        original, chosen = outcome.candidate.original, outcome.candidate.route
        known = uuidToCatalogBrain(outcome.known_item) if outcome.known_item else None
        words = reading.labels()
        preview = document(body(original.source, words), words)
        return {
            "subject": original.subject or "",
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
            "files": [f"{file.filename} ({readable_size(file.size)})" for file in original.attachments],
            "preview": preview if len(preview) <= MAX_PREVIEW else "",
        }

    def _why_not(self, what, schema, row, field):
        words = {"what": api.portal.translate(what), "field": api.portal.translate(schema[field].title)}
        return _(
            "${what}, row ${row}: “${field}” does not hold.",
            mapping={**words, "row": str(row)},
        )

    def _readable(self, name, value):
        if name in ("assigned_user", "user"):
            return name_of(value)
        if isinstance(value, list | tuple):
            return ", ".join(each.Title() for each in value)
        brain = uuidToCatalogBrain(value) if isinstance(value, str) and len(value) == 32 else None
        return brain.Title if brain is not None else str(value)

    # test cases

    def cases(self):
        """Return the test cases; with ``run`` in the request also what each would give today."""
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
            api.portal.show_message(_("The message could not be kept."), self.request, "error")
        else:
            try:
                cases.keep(self._entered("name")[:200], raw, self.envelope())
            except cases.TooMany:
                mapping = {"count": str(cases.MAX_CASES)}
                text = _("There are ${count} test cases already: delete some first.", mapping=mapping)
                api.portal.show_message(text, self.request, "warning")
            else:
                api.portal.show_message(_("The message is kept as a test case."), self.request)
        return self.request.response.redirect(self.url)

    def _sent_back(self):
        """Return the bytes of the message that the page sends back, or none when they are damaged or too many."""
        try:
            packed = base64.b64decode(self._entered("kept"), altchars=b"-_", validate=True)
            raw = zlib.decompressobj().decompress(packed, MAX_KEPT + 1)
        except (ValueError, zlib.error):
            return b""
        return raw if len(raw) <= MAX_KEPT else b""

    def _delete(self):
        if cases.forget(self._entered("delete")):
            api.portal.show_message(_("The test case is deleted."), self.request)
        return self.request.response.redirect(self.url)
