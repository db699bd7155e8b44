"""Makes a document of a message: one ``dmsincoming_email`` with the mail itself and its attachments.

The document and its files are put together first and added to the period's folder as one tree: one round of
events, each item indexed once. Permissions are not checked here, and nobody becomes owner: the caller checks the right to file,
and the workflow decides who sees the document.
"""

from AccessControl.Permissions import delete_objects
from hashlib import sha256
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import mail_text
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.assignment import assign
from imio.mailbridge.iadocs.reference import next_number
from imio.mailbridge.iadocs.transitions import walk
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.syntax.filename import message_filename
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.ports.filing import FilingError
from imio.mailbridge.ports.filing import IFiler
from imio.mailbridge.settings.clock import local_time
from OFS.event import ObjectWillBeAddedEvent
from plone.base.interfaces import IPloneSiteRoot
from plone.dexterity.interfaces import IDexterityFTI
from plone.dexterity.utils import createContent
from plone.namedfile.file import NamedBlobFile
from Products.CMFCore.permissions import ModifyPortalContent
from Products.CMFCore.utils import getToolByName
from z3c.relationfield import RelationValue
from zope.component import adapter
from zope.component import getUtility
from zope.component import queryUtility
from zope.event import notify
from zope.interface import implementer
from zope.intid.interfaces import IIntIds
from zope.lifecycleevent import ObjectAddedEvent


@adapter(IPloneSiteRoot)
@implementer(IFiler)
class Filer:
    """Files messages into the iA.docs folders of one site."""

    def __init__(self, site):
        self.site = site
        self.catalog = getToolByName(site, "portal_catalog")

    def fields(self, filing):
        """Return the values of the document's fields, and notes (msgids) on what its route could not do. Writes nothing."""
        directory = IDirectory(self.site)
        assigned = assign(self.site, filing)
        answered = self._content(filing.reply_to)
        fields = {
            "title": masked(" ".join(filing.subject.split())) or names.EMPTY_SUBJECT,
            "orig_sender_email": str(filing.author) if filing.author else None,
            "sender": directory.senders(filing.author.addr_spec, filing.author_is_proven)
            if filing.author
            else (),
            "original_mail_date": local_time(filing.date).date() if filing.date else None,
            "reception_date": local_time(filing.received).replace(tzinfo=None),
            "mail_type": "email",
            "treating_groups": assigned.service or None,
            "assigned_user": assigned.user or None,
            "external_reference_no": None,
            "send_modes": ["email"],
            "reply_to": [answered] if answered is not None else [],
        }
        return fields, assigned.notes

    def file(self, filing):
        """Create the document and return it, and notes on what a route could not do.

        Errors: ``FilingError`` where iA.docs is not complete, or the service of the filing does not exist any
        more: without its service nobody would see the document, in the quarantine it is explained and can
        be replayed.
        """
        # searches come first: a search carries out the indexing that is queued
        self._check_types()
        fields, notes = self.fields(filing)
        self._check_service(fields["treating_groups"])
        period = self._period(filing.received)
        state = filing.route.state_value if filing.route is not None else ""

        number = next_number(self.site)
        relations = {name: _relations(fields.pop(name)) for name in ("sender", "reply_to")}
        document = createContent(
            names.INCOMING_EMAIL, internal_reference_no=f"E{number}", **fields, **relations
        )
        subject = document.title
        _put(document, "mail", names.MAIN_FILE, subject, self._mail(filing, subject))
        mail_text.keep(document["mail"], filing.text(mail_text.MAX_TEXT))
        for position, attachment in enumerate(_different(filing.attachments), 1):
            _put(
                document,
                f"appendix-{position}",
                names.APPENDIX_FILE,
                attachment.filename,
                _blob(attachment),
            )
        for attachment in _not_among(filing.added, document):
            _put(
                document,
                _free_id(document, names.ADDED),
                names.APPENDIX_FILE,
                attachment.filename,
                _blob(attachment),
            )
        document = _add(period, _free_id(period, f"e{number}"), document)
        _protect(document["mail"])
        if state and not walk(document, state):
            notes = (*notes, _("The state of the route cannot be reached from the first state."))
        return document, notes

    def add_transfer(self, uid, filing):
        """Add the service that got the same message to those that are informed of the document, and the files that came with it."""
        document, service = self._content(uid), assign(self.site, filing).service
        informed = document.recipient_groups or []
        if service and service not in (document.treating_groups, *informed):
            self._check_service(service)
            document.recipient_groups = [*informed, service]
            document.reindexObject(idxs=["modified"])
        for attachment in _not_among(filing.added, document):
            file = createContent(names.APPENDIX_FILE, title=attachment.filename, file=_blob(attachment))
            _add(document, _free_id(document, names.ADDED), file)

    def _check_types(self):
        for portal_type in (names.INCOMING_EMAIL, names.MAIN_FILE, names.APPENDIX_FILE):
            if queryUtility(IDexterityFTI, name=portal_type) is None:
                raise FilingError(
                    _(
                        "iA.docs has no document type ${type}. Install the profile of the mail bridge for "
                        "iA.docs, then replay the message.",
                        mapping={"type": portal_type},
                    )
                )

    def _check_service(self, uid):
        if not uid:
            return
        service = self._content(uid)
        if service is None or service.portal_type != names.ORGANIZATION:
            raise FilingError(
                _(
                    "The service that this mail goes to no longer exists. Choose another service for the mailbox in the "
                    "settings of the mail bridge, then replay the message."
                )
            )

    def _content(self, uid):
        brains = uid and self.catalog.unrestrictedSearchResults(UID=uid)
        return brains[0]._unrestrictedGetObject() if brains else None

    def _period(self, received):
        """Return the folder of the week, made on first use; two that make it at once conflict, and the second try finds it."""
        incoming = self.site.get(names.INCOMING_FOLDER)
        if incoming is None:
            raise FilingError(
                _(
                    "iA.docs has no folder ${folder}. Create it, or install the profile of the mail bridge "
                    "for iA.docs, then replay the message.",
                    mapping={"folder": names.INCOMING_FOLDER},
                )
            )
        return period_folder(incoming, received)

    def _mail(self, filing, subject):
        extension = ".eml" if filing.media_type == "message/rfc822" else ".msg"
        filename = message_filename(subject, extension)
        blob = NamedBlobFile(contentType=filing.media_type, filename=filename)
        with blob.open("w") as target:
            filing.copy_to(target)
        return blob


def period_folder(parent, time):
    """Return the folder of the week of an aware datetime in a folder of mail; it is made where there is none."""
    period = local_time(time).strftime(names.PERIOD)
    if period in parent:
        return parent[period]
    folder = _add(parent, period, createContent("Folder", title=period))
    folder.setLayout(names.MAIL_LIST)
    folder.setOrdering("unordered")  # an order by hand would be one object that every filing changes
    return folder


def _different(attachments):
    """Return the attachments without those that have content and name of an earlier one."""
    return tuple(
        {(attachment.sha256, attachment.filename): attachment for attachment in attachments}.values()
    )


def _not_among(attachments, document):
    """Return the attachments without those that the document holds already."""
    sizes = {(each.filename, each.size) for each in attachments}
    held = {
        (sha256(file.file.data).hexdigest(), file.file.filename)
        for file in _appendices(document)
        if (file.file.filename, file.file.getSize()) in sizes
    }
    return tuple(each for each in _different(attachments) if (each.sha256, each.filename) not in held)


def _appendices(document):
    return [file for file in document.objectValues() if file.portal_type == names.APPENDIX_FILE and file.file]


def _blob(attachment):
    blob = NamedBlobFile(contentType=attachment.content_type, filename=attachment.filename)
    with blob.open("w") as target:
        attachment.write_to(target)
    return blob


def _relations(contents):
    intids = getUtility(IIntIds)
    return [RelationValue(intids.register(content)) for content in contents]


def _put(document, id, portal_type, title, blob):
    """Put a file into a document that is not added yet: its events come when the document is added."""
    file = createContent(portal_type, title=title, file=blob)
    file.id = id
    document._setObject(id, file, set_owner=0, suppress_events=True)


def _protect(original):
    """Let nobody change what a citizen wrote, and only administrators delete it. Called last: workflows set rights in events."""
    original.manage_permission(ModifyPortalContent, (), acquire=0)
    original.manage_permission(delete_objects, ("Manager", "Site Administrator"), acquire=0)


def _add(container, id, content):
    """Add a tree of content, without the event that would index its container at each filing."""
    content.id = id
    notify(ObjectWillBeAddedEvent(content, container, id))
    container._setObject(id, content, set_owner=0, suppress_events=True)
    content = container[id]
    notify(ObjectAddedEvent(content, container, id))
    return content


def _free_id(container, id):
    candidate, suffix = id, 0
    while candidate in container:
        suffix += 1
        candidate = f"{id}-{suffix}"
    return candidate
