"""Hands messages over to the site, by the same POST and with the same replies as ``mailbridge-pipe``.

Unlike the pipe, a program that keeps running keeps its connections. It stores nothing: a message that the site did not answer for
is tried again by the mail server or the mailbox that has it.
"""

from imio.mailbridge.pipe.mailbridge_pipe import ACCEPTED
from imio.mailbridge.pipe.mailbridge_pipe import authorization
from imio.mailbridge.pipe.mailbridge_pipe import CONNECT_TIMEOUT
from imio.mailbridge.pipe.mailbridge_pipe import endpoint
from imio.mailbridge.pipe.mailbridge_pipe import judge
from imio.mailbridge.pipe.mailbridge_pipe import LONGEST_ANSWER
from imio.mailbridge.pipe.mailbridge_pipe import Temporary
from imio.mailbridge.pipe.mailbridge_pipe import TOO_BIG
from imio.mailbridge.pipe.mailbridge_pipe import UNKNOWN_RECIPIENT
from typing import BinaryIO
from typing import NamedTuple
import json
import os
import re
import requests
import threading
import time


__all__ = ["ACCEPTED", "Answer", "Site", "TOO_BIG", "Temporary", "UNKNOWN_RECIPIENT"]

DEFAULT_TIMEOUT = 300.0  # seconds
#: Asks the site to keep nothing of a message that it has no use for; the state in its answer is then ``left``.
LEAVE = "leave-unrelated"
LEFT = "left"
#: Seconds before each new try after a problem that passes by itself.
PAUSES = (1, 2)


class Answer(NamedTuple):
    """The site's answer: ``status`` is ``ACCEPTED``, ``TOO_BIG`` or ``UNKNOWN_RECIPIENT``, ``text`` begins with an enhanced status
    code (RFC 3463), ``state`` is that of the record, empty when the message was refused.
    """

    status: int
    text: str
    state: str = ""


class Site:
    """The site at ``url``. All methods may be called by several threads at once. Errors: ``Temporary``.

    ``timeout`` bounds one POST with its tries, in seconds. The token file is read for each POST: a new token needs no restart.
    """

    def __init__(
        self,
        url: str,
        token_file: str | None = None,
        ca_file: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.url = endpoint(url)
        self.token_file = token_file
        self.ca_file = ca_file
        self.timeout = timeout
        self._sessions = threading.local()

    def post(
        self,
        message: BinaryIO,
        recipient: str,
        sender: str | None = None,
        client_address: str = "",
        may_leave: bool = False,
    ) -> Answer:
        """Post ``message``, a binary file, from its beginning; ``sender`` is None when it is unknown, empty for the null sender."""
        fields = {
            "X-Envelope-Recipient": recipient,
            "X-Envelope-Sender": "<>" if sender == "" else sender or "",
            "X-Client-Address": client_address,
            "Prefer": LEAVE if may_leave else "",
        }
        for name, value in fields.items():
            if re.search(r"[\x00-\x1f\x7f]", value):
                raise Temporary("4.3.0", f"control character in the value for {name}: {value!a}")
        end = time.monotonic() + self.timeout
        for pause in (*PAUSES, None):
            try:
                status, body = self._request(message, fields)
                exit_status, text = judge(self.url, status, body, recipient)
            except Temporary as error:
                if pause is None or not error.passes or time.monotonic() + pause > end:
                    raise
                time.sleep(pause)
            else:
                return Answer(exit_status, text, json.loads(body)["state"] if exit_status == ACCEPTED else "")
        raise AssertionError("not reached")

    def max_size(self, recipient: str = "") -> int:
        """Return the largest message that the site takes, in bytes; its refusal of an empty message says so."""
        status, body = self._request(None, {"X-Envelope-Recipient": recipient})
        if status != 400:
            judge(self.url, status, b"", recipient)
        try:
            return int(json.loads(body)["max_size"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Temporary(
                "4.3.5", f"{self.url} is no mail-in of imio.mailbridge: check the address"
            ) from None

    def _request(self, message: BinaryIO | None, fields: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body of the answer. Errors: ``Temporary`` for whatever fails on the way."""
        end = time.monotonic() + self.timeout
        headers: dict[str, bytes] = {
            "Accept": b"application/json",
            "Accept-Encoding": b"identity",
            "Content-Type": b"message/rfc822",
            **{name: os.fsencode(value) for name, value in fields.items() if value},
        }
        if value := authorization(self.token_file):
            headers["Authorization"] = value
        if message is None:
            headers["Content-Length"] = b"0"
        else:
            message.seek(0)
        try:
            with self._session().post(
                self.url,
                data=message,
                headers=headers,
                allow_redirects=False,
                stream=True,
                timeout=(CONNECT_TIMEOUT, self.timeout),
            ) as response:
                body = bytearray()
                for piece in response.iter_content(65536):
                    body += piece
                    if len(body) > LONGEST_ANSWER or time.monotonic() > end:
                        break
                return response.status_code, bytes(body)
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
            raise Temporary("4.4.1", f"no connection to {self.url}: {error}", True) from error
        except (requests.RequestException, OSError) as error:
            raise Temporary("4.4.2", f"{self.url} gave no answer: {error}", True) from error

    def _session(self) -> requests.Session:
        """Return the session of this thread: requests does not promise that threads can share one."""
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = requests.Session()
            session.trust_env = False  # else a .netrc of the machine would replace our token
            session.verify = self.ca_file or True
        return session
