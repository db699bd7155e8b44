"""The two addresses as a filter of WSGI, in front of Zope: they answer also while the database hangs, or is gone.

In the pipeline of ``zope.ini``, as the first: ``egg:imio.mailbridge#probe``.
"""

from collections.abc import Callable
from http import HTTPStatus
from imio.mailbridge.restapi.probe.answers import ANSWERS
from imio.mailbridge.restapi.probe.answers import HEADERS
from typing import Any


def make_filter(_global_conf: dict[str, str], **_options: str) -> Callable:
    """Return the filter (``paste.filter_factory``)."""
    return Probe


class Probe:
    """Answers the addresses, and leaves all other requests to the application."""

    def __init__(self, application: Callable):
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Any:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        answer = ANSWERS.get(path.removeprefix("/@@")) if path.startswith("/@@") else None
        if answer is None or method not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        import Zope2

        status, text = answer(Zope2.DB)
        body = text.encode()
        headers = [*HEADERS.items(), ("Content-Length", str(len(body)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body if method == "GET" else b""]
