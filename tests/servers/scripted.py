"""An SMTP server that fails on request, at any stage of the dialogue."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from aiosmtpd.smtp import SMTP
from tests.servers.waiting import free_port
import asyncio


DROP, STALL = "drop", "stall"


class _Scripted(SMTP):
    """aiosmtpd's server, which asks its script before each of its own answers."""

    def __init__(self, script, *args, **kwargs):
        self.script = script
        self.greeted = False
        handler = args[0]
        handler.greetings += 1
        super().__init__(*args, **kwargs)

    async def _said(self, stage):
        answer = self.script.get(stage)
        if answer == STALL:
            await asyncio.sleep(30)
        if answer in (DROP, STALL):
            self.transport.abort()
        elif answer is not None:
            await super().push(answer)
            if answer.startswith("421"):
                self.transport.close()
        return answer is not None

    async def push(self, status):
        if not self.greeted:
            self.greeted = True
            if await self._said("banner"):
                return None
        return await super().push(status)

    async def smtp_EHLO(self, hostname):
        if not await self._said("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname):
        if not await self._said("ehlo"):
            await super().smtp_HELO(hostname)

    async def smtp_STARTTLS(self, arg):
        if not await self._said("starttls"):
            self.greeted = True
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg):
        if not await self._said("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        if not await self._said("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        if not await self._said("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):
        if not await self._said("data"):
            await super().smtp_DATA(arg)


class Scripted(Controller):
    """A server on 127.0.0.1, ``port``, with STARTTLS and a login. Use it in ``with``.

    ``script`` maps a stage (``banner``, ``ehlo``, ``starttls``, ``auth``, ``mail``, ``rcpt``, ``data``, ``end``) to a reply,
    ``DROP`` or ``STALL``; ``end`` is after the last dot. What it took is in ``messages``;
    ``greetings`` counts the connections.
    """

    login, password = "bridge", "secret"

    def __init__(self, certificates):
        self.script = {}
        self.messages = []
        self.greetings = 0
        self._tls = certificates.server_context()
        super().__init__(self, hostname="127.0.0.1", port=free_port())

    def factory(self):
        return _Scripted(
            self.script,
            self,
            tls_context=self._tls,
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
        )

    def __enter__(self):
        self.start()
        self.greetings = 0
        return self

    def __exit__(self, *exception):
        self.stop()

    def _authenticate(self, server, session, envelope, mechanism, data):
        return AuthResult(success=data.password.decode() == self.password, handled=False)

    async def handle_DATA(self, server, session, envelope):
        answer = self.script.get("end")
        if answer == STALL:
            await asyncio.sleep(30)
        if answer in (DROP, STALL):
            server.transport.abort()
            return ""
        if answer is None:
            self.messages.append(envelope.original_content)
        return "250 2.0.0 OK" if answer is None else answer
