"""The page of one incoming message, ``@@mailbridge-inbox-message?id=``: its text, what happened, and the decisions on it.

``@@mailbridge-inbox-frame`` is the text of the message, ``@@mailbridge-source`` the bytes as they came.
"""

from AccessControl import Unauthorized
from datetime import datetime
from functools import cached_property
from imio.mailbridge.browser import evidence
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.inbox_access import visible_record
from imio.mailbridge.browser.inbox_list import InboxList
from imio.mailbridge.browser.inbox_list import list_url
from imio.mailbridge.browser.inbox_list import review_url
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.browser.preview import lock
from imio.mailbridge.browser.preview import preview
from imio.mailbridge.browser.review_choices import DECISIONS
from imio.mailbridge.browser.review_choices import document_links
from imio.mailbridge.browser.review_choices import services
from imio.mailbridge.browser.review_choices import why_discarded
from imio.mailbridge.browser.sender import contacts
from imio.mailbridge.browser.sender import unknown_author
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.iadocs import reading
from imio.mailbridge.inbound import reasons
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.ask import ask
from imio.mailbridge.inbound.ask import CannotAsk
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.looking import others_looking
from imio.mailbridge.inbound.process import decision_on
from imio.mailbridge.inbound.process import read
from imio.mailbridge.inbound.source import source
from imio.mailbridge.inbound.source import why_gone
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.classification.gmail_confirmation import read_confirmation
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import MANAGE
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.size import name_and_size
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound
import re


class OfRecord:
    """Mixin of views of the record named by ``id``; users who may not see it are told that there is none."""

    @cached_property
    def record(self):
        """The record; errors: ``NotFound``, ``Unauthorized`` where a log-in may help."""
        try:
            return visible_record(self.request)
        except NotFound:
            if api.user.is_anonymous():
                raise Unauthorized("Log in to see this message.") from None
            raise

    @cached_property
    def why_gone(self):
        """A sentence where the bytes of the message cannot be read, or an empty string."""
        return why_gone(self.record)

    @cached_property
    def parsed(self):
        """The whole message, parsed; errors: ``NotFound`` where its bytes were deleted, ``POSKeyError`` where they are lost."""
        if self.record.raw is None:
            raise NotFound("source")
        return read(self.record)


class Frame(OfRecord, BrowserView):
    """The text of the message, or of one attached to it (``part``, from 0)."""

    def __call__(self):
        message, part = self.parsed, self.request.form.get("part", "")
        if isinstance(part, str) and part.isdecimal() and len(part) < 4:
            candidates = decision_on(self.record, message, settings()).candidates
            if int(part) >= len(candidates):
                raise NotFound("part")
            message = candidates[int(part)].original.source
        lock(self.request, max_age=300)
        return preview(message)


class Source(OfRecord, BrowserView):
    """The download of the bytes as they came."""

    def __call__(self):
        if self.record.raw is None:
            raise NotFound("source")
        return source(self.record, self.request.response)


class MessageView(OfRecord, ButtonPage):
    """Everything about one message, and the decisions a person can take."""

    buttons = {
        "proposal": "_accept_proposal",
        "direct": "_accept_direct",
        "replay": "_replay",
        "discard": "_discard",
        "restore": "_restore",
        "ask": "_ask",
        "mailbox": "_declare_mailbox",
    }
    permissions = dict.fromkeys(("proposal", "direct", "replay", "ask", "mailbox"), MANAGE)
    #: What ``inbox.pt`` shows beside the list, and the page of a message alone.
    pane = ViewPageTemplateFile("templates/inbox_pane.pt")

    @cached_property
    def decision(self):
        """The decision on the message by today's rules."""
        return decision_on(self.record, self.parsed, self.settings)

    @cached_property
    def list(self):
        """The list that the message was opened from, or None for the page alone."""
        query = self.entered("list")
        return InboxList.from_query(query) if query else None

    def _press(self, name):
        before, self._next = self.record.state, ""
        if is_manager():
            self._next = (self.list or InboxList({})).after(self.record.id)
        try:
            super()._press(name)
        except review.NotPossible as error:
            self._say(error.message, "warning")
        self._is_done = before in OPEN and self.record.state not in OPEN

    @property
    def url(self):
        """Return the address of this page."""
        return review_url(self.record.id, self.list)

    @property
    def next_url(self):
        """Return the address of the next message that waits, after a decision of a manager; else that of this message."""
        if not is_manager():
            return self.url
        if self._is_done:
            opened = {"id": self._next} if self._next else {}
            return list_url(self.list or InboxList({}), **opened, done=self.record.id)
        return list_url(self.list, id=self.record.id) if self.list else self.url

    def _accept_proposal(self):
        self._accept("proposal")

    def _accept_direct(self):
        self._accept("direct")

    def _accept(self, as_):
        action, done = DECISIONS["accept"]
        form = self.request.form
        action(self.record, {"as": as_} | {name: form.get(name) for name in ("sender", "date", "service")})
        if self.record.state in OPEN:
            self._say(_("The message could not be filed; the page says why."), "warning")
        elif not is_manager():
            self._say(done)

    def _replay(self):
        action, done = DECISIONS["replay"]
        action(self.record, {})
        if self.record.state in OPEN:
            self._say(done)

    def _discard(self):
        action, done = DECISIONS["discard"]
        why = self.entered("discard")
        form = {"reason": self.request.form.get("reason"), "why": why if why in review.WHY else ""}
        action(self.record, form)
        if not is_manager():
            self._say(done)

    def _restore(self):
        if not self.may_restore():
            raise Unauthorized("Only who discarded the message may take it back.")
        action, done = DECISIONS["restore"]
        action(self.record, {})
        self._say(done)

    def _ask(self):
        if self.why_gone:
            raise review.NotPossible(409, self.why_gone)
        try:
            ask(self.record, self.parsed, self.settings)
        except CannotAsk as error:
            raise review.NotPossible(400, error.args[0]) from error
        self._say(_("The agent gets an e-mail that explains how to forward as attachment."))

    def _declare_mailbox(self):
        """Declare the source mailbox that a redirect mark names."""
        address = self.undeclared()
        if not address:
            raise review.NotPossible(400, _("The message names no mailbox."))
        records = stored_settings()
        row = {"address": address, "service": review.service(self.request.form.get("service")) or None}
        records.mailboxes = [*(records.mailboxes or []), row]
        self._say(_("The mailbox is now one of yours; replay the message to apply this."))

    # what the page shows

    def may_decide(self):
        """Tell whether the user is a manager of mail."""
        return is_manager()

    def may_restore(self):
        """Tell whether the user may take the message back: managers any, others what they discarded themselves."""
        line = review.decided_by(self.record)
        return is_manager() or (line is not None and line["by"] == api.user.get_current().getId())

    def why_discarded(self):
        """Return code and words of the reasons to discard a message."""
        return why_discarded()

    def first_decision(self):
        """Return in a sentence who dealt with the message, or an empty string."""
        return review.first_decision(self.record)

    def looking(self):
        """Return in sentences who else looks at the message, for managers."""
        users = others_looking(self.record.id, api.user.get_current().getId()) if is_manager() else ()
        return [_("${who} is looking at this message.", mapping={"who": user_name(user)}) for user in users]

    def list_url(self):
        """Return the address of the list that the message was opened from."""
        return list_url(self.list or InboxList({}), id=self.record.id)

    def can_create_contact(self):
        """Tell whether the author is no contact yet and the user may make one."""
        return contacts() is not None and unknown_author(self.record) is not None

    def primary(self):
        """Return the name of the button that files in the proposed way."""
        return "direct" if self.proposal() is None else "proposal"

    def is_open(self):
        """Tell whether there is something left to review."""
        return self.record.state in OPEN

    def texts(self):
        """Return state, reason, remedy and error in words."""
        sentence, remedy = reasons.reason_texts(self.record.reason, self.record.evidence)
        return {
            "state": titles.INCOMING[self.record.state],
            "colour": titles.colour(self.record.state),
            "label": translatable(reasons.reason_label(self.record.reason, self.record.evidence)),
            "sentence": translatable(sentence),
            "remedy": translatable(remedy),
            "error": masked(self.record.error),
        }

    def facts(self):
        """Return the facts that are kept with the message."""
        return evidence.facts(self.record)

    def seen(self):
        """Return what the detectors saw."""
        return evidence.seen(self.record.evidence)

    def verdicts(self):
        """Return the verdicts on signatures and seals."""
        return evidence.verdicts((*self.record.verdicts, *self.record.authenticated))

    def history(self):
        """Return the history, oldest first."""
        return evidence.history(self.record)

    def confirmation(self):
        """Return Google's request to confirm a forwarding, or None."""
        return None if self.why_gone else read_confirmation(self.parsed)

    def undeclared(self):
        """Return the mailbox that a redirect mark names and the settings do not, or an empty string."""
        by_agent = reasons.is_redirected_by_agent(self.record.evidence)
        if self.record.reason != "undeclared-mailbox" or by_agent:
            return ""
        known = {*self.settings.mailin_addresses, *self.settings.source_mailboxes}
        found = re.findall(
            r"[^\s<>,;:\"'()]+@[^\s<>,;:\"'()]+", " ".join(each[1] for each in self.record.evidence)
        )
        named = (each.lower() for each in found if is_addr_spec(each) and not is_secret(each))
        return next((each for each in named if each not in known), "")

    def may_ask(self):
        """Tell whether the forwarding agent can be told how to forward as attachment."""
        return self.record.reason == "inline-forward" and not self.record.source_mailbox

    def proposal(self):
        """Return the values of the form, from the first message that would be filed, or None."""
        if self.why_gone or not self.decision.candidates:
            return None
        original = self.decision.candidates[0].original
        date = local_time(original.date) if isinstance(original.date, datetime) else None
        return masked_data(
            {
                "sender": str(original.author or ""),
                "date": date.replace(tzinfo=None).isoformat(timespec="minutes") if date else "",
                "subject": original.subject or "",
                "count": len(self.decision.candidates),
                "text": (original.text or "")[:3000]
                if original.message_id != original.source.message_id
                else "",
            }
        )

    def parts(self):
        """Return each message that would be filed; the message itself where none would be, nothing where it is gone."""
        if self.why_gone:
            return []
        found = [
            self._part(each.original, each.original.source, f"&part={number}")
            for number, each in enumerate(self.decision.candidates)
        ]
        return found or [self._part(self.parsed, self.parsed, "")]

    def _part(self, message, source_message, query):
        frame_url = f"{api.portal.get().absolute_url()}/@@mailbridge-inbox-frame?id={self.record.id}{query}"
        return masked_data(
            {
                "subject": message.subject or "",
                "author": str(message.author or ""),
                "files": [name_and_size(file.filename, file.size) for file in message.attachments],
                "rows": reading.rows(source_message, reading.labels()),
                "frame": frame_url,
            }
        )

    def documents(self):
        """Return the documents made of it that the user may see."""
        return document_links(self.record.items)

    def services(self):
        """Return uid and name of the services."""
        return services(self.context)
