"""What happened to this message, and what is to be done? The page of one incoming message, and an agent's own forwards."""

from AccessControl import Unauthorized
from datetime import datetime
from imio.mailbridge.browser import evidence
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.browser.readable import frame
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.iadocs import reading
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.ask import ask
from imio.mailbridge.inbound.ask import CannotAsk
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.process import decision_on
from imio.mailbridge.inbound.process import read
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.source import source
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.classification.gmail_confirmation import read_confirmation
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.app.uuid.utils import uuidToCatalogBrain
from plone.batching import Batch
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.schema.interfaces import IVocabularyFactory
import re


PAGE = 25


def may_see(record):
    """Tell whether the current user may see a record: managers of mail all, agents what they forwarded themselves."""
    return is_manager() or (bool(record.transferred_by) and record.transferred_by in own_addresses())


def own_addresses():
    """Return the addresses of the current user in lower case: of the own positions, and of the account where the directory agrees.

    Whoever may edit the own account could otherwise enter a colleague's address.
    """
    if api.user.is_anonymous():
        return ()
    user, directory = api.user.get_current(), IDirectory(getSite())
    found = [identity.address.addr_spec.lower() for identity in directory.identities(user.getId(), ())]
    email = (user.getProperty("email") or "").strip().lower()
    if email and directory.agent_userid(email) == user.getId():
        found.append(email)
    return tuple(dict.fromkeys(filter(is_addr_spec, found)))


class OfRecord(BrowserView):
    """A view of the record named by ``id``; who may not see it is told that there is none."""

    def __call__(self):
        id = self.request.form.get("id")
        record = inbox().get(id) if isinstance(id, str) else None
        if record is None or not may_see(record):
            if api.user.is_anonymous():
                raise Unauthorized("Log in to see this message.")
            raise NotFound("id")
        self.record = record
        return self.show()

    def message(self):
        """Return the whole message, parsed."""
        return read(self.record)


class Frame(OfRecord):
    """The text of the message, or of one attached to it (``part``, from 0)."""

    def show(self):
        """Return the document of the sandboxed frame."""
        message, part = self.message(), self.request.form.get("part", "")
        if isinstance(part, str) and part.isdecimal() and len(part) < 4:
            candidates = decision_on(self.record, message, settings()).candidates
            if int(part) >= len(candidates):
                raise NotFound("part")
            message = candidates[int(part)].original.source
        return frame(message, self.request.response)


class Source(OfRecord):
    """The bytes as they came."""

    def show(self):
        """Return the download."""
        return source(self.record, self.request.response)


class MessageView(OfRecord):
    """Everything about one message, and the decisions a person can take."""

    def show(self):
        """Act on a button, else show the page."""
        for name in ("proposal", "direct", "replay", "discard", "ask", "mailbox"):
            if name in self.request.form:
                return self._act(name)
        self.parsed = self.message()
        self.decision = decision_on(self.record, self.parsed, settings())
        return self.index()

    @property
    def url(self):
        """Return the address of this page."""
        return f"{api.portal.get().absolute_url()}/@@mailbridge-inbox-message?id={self.record.id}"

    def _act(self, name):
        if self.request.method != "POST":
            raise NotFound(name)
        CheckAuthenticator(self.request)
        if name != "discard" and not self.may_decide():
            raise Unauthorized("Only managers of mail may do this.")
        if name == "mailbox" and not self.may_set_up():
            raise Unauthorized("Only administrators of mail may do this.")
        try:
            said = getattr(self, f"_{name}")()
        except review.NotPossible as error:
            api.portal.show_message(error.message, self.request, "warning")
        else:
            api.portal.show_message(said, self.request)
        return self.request.response.redirect(self.url)

    def _data(self, as_):
        form = self.request.form
        date = form.get("date") or ""
        return {
            "as": as_,
            "sender": form.get("sender") or "",
            "date": date,
            "service": form.get("service") or "",
        }

    def _filed(self):
        if self.record.state == "filed":
            return _("The message is filed as you said.")
        return _("The message could not be filed; the page says why.")

    def _proposal(self):
        review.accept(self.record, self._data("proposal"))
        return self._filed()

    def _direct(self):
        review.accept(self.record, self._data("direct"))
        return self._filed()

    def _replay(self):
        review.replay(self.record, {})
        return _("The message was treated again.")

    def _discard(self):
        review.discard(self.record, {"reason": self.request.form.get("reason") or ""})
        return _("The message is discarded; its original is kept.")

    def _ask(self):
        try:
            ask(self.record, self.message())
        except CannotAsk as error:
            raise review.NotPossible(400, error.args[0]) from error
        return _("The agent gets an e-mail that explains how to forward as attachment.")

    def _mailbox(self):
        """Declare the mailbox that a mark names."""
        address = self.undeclared()
        if not address:
            raise review.NotPossible(400, _("The message names no mailbox."))
        records = stored_settings()
        row = {"address": address, "service": review.service(self.request.form.get("service")) or None}
        records.mailboxes = [*(records.mailboxes or []), row]
        return _("The mailbox is one of yours now; replay the message to apply it.")

    # what the page shows

    def may_decide(self):
        """Tell whether the user is a manager of mail."""
        return is_manager()

    def may_set_up(self):
        """Tell whether the user may change the settings."""
        return api.user.has_permission("Plone Site Setup: Mail", obj=api.portal.get())

    def is_open(self):
        """Tell whether there is something left to review."""
        return self.record.state in OPEN

    def texts(self):
        """Return what happened and what to do, in sentences."""
        sentence, remedy = reason_texts(self.record.reason)
        return {
            "state": titles.INCOMING[self.record.state],
            "colour": titles.colour(self.record.state),
            "sentence": translatable(sentence),
            "remedy": translatable(remedy),
            "error": self.record.error,
        }

    def facts(self):
        """Return what is kept with the message."""
        return evidence.facts(self.record)

    def seen(self):
        """Return what the detectors saw."""
        return evidence.seen(self.record.evidence)

    def verdicts(self):
        """Return what verifying gave."""
        return evidence.verdicts((*self.record.verdicts, *self.record.authenticated))

    def history(self):
        """Return what happened, the oldest first."""
        return evidence.history(self.record)

    def confirmation(self):
        """Return what Google asks for, or None."""
        return read_confirmation(self.parsed)

    def undeclared(self):
        """Return the mailbox that a mark names and the settings do not, or an empty string."""
        if self.record.reason != "undeclared-mailbox":
            return ""
        values = settings()
        known = {*values.mailin_addresses, *values.source_mailboxes}
        found = re.findall(
            r"[^\s<>,;:\"'()]+@[^\s<>,;:\"'()]+", " ".join(each[1] for each in self.record.evidence)
        )
        return next((each.lower() for each in found if is_addr_spec(each) and each.lower() not in known), "")

    def may_ask(self):
        """Tell whether the person who forwarded can be told how to."""
        return self.record.reason == "inline-forward" and not self.record.source_mailbox

    def _candidate(self):
        decision = decision_on(self.record, self.message(), settings())
        return next(iter(decision.candidates), None)

    def proposal(self):
        """Return the values of the form, of the first message that would be filed; None where there is none."""
        if not self.decision.candidates:
            return None
        original = self.decision.candidates[0].original
        date = local_time(original.date) if isinstance(original.date, datetime) else None
        return {
            "sender": str(original.author or ""),
            "date": date.isoformat(timespec="minutes") if date else "",
            "subject": original.subject or "",
            "count": len(self.decision.candidates),
            "text": (original.text or "")[:3000] if original.message_id != original.source.message_id else "",
        }

    def parts(self):
        """Return each message that would be filed: its subject, author, attachments and frame."""
        base = api.portal.get().absolute_url()
        shown = [
            {
                "subject": each.original.subject or "",
                "author": str(each.original.author or ""),
                "files": [
                    f"{file.filename} ({readable_size(file.size)})" for file in each.original.attachments
                ],
                "rows": reading.rows(each.original.source, reading.labels()),
                "frame": f"{base}/@@mailbridge-inbox-frame?id={self.record.id}&part={number}",
            }
            for number, each in enumerate(self.decision.candidates)
        ]
        return shown or [
            {
                "subject": self.parsed.subject or "",
                "author": str(self.parsed.author or ""),
                "files": [
                    f"{file.filename} ({readable_size(file.size)})" for file in self.parsed.attachments
                ],
                "rows": reading.rows(self.parsed, reading.labels()),
                "frame": f"{base}/@@mailbridge-inbox-frame?id={self.record.id}",
            }
        ]

    def documents(self):
        """Return the documents made of it that the user may see."""
        brains = [uuidToCatalogBrain(uid) for uid in self.record.items]
        return [
            {"url": brain.getURL() + "/view", "title": brain.Title} for brain in brains if brain is not None
        ]

    def services(self):
        """Return uid and name of the services."""
        factory = getUtility(IVocabularyFactory, "imio.mailbridge.services")
        return [(term.value, term.title or term.token) for term in factory(self.context)]


class MyForwards(BrowserView):
    """What became of the messages that the current user forwarded, the newest first."""

    def __call__(self):
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your forwards.")
        return self.index()

    def batch(self):
        """Return the ids of one page."""
        start = self.request.form.get("b_start")
        start = int(start) if isinstance(start, str) and start.isdecimal() and len(start) < 9 else 0
        return Batch(inbox().forwarded_by(own_addresses()), PAGE, start)

    def row(self, id):
        """Return what is shown of a record."""
        record = inbox().get(id)
        return {
            "url": f"{self.context.absolute_url()}/@@mailbridge-inbox-message?id={id}",
            "received": readable_time(record.created),
            "subject": record.subject,
            "author": record.author,
            "state": titles.INCOMING[record.state],
            "colour": titles.colour(record.state),
            "sentence": translatable(reason_texts(record.reason)[0]),
        }
