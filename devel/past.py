"""The demo site at a time of the last weeks: requests to it, and the tasks that they leave, by the clock of that time.

Everything runs in this process and goes through the publisher, as a request to a server does. Its clock is moved by
time-machine: the product has no clock of its own to set. It only goes forward, as that of a database must.
"""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.taskqueue.queue import get_queue
from imio.mailbridge.taskqueue.queue import RENDITIONS
from imio.mailbridge.taskqueue.queue import WORKERS
from io import BytesIO
from urllib.parse import urlencode
from urllib.parse import urlsplit
from ZPublisher.WSGIPublisher import publish_module
import base64
import json
import re


class Refused(Exception):
    """The site answered with a status that the demo does not expect."""


class Past:
    """The site at ``url``, whose clock ``traveller`` (of time-machine) moves. ``moved`` is how far it was moved back."""

    def __init__(self, url, traveller):
        self.url = url
        self._traveller = traveller
        self._tokens = {}

    def move_to(self, time: datetime):
        """Go to an aware time, unless it is past already."""
        self._traveller.move_to(max(time.astimezone(UTC), datetime.now(UTC) + timedelta(seconds=1)))

    def request(self, method, path, user, body=b"", **headers):
        """Make a request below the site; return (headers, body). Errors: ``Refused``."""
        address, credentials = urlsplit(self.url), f"{user}:{'admin' if user == 'admin' else PASSWORD}"
        path, _mark, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": f"{address.path}{path}",
            "QUERY_STRING": query,
            "SERVER_NAME": address.hostname,
            "SERVER_PORT": str(address.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": address.netloc,
            "HTTP_AUTHORIZATION": f"Basic {base64.b64encode(credentials.encode()).decode()}",
            "HTTP_ACCEPT_LANGUAGE": "fr",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.pop("Content_Type", "application/json"),
            "wsgi.input": BytesIO(body),
            "wsgi.url_scheme": "http",
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        answer = []
        chunks = publish_module(
            environ, lambda status, fields, exc_info=None: answer.extend((status, fields))
        )
        content = b"".join(chunks)
        status, fields = answer
        if int(status[:3]) >= 400:
            raise Refused(f"{user}: {method} {path}: {status}\n{content.decode(errors='replace')[:1000]}")
        return {name.lower(): value for name, value in fields}, content

    def json(self, method, path, user, data=None):
        """Make a request to a service; return what it answers."""
        body = b"" if data is None else json.dumps(data).encode()
        _fields, content = self.request(method, path, user, body, Accept="application/json")
        return json.loads(content) if content else {}

    def mail_in(self, raw, **envelope):
        """Hand a message over as the gateway user; return the answer."""
        _fields, content = self.request(
            "POST", "/@@mail-in", "gateway", raw, Content_Type="message/rfc822", **envelope
        )
        return json.loads(content)

    def press(self, path, user, page, **fields):
        """Press a button: post a form with the token of ``page``; return where the answer leads, below the site."""
        if user not in self._tokens:
            _fields, content = self.request("GET", page, user, Accept="text/html")
            self._tokens[user] = re.search(rb'name="_authenticator"[^>]*value="(\w+)"', content)[1].decode()
        body = urlencode({**fields, "_authenticator": self._tokens[user]}).encode()
        form = "application/x-www-form-urlencoded"
        fields, _content = self.request("POST", path, user, body, Content_Type=form, Accept="text/html")
        return fields.get("location", "").removeprefix(self.url)

    def work(self):
        """Run what is queued and due, as a worker does; renditions wait for the worker of the started site."""
        for name in (each for each in WORKERS if each != RENDITIONS):
            huey = get_queue(name).huey
            for task in huey.read_schedule():
                huey.enqueue(task)
            while task := huey.dequeue():
                huey.execute(task)

    def sweep(self):
        """Do what the worker does each minute."""
        get_queue().submit(0, None, "/@@mailbridge-sweep-sites", "POST", {}, {}, "", None)
        self.work()
