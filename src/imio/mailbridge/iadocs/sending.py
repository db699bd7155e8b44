"""The sending port of iA.docs: what its documents and contacts offer to an e-mail, one class for each kind of content."""

from AccessControl import Unauthorized
from Acquisition import aq_base
from Acquisition import aq_parent
from contextlib import contextmanager
from imio.mailbridge.behaviors.sending import ContentSendingContext
from imio.mailbridge.behaviors.sending import file_reference
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.iadocs import facts
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.indexers import contact_email
from imio.mailbridge.iadocs.indexers import contact_name
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.subject_prefix import is_answer
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.store.blobs import is_readable
from plone.api.env import adopt_roles
from plone.dexterity.utils import addContentToContainer
from plone.dexterity.utils import createContent
from plone.namedfile.file import NamedBlobFile
from plone.namedfile.interfaces import INamedBlobFile
from Products.CMFCore.utils import getToolByName
from Products.CMFCore.WorkflowCore import WorkflowException
from shutil import copyfileobj
from zope.annotation.interfaces import IAnnotations
from zope.component import adapter
from zope.i18n import translate
from zope.interface import implementer
import logging


#: on an incoming e-mail whose first answer has left
ANSWERED = "imio.mailbridge.iadocs.answered"

logger = logging.getLogger(__name__)


class _MailSendingContext(ContentSendingContext):
    """What incoming e-mails and outgoing mail have in common: appendices can be added."""

    def may_add_file(self):
        """Tell whether the current user may add an appendix."""
        return names.APPENDIX_FILE in {fti.getId() for fti in self.content.allowedContentTypes()}

    def add_file(self, filename, content_type, stream):
        """Add an appendix; errors: ``Unauthorized``."""
        if not self.may_add_file():
            raise Unauthorized(f"You may not add a {names.APPENDIX_FILE} here.")
        blob = NamedBlobFile(contentType=content_type, filename=filename)
        with blob.open("w") as target:
            copyfileobj(stream, target)
        return file_reference(
            addContentToContainer(self.content, createContent(names.APPENDIX_FILE, title=filename, file=blob))
        )


@adapter(ISendByEmail)
@implementer(ISendingContext)
class OutgoingMailSendingContext(_MailSendingContext):
    """Sending an outgoing mail: its e-mail fields prefill the form, and the result is written on it."""

    def defaults(self):
        """Return the values of the e-mail fields; without recipients there, those of the mail itself."""
        files = {file.uid for file in self.files()}
        body = self._field("email_body")
        return {
            "to": self._recipients(),
            "cc": _entries(self._field("email_cc")),
            "bcc": _entries(self._field("email_bcc")),
            "subject": self._field("email_subject") or self.content.Title(),
            "body": body.output_relative_to(self.content) if body else "",
            "attachments": [uid for uid in self._field("email_attachments") or () if uid in files],
            "sender": self._field("sender") or "",
        }

    def known_addresses(self):
        """Return the addresses of the e-mail fields, of the recipients, and of the senders of the e-mails that this answers."""
        fields = ("email_recipient", "email_cc", "email_bcc", "orig_sender_email")
        answered = [IncomingEmailSendingContext(document) for document in self._related("reply_to")]
        return addr_specs(map(self._field, fields), self._related("recipients")).union(
            *(each.known_addresses() for each in answered)
        )

    def facts(self, recipient):
        """Return those of the mail, of the e-mails that it answers, and of their senders and its recipients."""
        answered = [each for each in self._related("reply_to") if each.portal_type == names.INCOMING_EMAIL]
        senders = [contact for each in answered for contact in related(each, "sender")]
        return {
            **facts.of_document(self.content),
            **facts.of_answered(answered),
            **facts.of_recipient(recipient, [*self._related("recipients"), *senders]),
        }

    def write_status(self, sent, total, sent_at):
        """Write in the site's language ``Envoyé le 23/11/2026 à 14:05 : 2 destinataires sur 3``."""
        local = local_time(sent_at)
        values = {
            "day": f"{local:%d/%m/%Y}",
            "time": f"{local:%H:%M}",
            "sent": str(sent),
            "total": str(total),
        }
        one = _("Sent on ${day} at ${time}: 1 recipient of ${total}")
        sentence = plural(sent, one, _("Sent on ${day} at ${time}: ${sent} recipients of ${total}"), **values)
        language = getToolByName(self.content, "portal_languages").getDefaultLanguage()
        self.content.email_status = translate(sentence, target_language=language)
        self.content.setModificationDate()
        self.content.reindexObject(idxs=["modified", "SearchableText", "mailbridge_date"])

    def write_returned(self, returned):
        """Add ``1 revenu en erreur`` in the site's language."""
        values = {"status": self.content.email_status, "returned": str(returned)}
        sentence = plural(
            returned, _("${status}, 1 came back"), _("${status}, ${returned} came back"), **values
        )
        language = getToolByName(self.content, "portal_languages").getDefaultLanguage()
        self.content.email_status = translate(sentence, target_language=language)

    def answered(self, transition):
        """Move the e-mails that this mail answers."""
        for document in self._related("reply_to"):
            _move(document, transition)

    def close(self):
        """Mark the mail as sent, in the name of the current user but without asking for their rights; a closed one stays."""
        workflows = getToolByName(self.content, "portal_workflow")
        with adopt_roles(["Manager"]):
            if any(
                action["id"] == names.MARK_AS_SENT for action in workflows.getTransitionsFor(self.content)
            ):
                workflows.doActionFor(self.content, names.MARK_AS_SENT)

    @property
    def thread(self):
        """Return the Message-IDs of the thread of the first e-mail that this mail answers."""
        return next(filter(None, map(stored_thread, self._related("reply_to"))), ())

    def _recipients(self):
        return (
            _entries(self._field("email_recipient"))
            or _entries(self._field("orig_sender_email"))
            or [
                str(contact_address(contact))
                for contact in self._related("recipients")
                if contact_email(contact)
            ]
        )

    def _related(self, name):
        return related(self.content, name)

    def _field(self, name):
        return getattr(aq_base(self.content), name, None)


@adapter(ISendByEmail)
@implementer(ISendingContext)
class IncomingEmailSendingContext(_MailSendingContext):
    """Answering an incoming e-mail."""

    def defaults(self):
        """Return who is to be answered (RFC 5322 §3.6.2: Reply-To, if there is one) and the subject with one ``Re:``."""
        title = self.content.Title()
        title = "" if title == names.EMPTY_SUBJECT else title
        return {
            "to": [str(address) for address in stored_reply_to(self.content)]
            or _entries(getattr(aq_base(self.content), "orig_sender_email", None)),
            "subject": title if is_answer(title) else f"Re: {title}".strip(),
        }

    def known_addresses(self):
        """Return the addresses of the original sender and of the contacts known by that address."""
        sender = getattr(aq_base(self.content), "orig_sender_email", None)
        reply_to = {address.addr_spec for address in stored_reply_to(self.content)}
        return addr_specs([sender], related(self.content, "sender")) | reply_to

    def facts(self, recipient):
        """Return those of the e-mail, which is the one that is answered, and of its senders."""
        return {
            **facts.of_document(self.content),
            **facts.of_answered([self.content]),
            **facts.of_recipient(recipient, related(self.content, "sender")),
        }

    def write_status(self, sent, total, sent_at):
        """Have the answer found in searches, and the mail among those that are answered: the outbox shows the rest."""
        self.content.reindexObject(idxs=["SearchableText", "mailbridge_answers"])

    def answered(self, transition):
        """Move this e-mail, which was answered from itself."""
        _move(self.content, transition)

    @property
    def thread(self):
        """Return the Message-IDs of the thread that ends in the e-mail as it came in."""
        return stored_thread(self.content)


@adapter(ISendByEmail)
@implementer(ISendingContext)
class ContactSendingContext(ContentSendingContext):
    """Writing to a person, a position or an organization."""

    def defaults(self):
        """Return the address of the contact."""
        return {"to": [str(contact_address(self.content))] if contact_email(self.content) else []}

    def known_addresses(self):
        """Return the addresses of the contact."""
        return addr_specs((), [self.content])

    def facts(self, recipient):
        """Return those of the contact who is written to."""
        return facts.of_recipient(recipient, [self.content])

    def files(self):
        """Return nothing: a contact holds contacts."""
        return ()

    def open(self, uid):
        """Refuse, for the same reason."""
        raise KeyError(uid)


def _move(document, transition):
    """Run a transition on an incoming e-mail when its first answer has left, and never again."""
    annotations = IAnnotations(document)
    if document.portal_type != names.INCOMING_EMAIL or ANSWERED in annotations:
        return
    annotations[ANSWERED] = True
    try:
        with adopt_roles(["Manager"]):
            getToolByName(document, "portal_workflow").doActionFor(document, transition)
    except WorkflowException:
        path = "/".join(document.getPhysicalPath())
        logger.info("%s is answered; its state stays, because %s is not possible there", path, transition)


def related(content, name):
    """Return the content that the relations of a field lead to."""
    relations = getattr(aq_base(content), name, None) or ()
    return [relation.to_object for relation in relations if not relation.isBroken()]


def addr_specs(texts, contacts):
    """Return the lower-case addr-specs of address lists and of contacts, with those of the positions of a person."""
    found = [
        each.addr_spec for text in texts for each in typed_addresses(text or "") if isinstance(each, Address)
    ]
    for contact in contacts:
        person = aq_parent(contact) if contact.portal_type == names.HELD_POSITION else contact
        positions = person.objectValues() if person.portal_type == names.PERSON else ()
        found += [contact_email(each) for each in (contact, person, *positions)]
    return frozenset(addr_spec.lower() for addr_spec in found if addr_spec)


def _entries(text):
    return [str(each) for each in typed_addresses(text or "")]


def contact_address(contact):
    """Return name and address of a contact."""
    return Address(contact_name(contact), contact_email(contact))


def _originals(document):
    """Yield the messages that a document holds; one whose bytes are lost keeps nobody from answering."""
    for child in document.objectValues():
        file = getattr(aq_base(child), "file", None)
        if child.portal_type == names.MAIN_FILE and INamedBlobFile.providedBy(file) and is_readable(file):
            with file.open() as stream:
                yield parse(stream)


@contextmanager
def stored_message(document):
    """Give the original in a document to read, or None; its file is open meanwhile."""
    originals = _originals(document)
    try:
        yield next(originals, None)
    finally:
        originals.close()


def stored_thread(document):
    """Return the Message-IDs that an answer to the original in a document refers to (RFC 5322 §3.6.4), its own last."""
    for message in _originals(document):
        if message.message_id:
            parents = message.in_reply_to if len(message.in_reply_to) == 1 else ()
            return (*(message.references or parents), message.message_id)
    return ()


def stored_reply_to(document):
    """Return the addresses of Reply-To of the original in a document."""
    return next(filter(None, (message.addresses("reply-to")[:20] for message in _originals(document))), ())
