"""Makes the outgoing mail in which an agent answers an incoming e-mail, or passes it on.

Who begins the same twice gets the mail that is begun: the incoming e-mail keeps which it is. Two requests at once write the same
key, conflict, and the second is tried again and finds what the first has made.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import dataclass
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs import quote
from imio.mailbridge.iadocs.filing import period_folder
from imio.mailbridge.iadocs.sending import related
from imio.mailbridge.iadocs.sending import stored_message
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.address import mailbox_key
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.classification.answerable import is_no_reply
from imio.mailbridge.message.classification.auto_reply import has_null_path
from imio.mailbridge.message.classification.auto_reply import read_auto_reply
from imio.mailbridge.message.classification.subject_prefix import without_prefixes
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.store.store import now
from plone import api
from plone.app.textfield.value import RichTextValue
from plone.dexterity.interfaces import IDexterityFTI
from plone.dexterity.utils import addContentToContainer
from plone.dexterity.utils import createContent
from plone.namedfile.file import NamedBlobFile
from plone.uuid.interfaces import IUUID
from Products.CMFCore.utils import getToolByName
from shutil import copyfileobj
from z3c.relationfield import RelationValue
from zope.annotation.interfaces import IAnnotations
from zope.component import getUtility
from zope.component import queryUtility
from zope.component.hooks import getSite
from zope.intid.interfaces import IIntIds
import re


REPLY, ALL, FORWARD = KINDS = ("reply", "all", "forward")
KEY = "imio.mailbridge.iadocs.begun_answers"
#: Addresses that an answer to all goes to.
MAX_ADDRESSES = 99
_PREFIXES = {REPLY: "Re: ", ALL: "Re: ", FORWARD: "Tr: "}
_PERIOD = re.compile(r"\d{6}")


@dataclass(frozen=True)
class People:
    """Whom an answer goes to; ``is_doubtful`` where a program wrote, or nobody reads what comes to the address."""

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    is_doubtful: bool = False


def may_answer(document):
    """Tell whether the current user may add an outgoing mail."""
    folder = getSite().get(names.OUTGOING_FOLDER)
    fti = queryUtility(IDexterityFTI, name=names.OUTGOING_MAIL)
    return folder is not None and fti is not None and fti.isConstructionAllowed(folder)


def people(document, kind, own):
    """Return the ``People`` of an answer to ``document``; ``own``: the town's addresses and the agent's, which get none."""
    if kind == FORWARD:
        return People()
    taken = {_key(address) for address in own}
    author = _author(document)
    with stored_message(document) as message:
        wrote = message is not None and (author is None or author in message.authors)
        reply_to = message.addresses("reply-to") if wrote else ()
        to = _others(reply_to, taken) or _others(
            (author,) if author else message.authors[:1] if message else (), taken
        )
        if not to:
            return People()
        doubtful = any(is_no_reply(each.addr_spec) for each in to) or (
            wrote and (has_null_path(message) or read_auto_reply(message) is not None)
        )
        if kind == REPLY or message is None:
            return People(to[:MAX_ADDRESSES], (), doubtful)
        to += _others(message.to, taken)
        return People(to[:MAX_ADDRESSES], _others(message.cc, taken)[: MAX_ADDRESSES - len(to)], doubtful)


def begun(document, userid, kind):
    """Return (the outgoing mail that a user began so, the press that began it), or (None, "")."""
    uid, press = (IAnnotations(document).get(KEY) or {}).get((userid, kind), ("", ""))
    brains = uid and getToolByName(document, "portal_catalog").unrestrictedSearchResults(UID=uid)
    answer = brains[0]._unrestrictedGetObject() if brains else None
    return (answer, press) if answer is not None else (None, "")


def begin(document, kind, people, sender, userid, press):
    """Make the outgoing mail and return it; the current user needs the right to add one.

    ``sender`` is the uid of a position or empty, ``press`` names the press of the button. Errors: ``Unauthorized``.
    """
    language = getToolByName(document, "portal_languages").getDefaultLanguage()
    title = "" if document.Title() == names.EMPTY_SUBJECT else masked(document.Title())
    subject = f"{_PREFIXES[kind]}{without_prefixes(title)}".strip()
    answers = [document] if kind != FORWARD else []
    recipients = related(document, "sender") if kind != FORWARD else []
    with stored_message(document) as message:
        if message is None:
            body = "<p>&nbsp;</p>"
        elif kind == FORWARD:
            body = quote.passed_on(message, language)
        else:
            author = _author(document) or message.author or people.to[0]
            body = quote.answered(message, author, language)
    answer = createContent(
        names.OUTGOING_MAIL,
        title=subject,
        sender=sender or None,
        recipients=_relations(recipients),
        reply_to=_relations(answers),
        send_modes=["email"],
        treating_groups=document.treating_groups,
        email_subject=subject,
        email_recipient=_text(people.to),
        email_cc=_text(people.cc),
        email_body=RichTextValue(body, "text/html", "text/x-html-safe"),
    )
    folder = _folder()
    answer = addContentToContainer(folder, answer)
    if kind == FORWARD:
        answer.email_attachments = [IUUID(_copied(file, answer)) for file in _appendices(document)]
    annotations = IAnnotations(document)
    if annotations.get(KEY) is None:
        annotations[KEY] = OOBTree()
    annotations[KEY][(userid, kind)] = (IUUID(answer), press)
    return answer


def _author(document):
    found = typed_addresses(document.orig_sender_email or "")
    return next((each for each in found if isinstance(each, Address)), None)


def _key(addr_spec):
    try:
        return mailbox_key(without_secret(addr_spec)).lower()
    except UnicodeError:
        return addr_spec.lower()


def _others(addresses, taken):
    """Return the addresses that a mail can be sent to and that are not ``taken``, each once; they are taken then."""
    found = []
    for each in addresses:
        key = _key(each.addr_spec)
        if can_be_sent_to(each.addr_spec) and key not in taken and _key(without_detail(key)) not in taken:
            taken.add(key)
            found.append(each)
    return tuple(found)


def _text(addresses):
    return ", ".join(map(str, addresses)) or None


def _relations(contents):
    intids = getUtility(IIntIds)
    return [RelationValue(intids.register(content)) for content in contents if content is not None]


def _folder():
    """Return the folder of new outgoing mail: that of the week where the town keeps such folders."""
    folder = getSite()[names.OUTGOING_FOLDER]
    query = {"query": "/".join(folder.getPhysicalPath()), "depth": 1}
    brains = getToolByName(folder, "portal_catalog").unrestrictedSearchResults(
        portal_type="Folder", path=query
    )
    return period_folder(folder, now()) if any(_PERIOD.fullmatch(brain.getId) for brain in brains) else folder


def _appendices(document):
    return [
        child
        for child in document.objectValues()
        if child.portal_type == names.APPENDIX_FILE
        and child.file
        and api.user.has_permission("View", obj=child)
    ]


def _copied(file, answer):
    blob = NamedBlobFile(contentType=file.file.contentType, filename=file.file.filename)
    with file.file.open() as source, blob.open("w") as target:
        copyfileobj(source, target)
    return addContentToContainer(answer, createContent(file.portal_type, title=file.title, file=blob))
