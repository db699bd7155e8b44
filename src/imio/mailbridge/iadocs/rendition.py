"""Makes the PDF of a message by a task, after the document is filed; it is kept beside the original, never instead of it.

::

    document added ── waiting ── commit ── task: render (a process of its own) ── commit: done, or failed with the reason
                              ✝1        ✝2
    ✝1 ✝2 the file still waits: the sweep queues its task another time, at most ``TRIES`` times
"""

from BTrees.OOBTree import OOTreeSet
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs import reading
from imio.mailbridge.interfaces import IMailbridgeLayer
from imio.mailbridge.message.rendition import pdf
from imio.mailbridge.message.rendition.html_document import body
from imio.mailbridge.message.rendition.html_document import document
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import add
from persistent import Persistent
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import logging
import transaction


KEY = "imio.mailbridge.rendition"
WAITING = "imio.mailbridge.renditions_waiting"
TRIES = 3

logger = logging.getLogger(__name__)


class Rendition(Persistent):
    """``state``: ``waiting``, ``done``, ``failed`` or ``off`` (no renderer installed); ``error`` says why it failed."""

    def __init__(self):
        self.state, self.error, self.tries = "waiting", "", 0
        self.pdf, self.size, self.at = None, 0, now()


def rendition(file):
    """Return the rendition of a file, or None."""
    return IAnnotations(file).get(KEY)


def waiting():
    """Return the uids of the files that wait for their PDF."""
    annotations = IAnnotations(getSite())
    if WAITING not in annotations:
        annotations[WAITING] = OOTreeSet()
    return annotations[WAITING]


def requested(file, event):
    """Ask for the PDF of a message that is added (subscriber)."""
    if file.portal_type == names.MAIN_FILE and IMailbridgeLayer.providedBy(getattr(file, "REQUEST", None)):
        request(file)


def request(file):
    """Ask for a new PDF of a file; nothing happens for one that is no message."""
    blob = getattr(file, "file", None)
    if blob is None or (blob.contentType or "").lower() not in reading.MESSAGES:
        return
    made = IAnnotations(file)[KEY] = Rendition()
    if not pdf.is_available():
        made.state = "off"
        return
    uid = IUUID(file)
    waiting().insert(uid)
    wake(uid)


def wake(uid):
    """Queue the task for after the commit."""
    add("/".join(getSite().getPhysicalPath()) + "/@@mailbridge-render", "POST", params={"uid": uid})


class Render(BrowserView):
    """Make the PDF of the file ``uid`` (a task)."""

    def __call__(self):
        uid = self.request.form["uid"]
        file = uuidToObject(uid, unrestricted=True)
        made = rendition(file) if file is not None else None
        if made is None or made.state != "waiting":
            _leave(uid)
            return ""
        # counted first and committed: a message that kills the worker is not tried for ever
        made.tries += 1
        transaction.commit()
        try:
            written = pdf.render(self._html(file)) if made.tries <= TRIES else None
        except pdf.RenderingError as error:
            written, made.error = None, str(error)
        except Exception as error:  # noqa: BLE001 - kept, and shown to a person
            logger.exception("no PDF could be made of %s", file.absolute_url())
            written, made.error = None, f"{type(error).__name__}: {error}"[:300]
        made.at = now()
        if written is None:
            made.state, made.error = "failed", made.error or "the renderer was stopped several times"
        else:
            made.pdf = Blob(written)
            made.state, made.size, made.error = "done", len(written), ""
        _leave(uid)
        return ""

    def _html(self, file):
        message = reading.read(file)
        words = reading.labels(api.portal.get_default_language())
        return document(body(message, words), words, reading.rows(message, words), reading.files(message))


class Sweep(BrowserView):
    """Find the files whose task was lost."""

    def __call__(self):
        for uid in list(waiting())[:200]:
            wake(uid)
        return ""


def _leave(uid):
    if uid in waiting():
        waiting().remove(uid)


NONE_YET = _("No PDF was made of this message yet.")
#: What a person reads of each state.
TEXTS = {
    "waiting": _("The PDF is being made."),
    "failed": _("No PDF could be made of this message. The original is complete."),
    "off": _("This server makes no PDF: WeasyPrint is not installed."),
}
