"""An HTTP server in a thread that stands for the site: what a pipe sees of it, and no Plone."""

from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import NamedTuple
import json
import threading


ACCEPTED = {"@id": "http://localhost/site/@mail-in/abc", "id": "abc", "state": "filed", "items": []}


class Request(NamedTuple):
    """A delivery that the site read to its end."""

    path: str
    headers: dict
    body: bytes


class FakeSite(ThreadingHTTPServer):
    """A site at ``url`` that keeps what it gets in ``requests``; use it in ``with``.

    ``answer`` may be changed while it runs: status and body (bytes, or what is sent as JSON), or a function of the
    handler, after which the connection is closed. The status ``"from path"`` is the first part of the path.
    """

    daemon_threads = True

    def __init__(self, port=0, answer=(201, ACCEPTED)):
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests = []
        self.answer = answer
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self):
        """The address of the site."""
        return f"http://127.0.0.1:{self.server_port}/site"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """Stay silent: broken connections are what tests make."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        answer = self.server.answer
        if callable(answer):
            answer(self)
            self.close_connection = True
            return
        self.read()
        status, body = answer
        self.reply(int(self.path.split("/")[1]) if status == "from path" else status, body)

    def read(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) == length:
            self.server.requests.append(Request(self.path, dict(self.headers), body))

    def reply(self, status, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere/@@mail-in")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass
