"""The tab ``@@mailbridge-proof`` of an incoming e-mail: how it came in, whether its original and its file are unchanged."""

from imio.mailbridge.browser import evidence
from imio.mailbridge.browser.readable import mail_of
from imio.mailbridge.iadocs import names
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.source import source
from imio.mailbridge.inbound.source import why_gone
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.store.blobs import is_readable
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from zExceptions import NotFound
import hashlib


CHUNK = 1 << 18
#: The digest of a larger message, in bytes, is only computed on request.
MAX_AT_ONCE = 5_000_000


def digest_of(blob):
    """Return the sha256 in hex of the bytes that a blob holds now, or an empty string where they are lost."""
    if not is_readable(blob):
        return ""
    digest = hashlib.sha256()
    with blob.open("r") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class HasProof(BrowserView):
    """Whether the tab is offered (called by the action's expression)."""

    def __call__(self):
        return self.context.portal_type == names.INCOMING_EMAIL


class Proof(BrowserView):
    """Every transfer that brought the document, oldest first."""

    def __call__(self):
        if self.context.portal_type != names.INCOMING_EMAIL:
            raise NotFound("mailbridge-proof")
        self.records = inbox().transfers(IUUID(self.context))
        id = self.request.form.get("source")
        if id is not None:
            return self._source(id)
        return self.index()

    def _source(self, id):
        """Return the whole message, which may also hold letters of other people."""
        record = next((record for record in self.records if record.id == id), None)
        if record is None or not self.may_download(record) or why_gone(record):
            raise NotFound("source")
        return source(record, self.request.response)

    def may_download(self, record):
        """Tell whether the user may download the original: with other people's mail in it only managers of mail."""
        return is_manager() or record.items == (IUUID(self.context),)

    @property
    def url(self):
        """Return the address of this tab."""
        return f"{self.context.absolute_url()}/@@mailbridge-proof"

    def _verified(self, blob, size, sha256):
        """Return ``intact``, ``changed`` or ``lost``; ``unknown`` for a large blob until it is verified on request."""
        if size > MAX_AT_ONCE and "verify" not in self.request.form:
            return "unknown"
        return {sha256: "intact", "": "lost"}.get(digest_of(blob), "changed")

    def verified(self, record):
        """Return whether the bytes of a record are those that arrived; see ``_verified``. Also ``deleted``."""
        if record.raw is None:
            return "deleted"
        return self._verified(record.raw, record.size, record.sha256)

    def file_verified(self):
        """Return whether the document's file is the message that was filed; also ``missing``, or an empty string for no record."""
        sha256 = inbox().filed.get(IUUID(self.context), "")
        if not sha256:
            return ""
        file = mail_of(self.context)
        return self._verified(file.file, file.get_size(), sha256) if file is not None else "missing"

    def transfers(self):
        """Return what the tab shows of each transfer."""
        uid = IUUID(self.context)
        return [
            {
                "facts": evidence.facts(record),
                "verdicts": evidence.verdicts((*record.verdicts, *record.authenticated)),
                "seen": evidence.seen(record.evidence),
                "routes": evidence.routes(record, uid),
                "history": evidence.history(record),
                "verified": self.verified(record),
                "gone": why_gone(record),
                "source": f"{self.url}?source={record.id}" if self.may_download(record) else "",
            }
            for record in self.records
        ]

    def has_original(self):
        """Tell whether the bytes of a transfer can still be read."""
        return not all(map(why_gone, self.records))

    def original(self):
        """Return the address of the filed message, or an empty string."""
        file = mail_of(self.context)
        return f"{file.absolute_url()}/@@download/file" if file is not None else ""
