"""The token endpoint of an OAuth 2.0 provider: an HTTP server in a thread that gives tokens or does not, by a script."""

from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from imio.mailbridge.transport.oauth import INSECURE
from urllib.parse import parse_qs
from urllib.parse import urlsplit
import json
import os
import threading


INVALID_CLIENT = {
    "error": "invalid_client",
    "error_description": "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 5e2f",
}


class TokenEndpoint(ThreadingHTTPServer):
    """An endpoint at ``url``; use it in ``with``: meanwhile the bridge may ask this machine.

    Who shows ``client_id`` with ``client_secret``, or with ``refresh_token``, gets a new token, which is then in ``tokens``
    (what the SMTP server accepts) and lives ``expires_in`` seconds. ``answer`` may be changed while it runs: None for this,
    else status and body (bytes, or what is sent as JSON), or a function of the handler. ``asked`` holds the forms that came.
    Where it ``rotates``, each refresh token is good for one use and answered with the next one.
    A mail server may ask by GET whose token it was shown: that of ``owner``.
    """

    daemon_threads = True

    def __init__(self, client_id="bridge", client_secret="s3cret", refresh_token=""):  # noqa: S107 - of a test
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/oauth2/v2.0/token"
        self.client_id = client_id
        self.client_secret = client_secret
        self.refresh_token = refresh_token
        self.expires_in = 3600
        self.rotates = False
        self.owner = ""
        self.answer = None
        self.asked = []
        self.tokens = set()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self):
        os.environ[INSECURE] = "1"
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self._thread.join()
        self.server_close()
        os.environ.pop(INSECURE, None)

    def handle_error(self, request, client_address):
        """Stay silent: broken connections are what tests make."""

    def give(self, form):
        """Return status and body for a form (name → value)."""
        known = form.get("client_id") == self.client_id
        if form.get("grant_type") == "client_credentials":
            known = known and form.get("client_secret") == self.client_secret
        else:
            known = known and self.refresh_token and form.get("refresh_token") == self.refresh_token
        if not known:
            return 401, INVALID_CLIENT
        token = f"token-{len(self.asked)}"
        self.tokens.add(token)
        given = {"token_type": "Bearer", "access_token": token, "expires_in": self.expires_in}
        if self.rotates:
            self.refresh_token = given["refresh_token"] = f"1//next-{len(self.asked)}"
        return 200, given


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        """Tell a mail server whose token it was shown (``?access_token=``)."""
        token = parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]
        known = token in self.server.tokens
        self.reply(
            200 if known else 401, {"email": self.server.owner} if known else {"error": "invalid_token"}
        )

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        self.server.asked.append(form)
        answer = self.server.answer
        if callable(answer):
            answer(self)
            return
        status, body = answer or self.server.give(form)
        self.reply(status, body)

    def reply(self, status, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass
