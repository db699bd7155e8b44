"""Prepares a message for its readers by a task, after the document is filed: harmless HTML, then a PDF, kept beside the original.

::

    document added ── waiting ── task: lease ── child: HTML ── commit: shown ── child: PDF ── commit: done, or failed
                              ✝1             ✝2                             ✝2
    ✝1 the file still waits, and no task is queued: the sweep queues one
    ✝2 as ✝1, once the lease has ended; the third time its text alone is prepared, and there is no fourth

What exceeds a limit is an answer like any other, kept and never tried again.
"""

from BTrees.OOBTree import OOTreeSet
from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs import reading
from imio.mailbridge.interfaces import IMailbridgeLayer
from imio.mailbridge.message.rendition import pdf
from imio.mailbridge.message.rendition.confined import ProgramFailed
from imio.mailbridge.message.rendition.confined import Unfinished
from imio.mailbridge.message.rendition.prepare import Outline
from imio.mailbridge.message.rendition.prepare import prepare
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import add
from imio.mailbridge.taskqueue.queue import get_queue
from imio.mailbridge.taskqueue.queue import RENDITIONS
from persistent import Persistent
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from shutil import copyfileobj
from tempfile import TemporaryFile
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import logging


KEY = "imio.mailbridge.rendition"
WAITING = "imio.mailbridge.renditions_waiting"
TRIES = 3
#: How long a worker has for one step; both children of a step end before.
LEASE = timedelta(minutes=22)
#: Stays in the set of what waits: concurrent changes of a set cannot be merged when one of them empties it.
_NEVER_EMPTY = ""

logger = logging.getLogger(__name__)


class Rendition(Persistent):
    """What was made of a message: ``html`` and ``outline`` (see ``Outline``) for pages, ``pdf`` for printing; None before.

    ``state`` is that of the PDF: ``waiting``, ``done``, ``failed`` (``error`` says why) or ``off`` (no renderer is installed).
    ``leased_until``: a worker is at it until then. ``head`` holds the header fields for pages (see ``reading.head_of``).
    """

    head = None

    def __init__(self):
        self.state, self.error, self.tries, self.leased_until = "waiting", "", 0, None
        self.html, self.outline = None, None
        self.pdf, self.size, self.at = None, 0, now()


def rendition(file):
    """Return the rendition of a file, or None."""
    return IAnnotations(file).get(KEY)


def waiting():
    """Return the uids of the files that wait for a worker."""
    return [uid for uid in _waiting() if uid != _NEVER_EMPTY]


def _waiting():
    annotations = IAnnotations(getSite())
    if WAITING not in annotations:
        annotations[WAITING] = OOTreeSet([_NEVER_EMPTY])
    return annotations[WAITING]


def requested(file, event):
    """Ask for the rendition of a message that is added (subscriber)."""
    if file.portal_type == names.MAIN_FILE and IMailbridgeLayer.providedBy(getattr(file, "REQUEST", None)):
        request(file)


def request(file):
    """Ask for a new rendition of a file; nothing happens for one that is no message."""
    blob = getattr(file, "file", None)
    if blob is None or (blob.contentType or "").lower() not in reading.MESSAGES:
        return
    IAnnotations(file)[KEY] = Rendition()
    uid = IUUID(file)
    _waiting().insert(uid)
    wake(uid)


def wake(uid):
    """Queue the task for after the commit."""
    path = "/".join(getSite().getPhysicalPath())
    add(f"{path}/@@mailbridge-render", "POST", params={"uid": uid}, queue=RENDITIONS)


class Render(BrowserView):
    """Prepare the message in the file ``uid`` (a task), between transactions: once, whatever conflicts they meet."""

    def __call__(self):
        uid = self.request.form["uid"]
        lease = committed(lambda: _lease(uid))
        if lease is not None:
            try:
                self._render(uid, lease)
            except Unfinished:
                logger.warning("the machine is too busy to render %s; it is tried later", uid)
                committed(lambda: _put_back(uid, lease))
        return ""

    def _render(self, uid, lease):
        file = uuidToObject(uid, unrestricted=True)
        made = rendition(file)
        if made.tries > TRIES:
            committed(lambda: _finish(uid, lease, "failed", "the worker ended several times"))
            return
        with TemporaryFile() as html:
            outline = _prepare(file, html, plain=made.tries == TRIES)
            head = reading.head_of(reading.read(file))
            lease = committed(lambda: _keep_html(uid, lease, html, outline, head))
            if lease is None:
                return
            if not pdf.is_available():
                committed(lambda: _finish(uid, lease, "off"))
                return
            with TemporaryFile() as target:
                size, problem = _make_pdf(file, outline, html, target)
                if problem and not outline.limit:
                    outline = _prepare(file, html, plain=True)
                    size, problem = _make_pdf(file, outline, html, target)
                committed(lambda: _keep_pdf(uid, lease, target, size, problem))


def _prepare(file, html, plain):
    with file.file.open() as source:
        return prepare(source, html, plain)


def _make_pdf(file, outline, html, target):
    """Write the PDF; return its size in bytes and what went wrong."""
    try:
        with TemporaryFile() as document:
            beginning, end = reading.around(
                reading.read(file), outline, api.portal.get_default_language(), True
            )
            document.write(beginning)
            html.seek(0)
            copyfileobj(html, document)
            document.write(end)
            return pdf.render(document, target), ""
    except ProgramFailed as error:
        return 0, str(error)


def _lease(uid):
    """Take the message; return the lease, or None for nothing to do."""
    made = _waiting_rendition(uid)
    if made is None or _is_leased(made):
        return None
    made.tries += 1
    made.leased_until = now() + LEASE
    return made.leased_until


def _is_leased(made):
    return made.leased_until is not None and made.leased_until > now()


def _leased(uid, lease):
    """Return the rendition that is still ours, or None."""
    made = _waiting_rendition(uid)
    return made if made is not None and made.leased_until == lease else None


def _put_back(uid, lease):
    made = _leased(uid, lease)
    if made is not None:
        made.leased_until = None
        made.tries -= 1


def _keep_html(uid, lease, html, outline, head):
    """Keep what pages show; return the lease for the next step, or None when the message is no longer ours."""
    made = _leased(uid, lease)
    if made is None:
        return None
    made.html, made.outline, made.head = _blob(html), outline.as_data(), head
    made.leased_until = now() + LEASE
    return made.leased_until


def _keep_pdf(uid, lease, target, size, problem):
    if problem:
        _finish(uid, lease, "failed", problem)
    elif (made := _leased(uid, lease)) is not None:
        made.pdf, made.size = _blob(target), size
        _finish(uid, lease, "done")


def _finish(uid, lease, state, error=""):
    made = _leased(uid, lease)
    if made is not None:
        made.state, made.error, made.at, made.leased_until = state, error, now(), None
        _leave(uid)


def _blob(file):
    file.seek(0)
    blob = Blob()
    with blob.open("w") as target:
        copyfileobj(file, target)
    return blob


def _waiting_rendition(uid):
    """Return the rendition of a file that still waits for it, or None."""
    file = uuidToObject(uid, unrestricted=True)
    made = rendition(file) if file is not None else None
    if made is None or made.state != "waiting":
        _leave(uid)
        return None
    return made


class Sweep(BrowserView):
    """Queue the files whose task was lost: those that wait although the queue is empty."""

    def __call__(self):
        if get_queue(RENDITIONS).huey.pending_count():
            return ""
        for uid in waiting()[:200]:
            made = _waiting_rendition(uid)
            if made is not None and not _is_leased(made):
                wake(uid)
        return ""


def _leave(uid):
    if uid in _waiting():
        _waiting().remove(uid)


def outline_of(made):
    """Return what a reader is told, or None when the message is not prepared yet."""
    return Outline.from_data(made.outline) if made is not None and made.outline is not None else None


NONE_YET = _("No PDF has been made of this message yet.")
#: What a person reads of each state.
TEXTS = {
    "waiting": _("The PDF is being made."),
    "failed": _("No PDF could be made of this message. The original is complete."),
    "off": _("This server makes no PDF: WeasyPrint is not installed."),
}
