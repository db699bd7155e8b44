"""Keeps the publisher from reading the body of a delivery as a form: it would refuse a large one without a clear message."""

import re


_ENDPOINT = re.compile(r"/@@?mail-in/?$")


def leave_body_alone(event):
    """Hide a form's content type from the publisher (subscriber of ``IPubStart``); the endpoint itself then answers 415.

    curl sends ``application/x-www-form-urlencoded`` by default.
    """
    environ = event.request.environ
    if not is_delivery(environ):
        return
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type in ("", "application/x-www-form-urlencoded", "multipart/form-data"):
        environ["CONTENT_TYPE"] = "application/octet-stream"


def is_delivery(environ):
    """Tell whether a WSGI environment is that of a delivery."""
    return environ.get("REQUEST_METHOD") == "POST" and bool(_ENDPOINT.search(environ.get("PATH_INFO", "")))
