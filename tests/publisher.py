"""Asks the site of this process without a web server in between, and counts the objects that its connections load."""

from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.taskqueue.publish import publish
from io import BytesIO
from tests.client import Client
from types import SimpleNamespace
from urllib.parse import unquote
from urllib.parse import urlsplit
from zope.component.hooks import getSite
from zope.component.hooks import setSite
from zope.globalrequest import getRequest
from zope.globalrequest import setRequest
from ZPublisher.WSGIPublisher import publish_module
import contextlib
import json
import requests
import transaction


class Loads:
    """An activity monitor of a database: ``count`` is how many objects closed connections had loaded."""

    def __init__(self):
        self.count = 0

    def closedConnection(self, connection):  # noqa: N802 - of ZODB
        self.count += connection.getTransferCounts(True)[0]


class Publisher(Client):
    """A client of the site at ``root``, a path from the Zope root; ``loads`` counts what its requests load from ``database``.

    ``admin`` is the name and the password of its administrator.
    """

    def __init__(self, root, database, admin=("admin", "admin")):
        self.root, self.database, self.admin = root, database, admin
        self.url = f"http://localhost{root}"
        self.loads = Loads()
        database.setActivityMonitor(self.loads)

    def request(self, method, path, user=None, headers=None, **options):
        """Make a request as a demo user or ``admin``, with JSON accepted; return ``status_code`` and ``text``."""
        headers = {"Accept": "application/json", **(headers or {})}
        auth = {None: None, "admin": self.admin}.get(user, (user, PASSWORD))
        asked = requests.Request(method, f"{self.url}{path}", headers, auth=auth, **options).prepare()
        body = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
        split, answered = urlsplit(asked.url), []
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(split.path, "latin-1"),
            "QUERY_STRING": split.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": asked.headers.get("Content-Type", ""),
            "wsgi.input": BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked.headers.items()}
        with _left_as_it_is():
            chunks = publish_module(environ, lambda status, headers, exc_info=None: answered.append(status))
            text = b"".join(chunks).decode()
        return SimpleNamespace(
            status_code=int(answered[0].split()[0]), text=text, json=lambda: json.loads(text)
        )

    def task(self, view, **params):
        """Run a task as the worker does; return ``status_code`` and ``text``."""
        with _left_as_it_is():
            status = publish("task", f"{self.root}/@@{view}", "POST", params, {}, "", None)
        return SimpleNamespace(status_code=status, text=view)

    def loaded(self, run):
        """Return what ``run()`` returns and how many objects it loads, when no connection of the database has any."""
        self.database.cacheMinimize()
        before = self.loads.count
        return run(), self.loads.count - before


@contextlib.contextmanager
def _left_as_it_is():
    site, request = getSite(), getRequest()
    try:
        yield
    finally:
        setSite(site)
        setRequest(request)
        transaction.begin()
