"""SMTP client: sends one message and returns what the server answered, recipient by recipient."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from imio.mailbridge.message.address import needs_smtputf8
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.composition.utf8_addresses import has_utf8_address
from imio.mailbridge.message.composition.utf8_addresses import without_utf8_addresses
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.secret_mask import SecretMask
from imio.mailbridge.transport.smtp_bounded import Bounded
from imio.mailbridge.transport.smtp_bounded import BoundedTls
from imio.mailbridge.transport.smtp_bounded import has_spoken
from imio.mailbridge.transport.smtp_errors import DIALOGUE_ERRORS
from imio.mailbridge.transport.smtp_errors import reply_to
from imio.mailbridge.transport.smtp_login import Authenticate
from imio.mailbridge.transport.smtp_reply import SmtpReply
from imio.mailbridge.transport.tls import client_context
from typing import Any
from typing import BinaryIO
from typing import Protocol
import contextlib
import math
import smtplib
import socket
import ssl
import time


BLOCK = 1 << 16

#: Seconds for one command, and for one message; the lease of the Outbox is longer than the second.
TIMEOUT = 60.0
DEADLINE = 20 * 60.0
#: Characters of an answer that are kept.
KEPT = 1000


class SmtpServer(Protocol):
    """Where to connect: ``security`` is ``none``, ``starttls`` or ``tls``; ``ca_file`` may name the town's own authority."""

    @property
    def host(self) -> str: ...  # noqa: D102

    @property
    def port(self) -> int: ...  # noqa: D102

    @property
    def security(self) -> str: ...  # noqa: D102

    @property
    def ca_file(self) -> str: ...  # noqa: D102


class DialogueEnded(Exception):
    """The dialogue cannot go on; ``reply`` says where and why."""

    def __init__(self, reply: SmtpReply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class SmtpConnection:
    """A connection to a server. Certificates are always verified.

    ``authenticate`` gets the ``smtplib.SMTP`` after EHLO and TLS and logs in (see ``smtp_login``); None: no login. ``timeout``
    bounds one command and ``deadline`` one message with its connection, in seconds (default ``TIMEOUT``, ``DEADLINE``). ``mask``
    knows the secrets that ``authenticate`` uses: no reply repeats them. ``ehlo_name`` is the name of this host for EHLO (None: what
    the system says).
    """

    def __init__(
        self,
        server: SmtpServer,
        authenticate: Authenticate | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        mask: SecretMask | None = None,
        ehlo_name: str | None = None,
    ) -> None:
        self.server = server
        self.authenticate = authenticate
        self.timeout = timeout or TIMEOUT
        self.deadline = deadline or DEADLINE
        self._mask = mask or SecretMask()
        self.ehlo_name = ehlo_name
        self._connection: Bounded | None = None
        self._end = math.inf

    def deliver(
        self,
        envelope_sender: str,
        recipients: Sequence[str],
        message: Sequence[bytes | BinaryIO],
        size: int = 0,
        eight_bit: bool = False,
        envelope_id: str = "",
        may_end: Callable[[], bool] | None = None,
    ) -> dict[str, SmtpReply]:
        """Send one message; return recipient → ``SmtpReply``. Nothing that a server or network does is raised.

        ``message`` is a sequence of bytes and binary streams, in CRLF lines, ``size`` bytes together; ``envelope_id`` goes
        to a server that offers DSN (RFC 3461), which names it in its reports. ``may_end`` is asked before the final dot, and may
        take its time; where it says no, the connection is closed and the server has taken nothing.
        """
        self._end = time.monotonic() + self.deadline
        replies: dict[str, SmtpReply] = {}
        header, rest = _split(message)
        utf8 = has_utf8_address(header) or needs_smtputf8([envelope_sender, *recipients])
        try:
            is_used = self._connection is not None
            self._ready()
            if utf8 and not self._smtp.has_extn("smtputf8"):
                before, utf8 = len(header), False
                header = without_utf8_addresses(header)
                size += len(header) - before if size else 0
                replies |= _refused(header, envelope_sender, recipients)
            takers = [recipient for recipient in recipients if recipient not in replies]
            if takers:
                try:
                    self._mail(envelope_sender, utf8, size, eight_bit, envelope_id)
                except DialogueEnded as ended:
                    if not is_used or ended.reply.code not in (0, 421):
                        raise
                    self.close()  # enough for one connection, or lost: the server has nothing of this message
                    self._ready()
                    self._mail(envelope_sender, utf8, size, eight_bit, envelope_id)
                self._recipients(takers, envelope_id, replies)
            if len(replies) < len(recipients):
                reply = self._data([header, *rest], may_end)
                replies |= {recipient: reply for recipient in recipients if recipient not in replies}
                if reply.code == 421:
                    self.close()
        except DialogueEnded as ended:
            if utf8 and self._takes_no_utf8(ended.reply):
                return self.deliver(
                    envelope_sender, recipients, [header, *rest], size, eight_bit, envelope_id, may_end
                )
            if ended.reply.code == 421:
                self.close()
            replies |= {recipient: ended.reply for recipient in recipients if recipient not in replies}
        return {recipient: self._masked(reply) for recipient, reply in replies.items()}

    def probe(self, envelope_sender: str = "") -> SmtpReply | None:
        """Connect, log in and, with an ``envelope_sender``, say MAIL; return the ``SmtpReply`` that ended it, or None."""
        self._end = time.monotonic() + self.deadline
        try:
            self._ready()
            if envelope_sender:
                self._mail(envelope_sender, needs_smtputf8([envelope_sender]), 0, False, "")
        except DialogueEnded as ended:
            return self._masked(ended.reply)
        return None

    def close(self) -> None:
        """End the connection; never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _drop(self) -> None:
        """End the connection without QUIT, which would be a line of a message that was begun."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _masked(self, reply: SmtpReply) -> SmtpReply:
        return replace(reply, text=self._mask.masked(reply.text)[:KEPT])

    # the dialogue

    @property
    def _smtp(self) -> Bounded:
        """Return the connection in the middle of a dialogue."""
        if self._connection is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self._connection

    @property
    def _socket(self) -> socket.socket:
        if (sock := self._smtp.sock) is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return sock

    def _ready(self) -> None:
        """Have a connection on which MAIL may come next: the one there is, after RSET, or a new one."""
        if self._connection is not None:
            self._connection.end = self._end
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if self._connection.rset()[0] == 250:
                    return
            self.close()
        try:
            context = client_context(self.server.ca_file)
            self._connection = self._connected(context)
        except DIALOGUE_ERRORS as error:
            raise DialogueEnded(reply_to("connect", error)) from error
        # a message ends in a small packet: without this it waits for the server's delayed ACK, 40 ms
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._greet(context)
        except DialogueEnded:
            self.close()
            raise

    def _connected(self, context: ssl.SSLContext) -> Bounded:
        host, port = self.server.host, self.server.port
        if self.server.security == "tls":
            return BoundedTls(
                host, port, self.ehlo_name, timeout=self.timeout, context=context, end=self._end
            )
        return Bounded(host, port, self.ehlo_name, timeout=self.timeout, end=self._end)

    def _greet(self, context: ssl.SSLContext) -> None:
        self._hello()
        if self.server.security == "starttls":
            if not self._smtp.has_extn("starttls"):
                raise DialogueEnded(SmtpReply("tls", 502, "STARTTLS is not offered"))
            self._command("tls", self._smtp.starttls, context=context)
            self._hello()
        if self.authenticate is not None:
            self._command("auth", self.authenticate, self._smtp)

    def _hello(self) -> None:
        reply = self._command("connect", self._smtp.ehlo)
        if reply.code in (500, 502):  # a server that does not know EHLO
            reply = self._command("connect", self._smtp.helo)
        if not reply.is_positive:
            raise DialogueEnded(reply)

    def _mail(self, envelope_sender: str, utf8: bool, size: int, eight_bit: bool, envelope_id: str) -> None:
        connection = self._smtp
        limit = connection.esmtp_features.get("size", "")
        options = []
        if size and connection.has_extn("size"):
            if limit.isdigit() and 0 < int(limit) < size:
                raise DialogueEnded(
                    SmtpReply(
                        "mail", 552, f"5.3.4 message size exceeds the server's limit ({size} > {limit} bytes)"
                    )
                )
            options += [f"SIZE={size}"]
        if eight_bit and not connection.has_extn("8bitmime"):
            raise DialogueEnded(SmtpReply("mail", 554, "5.6.3 8BITMIME is not offered"))
        options += ["SMTPUTF8"] if utf8 else []
        options += ["BODY=8BITMIME"] if utf8 or eight_bit else []
        dsn = ["RET=HDRS"]  # no report brings back a message that nobody may read
        dsn += [f"ENVID={envelope_id}"] if envelope_id else []
        sender = wire_address(envelope_sender) if envelope_sender else ""
        reply = self._with_dsn("mail", connection.mail, sender, options, dsn)
        if not reply.is_positive:
            raise DialogueEnded(reply)

    def _takes_no_utf8(self, reply: SmtpReply) -> bool:
        """Tell whether the server refused MAIL because of SMTPUTF8, which it offers; from then on it counts as not offered."""
        if reply.stage != "mail" or not (reply.code in (501, 504, 555) or reply.enhanced_status == "5.6.7"):
            return False
        return (
            self._connection is not None and self._connection.esmtp_features.pop("smtputf8", None) is not None
        )

    def _recipients(self, recipients: Sequence[str], envelope_id: str, replies: dict[str, SmtpReply]) -> None:
        for recipient in recipients:
            address = wire_address(recipient)
            dsn = ["NOTIFY=FAILURE,DELAY"] if envelope_id else []
            dsn += [f"ORCPT=rfc822;{_xtext(address)}"] if dsn and address.isascii() else []
            reply = self._with_dsn("rcpt", self._smtp.rcpt, address, [], dsn)
            if not reply.is_positive:
                replies[recipient] = reply
                if reply.code == 421:
                    raise DialogueEnded(reply)

    def _with_dsn(
        self,
        stage: str,
        call: Callable[..., tuple[int, bytes]],
        address: str,
        options: list[str],
        dsn: list[str],
    ) -> SmtpReply:
        """Return the answer to MAIL or RCPT with the parameters of DSN, or without them from a server that does not know them."""
        if not dsn or not self._smtp.has_extn("dsn"):
            return self._command(stage, call, address, options)
        reply = self._command(stage, call, address, [*options, *dsn])
        if reply.code in (501, 504, 555):
            reply = self._command(stage, call, address, options)
            if reply.is_positive:
                del self._smtp.esmtp_features["dsn"]
        return reply

    def _data(
        self, message: Sequence[bytes | BinaryIO], may_end: Callable[[], bool] | None = None
    ) -> SmtpReply:
        """Stream the message; return the last answer."""
        reply = self._command("data", self._smtp.docmd, "DATA", expected=354)
        if reply.code != 354:
            return reply
        try:
            self._stream(message, may_end)
        except OSError as error:
            return self._last_words(error)
        try:
            return self._command("data", self._smtp.getreply)
        except DialogueEnded as ended:  # whether the server took the message cannot be known
            reply = ended.reply
            raise DialogueEnded(replace(reply, text=f"after the end of the message: {reply.text}")) from ended

    def _last_words(self, error: OSError) -> SmtpReply:
        """Return the refusal that a server sent before it hung up in the middle of the message, if there is one."""
        code, text = 0, b""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            code, text = self._smtp.getreply()
        self._drop()
        if code < 400:
            raise DialogueEnded(reply_to("data", error)) from error
        return SmtpReply("data", code, readable(text))

    def _stream(self, message: Sequence[bytes | BinaryIO], may_end: Callable[[], bool] | None = None) -> None:
        send, fresh = self._socket.sendall, True
        for block in _blocks(message):
            if time.monotonic() > self._end:
                raise OSError("the message took all the time that there is for one")
            if fresh and block.startswith(b"."):
                send(b".")
            send(block.replace(b"\r\n.", b"\r\n.."))
            fresh = block.endswith(b"\r\n")
        if may_end is not None and not may_end():
            self._drop()
            raise DialogueEnded(SmtpReply("bridge", 0, "the message was not ended"))
        if has_spoken(self._smtp):  # before the end: whatever it says, the message is not taken
            raise OSError("the server answered before the message had ended")
        send(b".\r\n" if fresh else b"\r\n.\r\n")

    def _command(
        self,
        stage: str,
        call: Callable[..., tuple[int, bytes]],
        *args: Any,
        expected: int = 0,
        **kwargs: Any,
    ) -> SmtpReply:
        """Return the answer to a command: ``expected``, if it is not 2yz, or a refusal. Errors: ``DialogueEnded`` for all else."""
        try:
            code, text = call(*args, **kwargs)
        except DIALOGUE_ERRORS as error:
            reply = reply_to(stage, error)
            if not reply.code:
                self.close()
            raise DialogueEnded(reply) from error
        if code // 100 not in ((4, 5) if expected else (2, 4, 5)) and code != expected:
            self._drop()  # nothing that it says can be trusted to be an answer
            raise DialogueEnded(reply_to(stage, smtplib.SMTPResponseException(code, text)))
        return SmtpReply(stage, code, readable(text))


def _split(message: Sequence[bytes | BinaryIO]) -> tuple[bytes, list[bytes | BinaryIO]]:
    """Return the header of a message with its empty line, and what follows it; a header without end is all that was read of it."""
    header, rest = b"", list(message)
    while rest and b"\r\n\r\n" not in header:
        block = rest.pop(0)
        if not isinstance(block, bytes):
            stream, block = block, block.read(BLOCK)
            rest = [stream, *rest] if block else rest
        header += block
    head, end, body = header.partition(b"\r\n\r\n")
    return head + end, [body, *rest]


def _refused(header: bytes, envelope_sender: str, recipients: Sequence[str]) -> dict[str, SmtpReply]:
    """Return whom a server without SMTPUTF8 cannot send to: all where the sender needs it, else those who need it themselves."""
    reply = SmtpReply("mail", 550, "5.6.7 SMTPUTF8 is not offered")
    if has_utf8_address(header) or needs_smtputf8([envelope_sender]):
        reply = replace(reply, text=f"{reply.text}, which the address of the sender needs")
        return dict.fromkeys(recipients, reply)
    return {recipient: reply for recipient in recipients if needs_smtputf8([recipient])}


def _xtext(text: str) -> str:
    """Return ASCII text as RFC 3461 §4 wants it in a parameter, so that a report can name the recipient as we did."""
    return "".join(char if "!" <= char <= "~" and char not in "+=" else f"+{ord(char):02X}" for char in text)


def _blocks(message: Sequence[bytes | BinaryIO]) -> Iterator[bytes]:
    """Yield the message in blocks that never end between CR and LF, so that a line's first dot is seen."""
    held = b""
    for piece in message:
        for block in _reads(piece):
            block = held + block
            cut = len(block) - (block.endswith(b"\r"))
            held = block[cut:]
            if cut:
                yield block[:cut]
    if held:
        yield held


def _reads(piece: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(piece, bytes):
        yield piece
    else:
        while block := piece.read(BLOCK):
            yield block
