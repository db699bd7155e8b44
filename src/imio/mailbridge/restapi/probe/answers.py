"""What the two addresses answer: a status of HTTP and one line of plain text, which tells nothing of the site."""

from collections.abc import Callable
from imio.mailbridge.restapi.probe.parts import missing
from imio.mailbridge.taskqueue.stopping import is_stopping
from typing import Any


#: Nobody between keeps an answer.
HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}

Answer = tuple[int, str]


def health(_db: Any) -> Answer:
    """Return (200, "up"), without a look at database or queue: to start the process again would mend neither."""
    return 200, "up"


def ready(db: Any) -> Answer:
    """Return (200, "ready"), or 503 and "not ready: " with a word: ``stopping``, or what this instance lacks of ``PARTS``."""
    reason = "stopping" if is_stopping() else missing(db)
    return (503, f"not ready: {reason}") if reason else (200, "ready")


#: Name of the view → its answer.
ANSWERS: dict[str, Callable[[Any], Answer]] = {"mailbridge-health": health, "mailbridge-ready": ready}
