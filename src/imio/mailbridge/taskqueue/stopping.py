"""Knows whether this process is to end, and ends an instance in order: the balancer learns it first, nobody's request is cut.

::

    SIGTERM ── "not ready" ── MAILBRIDGE_DRAIN seconds ── SystemExit ── waitress finishes its requests ── exit 0
                              requests still come and are answered      5 s at most
"""

import logging
import os
import signal
import sys


#: Seconds between SIGTERM and the end, longer than two checks of the balancer; without it SIGTERM ends the process at once.
DRAIN = "MAILBRIDGE_DRAIN"

logger = logging.getLogger(__name__)
_state = {"stopping": False}


def is_stopping() -> bool:
    """Tell whether this process was asked to end."""
    return _state["stopping"]


def stop() -> None:
    """Note that this process is to end: a task of many steps begins none that another process can do."""
    _state["stopping"] = True


def end_in_order(event: object) -> None:
    """Have SIGTERM end this process in order (subscriber of ``IProcessStarting``); a second one ends it at once."""
    text = os.environ.get(DRAIN, "")
    if not text:
        return
    try:
        seconds = float(text)
    except ValueError:
        logger.error("%s must be a number of seconds, not %r: SIGTERM ends the process at once", DRAIN, text)
        return

    def end(*_arguments):
        sys.exit(0)

    def announce(*_arguments):
        stop()
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))

    signal.signal(signal.SIGTERM, announce)
