"""What the catalog knows of a mail: what lists sort and filter by and show, and the words that find it.

Services and agents stand in the catalog by uid or userid: who shows them looks up the present names. Blind copies stand nowhere.
"""

from Acquisition import aq_base
from Acquisition import aq_inner
from Acquisition import aq_parent
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.documents import IMail
from imio.mailbridge.iadocs.mail_text import MAX_TEXT
from imio.mailbridge.iadocs.mail_text import text_of
from imio.mailbridge.iadocs.sending import related
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import TAKEN
from imio.mailbridge.settings.clock import local_time
from plone.indexer import indexer
from plone.uuid.interfaces import IUUID
import unicodedata


_FILES = (names.MAIN_FILE, names.OUTGOING_MAIN_FILE, names.APPENDIX_FILE)
#: Characters of names in a list; messages from a document whose text finds it, the newest first.
_MAX_NAMES, _MAX_MESSAGES = 200, 20


@indexer(IMail)
def mailbridge_agent(mail):
    """Index the userid of the agent in charge or the uid of the position that sends; an empty string for none."""
    return _agent(mail)


@indexer(IMail)
def mailbridge_service(mail):
    """Index the uid of the treating service; an empty string for none."""
    return _field(mail, "treating_groups") or ""


@indexer(IMail)
def mailbridge_date(mail):
    """Index when the mail was received or sent; one that was not yet, when it was made."""
    return _date(mail) or mail.created()


@indexer(IMail)
def mailbridge_files(mail):
    """Index the number of attachments."""
    return len(_attachments(mail))


@indexer(IMail)
def mailbridge_name(mail):
    """Index the name of the sender or of the recipients, without capitals and accents, to sort by."""
    decomposed = unicodedata.normalize("NFKD", _names(mail).casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


@indexer(IMail)
def mailbridge_answers(mail):
    """Index the uids of the mails that this one answers; its own, when an answer was sent from it."""
    answered = [IUUID(each) for each in related(mail, "reply_to")]
    if mail.portal_type == names.INCOMING_EMAIL and any(
        state in TAKEN for record in _messages(mail) for state in record.open_recipients.values()
    ):
        answered.append(IUUID(mail))
    return answered


@indexer(IMail)
def mailbridge_line(mail):
    """Return the metadata that a list shows of a mail, as plain values."""
    return {
        "name": _names(mail),
        "date": _date(mail),
        "service": _field(mail, "treating_groups") or "",
        "agent": _agent(mail),
        "files": len(_attachments(mail)),
    }


@indexer(IMail)
def searchable_text(mail):
    """Index subject, reference, people with their addresses, text and attachments of a mail, and what was sent from it."""
    people = [_field(mail, name) for name in ("orig_sender_email", "email_recipient", "email_cc")]
    people += [each.Title() for name in ("sender", "recipients") for each in _related_contacts(mail, name)]
    references = [_field(mail, name) for name in ("internal_reference_no", "external_reference_no")]
    texts = [mail.Title(), *references, _field(mail, "email_subject"), *people]
    texts += [file.Title() for file in _attachments(mail)]
    texts += [file.file.filename for file in _attachments(mail) if file.file]
    body = _field(mail, "email_body")
    texts += [text_of(mail), "\n".join(html_lines(body.raw)) if getattr(body, "raw", None) else ""]
    texts += [text for record in _messages(mail) for text in _words(record)]
    return masked("\n".join(filter(None, texts)))[: 2 * MAX_TEXT]


def file_changed(file, event):
    """Index a mail again to which a file was added or in which one changed (subscriber)."""
    if event.object is file and getattr(file, "portal_type", "") in _FILES:
        _reindex(aq_parent(aq_inner(file)))


def file_removed(file, event):
    """Index a mail again from which a file was removed, unless it goes as a whole (subscriber)."""
    if event.object is file and getattr(file, "portal_type", "") in _FILES:
        _reindex(event.oldParent)


def _reindex(mail):
    if IMail.providedBy(mail):
        mail.reindexObject(idxs=["SearchableText", "mailbridge_files"])


def _field(mail, name):
    return getattr(aq_base(mail), name, None)


def _is_outgoing(mail):
    return mail.portal_type == names.OUTGOING_MAIL


def _agent(mail):
    sender = _field(mail, "sender") if _is_outgoing(mail) else ""
    return _field(mail, "assigned_user") or (sender if isinstance(sender, str) else "") or ""


def _date(mail):
    """Return when a mail was received or sent, as a datetime in the time of the site; None before it is sent."""
    if not _is_outgoing(mail):
        return _field(mail, "reception_date")
    return _field(mail, "outgoing_date") or max(filter(None, map(_sent, _messages(mail))), default=None)


def _sent(record):
    times = [
        line["at"]
        for line in record.history
        if line["state"] == "sent" and line["recipient"] in record.open_recipients
    ]
    return local_time(max(times)).replace(tzinfo=None) if times else None


def _names(mail):
    """Return the sender as a person calls them, or the recipients."""
    if not _is_outgoing(mail):
        typed, contacts = _field(mail, "orig_sender_email"), "sender"
    else:
        typed, contacts = _field(mail, "email_recipient") or _field(mail, "orig_sender_email"), "recipients"
    found = [
        each.display_name or each.addr_spec if isinstance(each, Address) else str(each)
        for each in typed_addresses(typed or "")
    ] or [each.Title() for each in _related_contacts(mail, contacts)]
    return masked(", ".join(found))[:_MAX_NAMES]


def _related_contacts(mail, name):
    return related(mail, name) if isinstance(_field(mail, name), list | tuple) else ()


def _attachments(mail):
    kinds = (names.APPENDIX_FILE, names.OUTGOING_MAIN_FILE)
    return [file for file in mail.objectValues() if file.portal_type in kinds]


def _messages(mail):
    """Return the messages that were written from a mail and that others than their blind copies know of."""
    records = outbox().of_document(IUUID(mail))[:_MAX_MESSAGES]
    return [record for record in records if record.open_recipients]


def _words(record):
    yield record.subject
    for address in (*record.to, *record.cc):
        yield str(address)
    if record.written is not None:
        yield "\n".join(html_lines(record.written.data.get("body", "")))
