"""Why is the body of a delivery never read as a form? The publisher would refuse a large one with words nobody understands."""

import re


_ENDPOINT = re.compile(r"/@@?mail-in/?$")


def leave_body_alone(event):
    """Hide a form's content type from the publisher (subscriber of ``IPubStart``); the endpoint then answers 415 by itself.

    curl sends ``application/x-www-form-urlencoded`` when it is told nothing else.
    """
    environ = event.request.environ
    if environ.get("REQUEST_METHOD") != "POST" or not _ENDPOINT.search(environ.get("PATH_INFO", "")):
        return
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type in ("", "application/x-www-form-urlencoded", "multipart/form-data"):
        environ["CONTENT_TYPE"] = "application/octet-stream"
