"""Writes a line of the log: text with ``record=… site=…`` before the message, or JSON.

One event is one line of text and, indented, those of its traceback; or one line of JSON. No value can begin another one.
"""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.logs.about import current
from imio.mailbridge.message.secret_address import masked
import json
import logging
import os
import sys


#: ``json`` for JSON; text else.
LOG = "MAILBRIDGE_LOG"
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class Formatter(logging.Formatter):
    """A formatter for ``logging`` of any program: ``class = imio.mailbridge.logs.Formatter`` in ``zope.ini``.

    The secret parts of addresses are masked, as everywhere.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of an event."""
        message, trace = masked(record.getMessage()), masked(self._trace(record))
        if os.environ.get(LOG, "").lower() == "json":
            return self._json(record, message, trace)
        fields = [f"{name}={_value(value)}" for name, value in current().items()]
        line = logging.makeLogRecord({**record.__dict__, "args": None, "msg": message})
        line.message = " ".join([*fields, _printable(message)])
        line.asctime = self.formatTime(record, self.datefmt)
        return "\n".join(
            [self.formatMessage(line), *(f"    {_printable(each)}" for each in trace.splitlines())]
        )

    def _json(self, record: logging.LogRecord, message: str, trace: str) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            **current(),
            "message": message,
        }
        return json.dumps(event | ({"exception": trace} if trace else {}))

    def _trace(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        return "\n".join(filter(None, (trace, record.stack_info)))


def handler() -> logging.Handler:
    """Return what ``mailbridge-worker`` logs with, to its standard error."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(Formatter(FORMAT))
    return made


def _value(text: str) -> str:
    """Return a value as one word, in quotes where it is none."""
    return text if text.isprintable() and not set(text) & set(' "=') else json.dumps(text)


def _printable(text: str) -> str:
    """Return a text with the characters escaped that could end its line or change a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
