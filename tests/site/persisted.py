"""What a database holds, read from its pickles: no object is loaded, so nothing can hide what it is.

A class that is named in a database cannot be renamed without converting it. So records, stores and annotations hold persistent
classes of ours and plain values, never a class of the message layer, of a decision or of a port. After the first release, a commit
that changes ``STORED`` or ``PLACED`` brings an upgrade step with it.
"""

from io import BytesIO
from ZODB.serialize import referencesf
from ZODB.utils import z64
import pickletools


#: What our annotations of the site and of documents lead to: stores and records.
STORED = {
    "imio.mailbridge.iadocs.rendition.Rendition",
    "imio.mailbridge.inbound.cases.Case",
    "imio.mailbridge.inbound.forwarding.store.Forwarding",
    "imio.mailbridge.inbound.imap_reading.ImapStatus",
    "imio.mailbridge.inbound.inbox.InboundMessage",
    "imio.mailbridge.inbound.inbox.Inbox",
    "imio.mailbridge.outbox.draft_files.DraftFile",
    "imio.mailbridge.outbox.draft_files.DraftFiles",
    "imio.mailbridge.outbox.mail_templates.MailTemplate",
    "imio.mailbridge.outbox.mail_templates.MailTemplates",
    "imio.mailbridge.outbox.record.Outbox",
    "imio.mailbridge.outbox.record.OutgoingMessage",
    "imio.mailbridge.outbox.record.Written",
    "imio.mailbridge.outbox.saved_drafts.SavedDraft",
    "imio.mailbridge.outbox.saved_drafts.SavedDrafts",
    "imio.mailbridge.store.listing.Listing",
    "imio.mailbridge.store.words.Words",
}

#: What stands elsewhere: content, tools, the browser layer. plone.registry names the schemas of records and of rows.
PLACED = {
    "imio.mailbridge.iadocs.content.Directory",
    "imio.mailbridge.iadocs.content.DmsFile",
    "imio.mailbridge.iadocs.content.Document",
    "imio.mailbridge.iadocs.content.HeldPosition",
    "imio.mailbridge.iadocs.content.Organization",
    "imio.mailbridge.iadocs.content.Person",
    "imio.mailbridge.interfaces.IMailbridgeLayer",
    "imio.mailbridge.restapi.mailin.authenticate.TokenPlugin",
    "imio.mailbridge.settings.delivery.IDelivery",
    "imio.mailbridge.settings.imap.IImap",
    "imio.mailbridge.settings.imap.IImapMailboxRow",
    "imio.mailbridge.settings.mailin.IIncoming",
    "imio.mailbridge.settings.mailin.IMailboxRow",
    "imio.mailbridge.settings.mailin.IMailinAddressRow",
    "imio.mailbridge.settings.routing.IRouting",
    "imio.mailbridge.settings.routing.IRoutingRow",
    "imio.mailbridge.settings.routing.IStateRow",
    "imio.mailbridge.settings.rows.PersistentRow",
    "imio.mailbridge.settings.smtp.IOutgoing",
    "imio.mailbridge.settings.smtp.ISmtpAccountRow",
    "imio.mailbridge.settings.trust.ITrust",
    "imio.mailbridge.site_mail.mailhost.BridgeMailHost",
    "imio.mailbridge.taskqueue.authenticate.TaskUserPlugin",
}

#: What stores and records hold beside each other.
PLAIN = {
    "BTrees.LLBTree.LLTreeSet",
    "BTrees.LOBTree.LOBTree",
    "BTrees.Length.Length",
    "BTrees.OOBTree.OOBTree",
    "BTrees.OOBTree.OOTreeSet",
    "ZODB.blob.Blob",
    "datetime.datetime",
    "datetime.timedelta",
    "datetime.timezone",
    "persistent.mapping.PersistentMapping",
}

#: Parts of a tree that has grown.
PARTS = {
    "BTrees.LLBTree.LLSet",
    "BTrees.LOBTree.LOBucket",
    "BTrees.OOBTree.OOBucket",
    "BTrees.OOBTree.OOSet",
}


def names(data):
    """Return the ``module.name`` of each class or function that the pickles of an object name, its own class first."""
    stream, found = BytesIO(data), {}
    while stream.tell() < len(data):  # one of its class, one of its state
        for opcode, argument, _at in pickletools.genops(stream):
            assert opcode.name not in ("INST", "STACK_GLOBAL"), "ZODB writes protocol 3"
            if opcode.name == "GLOBAL":
                found[argument.replace(" ", ".")] = None
    return list(found)


def reachable(connection, *oids):
    """Yield (oid, pickles) of all objects that these lead to; of the whole database without any."""
    waiting, seen = list(oids or [z64]), set()
    while waiting:
        oid = waiting.pop()
        if oid not in seen:
            seen.add(oid)
            data, _serial = connection._storage.load(oid)
            yield oid, data
            waiting += referencesf(data)


def unlisted(storage):
    """Return what was written since ``storage`` (a DemoStorage) was made and is in no list: class names, or (record, name)."""
    found = set()
    for transaction in storage.changes.iterator():
        for record in transaction:
            if b"imio.mailbridge." in (record.data or b""):
                own, *others = names(record.data)
                found |= {name for name in (own, *others) if is_ours(name)} - STORED - PLACED
                if own in STORED:
                    found |= {
                        (own, name) for name in others if not is_ours(name) and name not in PLAIN | PARTS
                    }
    return found


def is_ours(name):
    return name.startswith("imio.mailbridge.")
