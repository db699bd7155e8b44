"""An SMTP server in a thread that keeps what it gets and answers by a script."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.servers.waiting import free_port
from typing import NamedTuple


class Caught(NamedTuple):
    """A message that the catcher answered 250 to."""

    mail_from: str
    rcpt_tos: list
    content: bytes


class Catcher:
    """A server on 127.0.0.1, ``port``; what it took is in ``messages``. Use it in ``with``, or start and stop it.

    ``answers`` is the script, and may be changed while it runs. A key is ``mail``, ``rcpt`` or ``data``, alone or
    with an address: ``rcpt:bad@x.test``, ``mail:al@x.test``; ``data:`` takes the envelope sender's. The key with
    an address comes first. A value is

    - a reply: ``"550 5.1.1 no such user"``;
    - a list of them, one used up at each turn, None to accept; at its end it accepts: ``["450 4.2.0 greylisted"]``;
    - a function of aiosmtpd's envelope that returns a reply or None: Exchange looks at From after DATA.

    ``utf8``: it offers SMTPUTF8. ``security``: ``none``, ``starttls`` or ``tls``, the last two with ``certificates``.
    ``login`` and ``password``: the account without which MAIL is refused; with ``starttls`` AUTH is offered only
    after it. ``received`` counts turns by verb, refused ones too; ``options`` holds those of each MAIL.
    """

    def __init__(
        self,
        port=None,
        answers=None,
        security="none",
        certificates=None,
        login=None,
        password=None,
        max_size=None,
        utf8=True,
    ):
        self.port = port or free_port()
        self.answers = dict(answers or {})
        self.messages, self.options = [], []
        self.received = {"ehlo": 0, "mail": 0, "rcpt": 0, "data": 0}
        self._account = (login, password)
        context = certificates.server_context() if security != "none" else None
        self._options = {
            "hostname": "127.0.0.1",
            "port": self.port,
            "data_size_limit": max_size or 52428800,
            "ssl_context": context if security == "tls" else None,
            "tls_context": context if security == "starttls" else None,
            "require_starttls": security == "starttls",
            "enable_SMTPUTF8": utf8,
            "auth_required": login is not None,
            "auth_require_tls": security == "starttls",
            "authenticator": self._authenticate,
        }
        self._controller = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()

    def start(self):
        """Listen; return itself."""
        self._controller = Controller(self, **self._options)
        self._controller.start()
        return self

    def stop(self):
        """Stop listening; ``start()`` again keeps port and messages."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def _authenticate(self, server, session, envelope, mechanism, data):
        account = (data.login.decode(), data.password.decode())
        return AuthResult(success=account == self._account, handled=False)

    def _answer(self, verb, address, envelope):
        self.received[verb] += 1
        for key in (f"{verb}:{address}", verb):
            answer = self.answers.get(key)
            if isinstance(answer, list):
                answer = answer.pop(0) if answer else None
            if callable(answer):
                answer = answer(envelope)
            if answer is not None:
                return answer
        return None

    # What aiosmtpd calls.

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.received["ehlo"] += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.options.append(list(options))
        refusal = self._answer("mail", address, envelope)
        if refusal is None:
            envelope.mail_from = address
        return refusal or "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = self._answer("rcpt", address, envelope)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        refusal = self._answer("data", envelope.mail_from, envelope)
        if refusal is None:
            self.messages.append(
                Caught(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content)
            )
        return refusal or "250 2.0.0 OK"
