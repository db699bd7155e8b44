"""Runs a task as an ordinary request to this Zope, on a layer that the web cannot reach."""

from imio.mailbridge.taskqueue.interfaces import ITaskLayer
from io import BytesIO
from plone.protect.interfaces import IDisableCSRFProtection
from urllib.parse import urlencode
from zope.interface import implementer
from ZPublisher.HTTPRequest import WSGIRequest
from ZPublisher.WSGIPublisher import publish_module
import logging


USER_ID = "mailbridge.userid"

logger = logging.getLogger(__name__)


@implementer(ITaskLayer, IDisableCSRFProtection)
class TaskRequest(WSGIRequest):
    """A request made by the worker; a retry after a conflict is of the same class, so it stays on the layer."""


def publish(task_id, url, method, params, headers, payload, userid):
    """Publish the request and return its HTTP status; errors are answers (5xx) and logged, never raised."""
    body = payload.encode()
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": url.encode().decode("latin-1"),  # PEP 3333
        "QUERY_STRING": urlencode(params),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
        USER_ID: userid,
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    if task_id:
        environ["HTTP_X_TASK_ID"] = task_id
    answer = []
    try:
        chunks = publish_module(
            environ,
            lambda status, _headers, exc_info=None: answer.append(status),
            _request_factory=TaskRequest,
        )
        if close := getattr(chunks, "close", None):
            close()
        status = int(answer[0].split()[0])
    except Exception:  # noqa: BLE001 - an error that no exception view handled must not end the worker
        logger.exception("task %s: %s failed", task_id, url)
        return 500
    if status >= 400:
        logger.error("task %s: %s answered %s", task_id, url, status)
    return status
