"""Makes the PDF of a message by a task, after the document is filed; it is kept beside the original, never instead of it.

::

    document added ── waiting ── commit ── task: count the try ── commit ── render ── commit: done, or failed with the reason
                              ✝1                           ✝2
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
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import add
from persistent import Persistent
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from transaction.interfaces import TransientError
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import logging


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
    """Make the PDF of the file ``uid`` (a task); it is rendered between two transactions, once whatever conflicts they meet."""

    def __call__(self):
        uid = self.request.form["uid"]
        tries = committed(lambda: _count_try(uid))
        if tries is None:
            return ""
        written, problem = None, "the renderer was stopped several times"
        if tries <= TRIES:
            file = uuidToObject(uid, unrestricted=True)
            try:
                written = pdf.render(self._html(file))
            except TransientError:
                raise
            except pdf.RenderingError as error:
                problem = str(error)
            except Exception as error:  # noqa: BLE001 - kept, and shown to a person
                logger.exception("no PDF could be made of %s", file.absolute_url())
                problem = f"{type(error).__name__}: {error}"[:300]
        committed(lambda: _keep(uid, written, problem))
        return ""

    def _html(self, file):
        message = reading.read(file)
        words = reading.labels(api.portal.get_default_language())
        return document(body(message, words), words, reading.rows(message, words), reading.files(message))


def _count_try(uid):
    """Count a try and return its number, or None for nothing to do.

    The count is committed first: a message that kills the worker is not tried for ever.
    """
    made = _waiting_rendition(uid)
    if made is None:
        return None
    made.tries += 1
    return made.tries


def _keep(uid, written, problem):
    """Keep the PDF, or the problem where ``written`` is None."""
    made = _waiting_rendition(uid)
    if made is None:
        return
    made.at = now()
    if written is None:
        made.state, made.error = "failed", problem
    else:
        made.pdf = Blob(written)
        made.state, made.size, made.error = "done", len(written), ""
    _leave(uid)


def _waiting_rendition(uid):
    """Return the rendition of a file that still waits for it, or None."""
    file = uuidToObject(uid, unrestricted=True)
    made = rendition(file) if file is not None else None
    if made is None or made.state != "waiting":
        _leave(uid)
        return None
    return made


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
