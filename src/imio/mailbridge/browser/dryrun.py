"""What would the bridge make of this message? Nothing is stored, unless somebody keeps it as a test case.

A test case is a message with its envelope and what came of it; run again after a change of the settings, it says what changed.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import asdict
from imio.mailbridge.browser import evidence
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.moment import readable_time
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.examine import Envelope
from imio.mailbridge.inbound.examine import examine
from imio.mailbridge.inbound.interfaces import Filing
from imio.mailbridge.inbound.interfaces import IFiler
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.message.parse import parse
from imio.mailbridge.settings.interfaces import IRoutingRow
from imio.mailbridge.settings.interfaces import IStateRow
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from persistent import Persistent
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import base64
import hashlib
import zlib


KEY = "imio.mailbridge.test_cases"
MAX_CASES = 200
#: A larger message is examined, but cannot be kept from the page that shows it.
MAX_KEPT = 2_000_000

FIELDS = {
    "title": _("Subject"),
    "orig_sender_email": _("Original sender"),
    "sender": _("Senders"),
    "original_mail_date": _("Date of the mail"),
    "treating_groups": _("Treating service"),
    "assigned_user": _("Assigned agent"),
    "reply_to": _("Answers"),
}


class TestCase(Persistent):
    """A kept message: ``raw`` (blob), ``envelope``, and the ``result`` of when it was kept."""

    def __init__(self, name, raw, envelope, result):
        self.name, self.envelope, self.result, self.created = name, envelope, result, now()
        self.raw = Blob(raw)


def cases():
    """Return the test cases of the site by id, to read them."""
    return IAnnotations(getSite()).get(KEY) or {}


def examined(raw, envelope):
    """Return the parsed message, what it is, and what would result, in plain values."""
    message = parse(raw)
    found = examine(envelope, message, settings(), final=True)
    filer = IFiler(getSite(), None)
    outcomes = []
    for candidate in found.candidates:
        filing = Filing(
            copy_to=candidate.original.source.copy_to,
            author=candidate.original.author,
            subject=candidate.original.subject or "",
            date=candidate.original.date,
            received=now(),
            service=candidate.facts.service,
            transferred_by=candidate.facts.transferred_by if candidate.facts.forward == "agent" else "",
            reply_to="",
            attachments=candidate.original.attachments,
            media_type=candidate.original.source.media_type,
            route=candidate.route,
            facts=candidate.facts,
        )
        outcomes.append((candidate, filer.fields(filing) if filer is not None else ({}, ())))
    return message, found, outcomes


def result_of(found, outcomes):
    """Return what a test case compares: transfer, reason, and of each message what would be filed."""
    return {
        "transfer": found.found.transfer.value,
        "reason": found.found.reason or "",
        "messages": [
            {
                "from": str(candidate.original.author or ""),
                "subject": candidate.original.subject or "",
                "row": candidate.route.row,
                "state_row": candidate.route.state_row,
                "service": fields.get("treating_groups") or "",
                "user": fields.get("assigned_user") or "",
            }
            for candidate, (fields, _notes) in outcomes
        ],
    }


class DryRun(BrowserView):
    """The page: a file, its envelope, what came of it, and the test cases."""

    shown = None
    problem = ""

    def __call__(self):
        form = self.request.form
        if self.request.method == "POST":
            CheckAuthenticator(self.request)
            if "keep" in form:
                return self._keep()
            if "delete" in form:
                return self._delete(form["delete"])
            self._examine()
        return self.index()

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-dry-run"

    def envelope(self):
        """Return the envelope that was typed in."""
        words = {
            name: " ".join(str(self.request.form.get(name) or "").split())[:320].lower()
            for name in ("recipient", "sender", "client")
        }
        rows = settings().mailin_addresses or ()
        recipient = words["recipient"] or (rows[0]["address"].lower() if len(rows) == 1 else "")
        return Envelope(recipient, words["sender"].strip("<>"), words["client"], words["sender"] == "<>")

    def _examine(self):
        upload = self.request.form.get("file")
        limit = settings().max_size
        raw = upload.read(limit + 1) if hasattr(upload, "read") else b""
        if not raw:
            self.problem = _("Choose a file first: a message saved as .eml or .msg.")
        elif len(raw) > limit:
            self.problem = _("The message is larger than ${limit} bytes.", mapping={"limit": limit})
        else:
            self._show(raw, self.envelope(), getattr(upload, "filename", "") or "")

    def _show(self, raw, envelope, name):
        message, found, outcomes = examined(raw, envelope)
        sentence, remedy = reason_texts(found.found.reason)
        self.shown = {
            "name": name[:200],
            "size": readable_size(len(raw)),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "transfer": titles.TRANSFER[found.found.transfer.value],
            "state": self._state(found),
            "sentence": translatable(sentence),
            "remedy": translatable(remedy),
            "proof": evidence.PROOFS[found.proof.value if found.proof else ""],
            "seen": evidence.seen(found.found.evidence),
            "verdicts": evidence.verdicts(found.verdicts),
            "messages": [self._message(*outcome) for outcome in outcomes],
            "kept": base64.b64encode(zlib.compress(raw)).decode() if len(raw) <= MAX_KEPT else "",
            "envelope": envelope,
        }

    def _state(self, found):
        if found.found.report is not None and found.found.reason is None:
            return titles.INCOMING["recorded"]
        filed = found.found.reason is None and found.arrived.address
        return titles.INCOMING["filed" if filed else "quarantined"]

    def _message(self, candidate, fields_and_notes):
        fields, notes = fields_and_notes
        original, chosen = candidate.original, candidate.route
        return {
            "subject": original.subject or "",
            "fields": [
                {"label": label, "text": self._readable(fields.get(name))}
                for name, label in FIELDS.items()
                if fields.get(name)
            ],
            "notes": [translatable(note) for note in notes],
            "route": self._route(chosen),
            "why_not": [self._why_not(IRoutingRow, *each) for each in chosen.why_not]
            + [self._why_not(IStateRow, *each) for each in chosen.state_why_not],
            "files": [f"{file.filename} ({readable_size(file.size)})" for file in original.attachments],
        }

    def _route(self, chosen):
        found = []
        if chosen.row:
            found.append(_("Row ${row} of the routing decided.", mapping={"row": str(chosen.row)}))
        else:
            found.append(_("No row of the routing decided."))
        if chosen.state_row:
            found.append(_("Row ${row} of the states decided.", mapping={"row": str(chosen.state_row)}))
        return found

    def _why_not(self, schema, row, field):
        title = api.portal.translate(schema[field].title)
        what = {IRoutingRow: _("Routing"), IStateRow: _("States")}[schema]
        return _(
            "${what}, row ${row}: “${field}” does not hold.",
            mapping={"what": api.portal.translate(what), "row": str(row), "field": title},
        )

    def _readable(self, value):
        if isinstance(value, list | tuple):
            return ", ".join(each.Title() for each in value)
        brain = uuidToCatalogBrain(value) if isinstance(value, str) and len(value) == 32 else None
        return brain.Title if brain is not None else str(value)

    # test cases

    def cases(self):
        """Return the cases; after “Run all” with what changed."""
        run = "run" in self.request.form
        return [
            self._case(id, case, run)
            for id, case in sorted(cases().items(), key=lambda item: item[1].created)
        ]

    def _case(self, id, case, run):
        shown = {
            "id": id,
            "name": case.name,
            "created": readable_time(case.created),
            "result": case.result,
            "changed": None,
        }
        if run:
            with case.raw.open("r") as stream:
                _message, found, outcomes = examined(stream.read(), Envelope(**case.envelope))
            today = result_of(found, outcomes)
            shown["changed"] = today != case.result
            shown["today"] = today
        return shown

    def _keep(self):
        form = self.request.form
        try:
            raw = zlib.decompress(base64.b64decode(str(form.get("kept") or ""), validate=True))
        except (ValueError, zlib.error):
            raw = b""
        if not raw or len(raw) > MAX_KEPT:
            api.portal.show_message(_("The message could not be kept."), self.request, "error")
            return self.request.response.redirect(self.url)
        annotations = IAnnotations(getSite())
        store = annotations.get(KEY)
        if store is None:
            store = annotations[KEY] = OOBTree()
        if len(store) >= MAX_CASES:
            api.portal.show_message(
                _(
                    "There are ${count} test cases already: delete some first.",
                    mapping={"count": str(MAX_CASES)},
                ),
                self.request,
                "warning",
            )
            return self.request.response.redirect(self.url)
        envelope = self.envelope()
        _message, found, outcomes = examined(raw, envelope)
        id = hashlib.sha256(raw + repr(envelope).encode()).hexdigest()
        name = " ".join(str(form.get("name") or "").split())[:200] or id[:12]
        store[id] = TestCase(name, raw, asdict(envelope), result_of(found, outcomes))
        api.portal.show_message(_("The message is kept as a test case."), self.request)
        return self.request.response.redirect(self.url)

    def _delete(self, id):
        store = IAnnotations(getSite()).get(KEY)
        if store is not None and id in store:
            del store[id]
        return self.request.response.redirect(self.url)
