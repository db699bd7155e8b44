"""Puts together the conversation around a document: what came in, what we sent, what was answered, in order of time.

The viewlet, and the fragment ``@@mailbridge-messages`` that its script reloads. Each line is read from what is stored; the text of
a message is fetched when the line is opened.
"""

from functools import cached_property
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.message_summary import summary_of
from imio.mailbridge.browser.readable import IShowsMessage
from imio.mailbridge.browser.readable import mail_of
from imio.mailbridge.desk.attachments import described
from imio.mailbridge.desk.attachments import FileLists
from imio.mailbridge.desk.attachments import files_of
from imio.mailbridge.desk.attachments import is_appendix
from imio.mailbridge.desk.sent_message import StatePage
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.rendition import rendition
from imio.mailbridge.iadocs.sending import related
from imio.mailbridge.outbox.permission import action_visible
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import LOST
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.outbox.visibility import visible_lines
from imio.mailbridge.outbox.visibility import visible_recipients
from imio.mailbridge.outbox.visibility import visible_state
from imio.mailbridge.settings.clock import site_zone
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from zc.relation.interfaces import ICatalog
from zope.component import getUtility
from zope.intid.interfaces import IIntIds


#: Documents and lines of one conversation, the newest; more are reached from those that are shown.
MAX_DOCUMENTS = 30
MAX_LINES = 60
#: So many lines that need somebody's eye are open from the start.
MAX_OPEN = 3
_OPEN = LOST | WAITING
_DOCUMENTS = (names.INCOMING_EMAIL, names.OUTGOING_MAIL)


def documents_around(context):
    """Return the documents that answer one another around ``context``, itself first, as far as the current user may view them."""
    found, ways = {context.getPhysicalPath(): context}, [context]
    while ways and len(found) < MAX_DOCUMENTS:
        for document in _beside(ways.pop(0)):
            path = document.getPhysicalPath()
            if path not in found and api.user.has_permission("View", obj=document):
                found[path] = document
                ways.append(document)
    return list(found.values())[:MAX_DOCUMENTS]


def _beside(document):
    """Return what a document answers, and what answers it."""
    if document.portal_type not in _DOCUMENTS:
        return []
    query = {"to_id": getUtility(IIntIds).queryId(document), "from_attribute": "reply_to"}
    answers = [each.from_object for each in getUtility(ICatalog).findRelations(query) if not each.isBroken()]
    found = [*related(document, "reply_to"), *answers]
    return [each for each in found if each is not None and each.portal_type in _DOCUMENTS]


def messages_of(document):
    """Return what agents wrote from a document, the newest first."""
    return [record for record in outbox().of_document(IUUID(document)) if record.origin == "agent"]


def conversation(context):
    """Return (the lines of a conversation, the oldest first; whether there may be more).

    ``context`` must be visible to the current user.
    """
    lines, documents = [], documents_around(context)
    for number, document in enumerate(documents):
        messages = messages_of(document)
        lines += [_sent(record) for record in messages]
        if document.portal_type == names.INCOMING_EMAIL:
            lines.append(_received(document, is_here=number == 0))
        elif document.portal_type == names.OUTGOING_MAIL and not messages and number:
            lines.append(_unsent(document))
    is_cut = len(lines) > MAX_LINES or len(documents) == MAX_DOCUMENTS
    lines = sorted(lines, key=lambda line: line["at"])[-MAX_LINES:]
    waiting = [line for line in lines if line["kind"] == "sent" and line["state"] in _OPEN]
    for line in waiting[-MAX_OPEN:]:
        line["is_open"] = True
        line["message"] = summary_of(line["record"])
    return lines, is_cut


def _line(kind, at, key, **values):
    return {
        "kind": kind,
        "at": at,
        "key": key,
        "is_open": False,
        "is_here": False,
        "waiting": False,
        **values,
    }


def _sent(record):
    state, recipients = visible_state(record), visible_recipients(record)
    return _line(
        "sent",
        record.created,
        record.id,
        record=record,
        who=record.sender.author.display_name or record.sender.author.addr_spec,
        to=_shortened([*recipients]),
        subject=record.subject,
        state=state,
        title=titles.OUTGOING[state],
        colour=titles.colour(state),
        version=f"{len(visible_lines(record))}.{state}",
        waiting=state in WAITING,
    )


def _shortened(addresses):
    return ", ".join(addresses[:2]) + (f" +{len(addresses) - 2}" if len(addresses) > 2 else "")


def _received(document, is_here):
    received = document.reception_date
    at = received.replace(tzinfo=site_zone()) if received is not None else document.created().asdatetime()
    return _line(
        "received",
        at,
        IUUID(document),
        document=document,
        is_here=is_here,
        who=document.orig_sender_email or "",
        subject=document.Title(),
        state="received",
        title=_("received"),
        colour="info",
        version="",
    )


def _unsent(document):
    workflows = api.portal.get_tool("portal_workflow")
    state = api.content.get_state(document, default="")
    return _line(
        "unsent",
        document.created().asdatetime(),
        IUUID(document),
        document=document,
        subject=document.Title(),
        who="",
        state="unsent",
        title=workflows.getTitleForStateOnType(state, document.portal_type),
        colour="secondary",
        version="",
    )


class Conversation(FileLists, StatePage, BrowserView):
    """The lines as a fragment of HTML: ``@@mailbridge-messages``."""

    def __call__(self):
        self.lines, self.is_cut = conversation(self.context)
        self.version = " ".join(f"{line['key'][:8]}.{line['version']}" for line in self.lines)
        return self.index()

    @property
    def is_shown(self):
        """Tell whether there is more than the message that the page itself shows."""
        return any(not line["is_here"] for line in self.lines)

    @property
    def is_of_documents(self):
        """Tell whether this is a conversation and not the list of what was written to a contact."""
        return self.context.portal_type in _DOCUMENTS

    def message_url(self, line):
        """Return the address of a message that was sent."""
        return f"{api.portal.get().absolute_url()}/@@mailbridge-sent-message?id={line['key']}"

    def letter(self, line):
        """Return the address of the text of a document that came in, and its files."""
        file = mail_of(line["document"])
        files = [each for each in files_of(line["document"]) if is_appendix(each)]
        made = rendition(file) if file is not None else None
        return {
            "frame": f"{file.absolute_url()}/@@mailbridge-frame" if file is not None else "",
            "head": made.head if made is not None and made.head is not None else {},
            "files": described(files),
        }


class ConversationViewlet(ViewletBase):
    """The lines below the title of a contact or of another document, and a button to write."""

    @property
    def available(self):
        """Tell whether there is something to show; pages that show the conversation themselves are not concerned."""
        return not IShowsMessage.providedBy(self.view) and (self.can_send or self.has_messages)

    @cached_property
    def can_send(self):
        """Tell whether the user is offered to write an e-mail."""
        return action_visible(self.context)

    @cached_property
    def has_messages(self):
        """Tell whether any e-mail was written from here."""
        return bool(messages_of(self.context))
