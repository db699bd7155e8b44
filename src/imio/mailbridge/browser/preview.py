"""Shows a message that was not prepared beforehand: one in quarantine, or in the dry run."""

from imio.mailbridge.iadocs import reading
from imio.mailbridge.message.rendition.confined import Unfinished
from imio.mailbridge.message.rendition.html_document import CONTENT_SECURITY_POLICY
from imio.mailbridge.message.rendition.prepare import prepare
from plone.transformchain.interfaces import DISABLE_TRANSFORM_REQUEST_KEY
from tempfile import TemporaryFile
import threading


#: Seconds that a child may take while a person waits, and characters of HTML that are shown.
TIME = 20
MAX_HTML = 10_000_000

#: Whatever their mails are, readers keep one thread of this process waiting.
_turn = threading.Semaphore()


def preview(message):
    """Return the HTML document of a message, as bytes; its text alone where the layout takes too long or another is at it."""
    if not _turn.acquire(blocking=False):
        return reading.text_alone(message)
    try:
        with TemporaryFile() as source, TemporaryFile() as html:
            message.copy_to(source)
            outline = prepare(source, html, seconds=TIME)
            html.seek(0)
            shown = html.read(MAX_HTML + 1)
    except Unfinished:
        return reading.text_alone(message)
    finally:
        _turn.release()
    if len(shown) > MAX_HTML:
        return reading.text_alone(message)
    first, last = reading.around(message, outline)
    return first + shown + last


def lock(request, max_age=0):
    """Keep a browser from doing more with the answer than showing it, for ``max_age`` seconds without asking another time."""
    for name, value in (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", f"private, max-age={max_age}" if max_age else "private, no-cache"),
    ):
        request.response.setHeader(name, value)
    # Plone's transforms add theme and scripts to HTML.
    request.environ[DISABLE_TRANSFORM_REQUEST_KEY] = True
