"""An LMTP server (RFC 2033) that hands each message over to the site, with one answer for each recipient.

A message is written to a temporary file as it comes, and answered only once the site has it. Of aiosmtpd the handling of DATA is
replaced: it would keep all lines in memory, refuse long ones and answer once for all recipients.
"""

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope
from aiosmtpd.smtp import Session
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from imio.mailbridge.gateway.site import ACCEPTED
from imio.mailbridge.gateway.site import Answer
from imio.mailbridge.gateway.site import Site
from imio.mailbridge.gateway.site import Temporary
from imio.mailbridge.gateway.site import TOO_BIG
from imio.mailbridge.gateway.site import UNKNOWN_RECIPIENT
from imio.mailbridge.message.secret_address import masked
from tempfile import TemporaryFile
from typing import Any
from typing import BinaryIO
from typing import cast
import asyncio
import io
import ipaddress
import logging
import math
import re


Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_MAX_SIZE = 41_943_040
MAX_RECIPIENTS = 100
#: Seconds that a client may be silent, and that its connection may last: what is complete by then is answered.
IDLE, LONGEST = 300.0, 3600.0
#: Bytes: a longer message goes to a file; a client that sends so many is not idle.
MEMORY = 1 << 20
#: A client is cut off after this many times the size of the largest message.
ENDLESS = 3
#: Enhanced status codes of a site that is away or busy: what waits for its turn would only get the same answer, later.
AWAY = ("4.4.", "4.3.2 ")
REPLY_CODES = {ACCEPTED: 250, TOO_BIG: 552, UNKNOWN_RECIPIENT: 550}
OWN_ERROR = "4.3.0 an error of the gateway, see its log"
XFORWARD = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")

logger = logging.getLogger("mailbridge-lmtp")


class Gateway:
    """What all connections share: the site, the limit on POSTs at once, and the networks that may connect."""

    def __init__(
        self,
        site: Site,
        allowed: Sequence[Network] = (),
        concurrency: int = 4,
        max_connections: int = 50,
        client_address: str = "",
        max_size: int = DEFAULT_MAX_SIZE,
    ) -> None:
        self.site = site
        self.allowed = allowed
        self.max_connections = max_connections
        self.client_address = client_address
        self.max_size = max_size
        self.connections: set[Connection] = set()
        self._turns = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency)
        self._away_at, self._away_reply = -math.inf, ""

    def may_connect(self, peer: object) -> bool:
        """Tell whether a peer, as a socket names it, is in an allowed network; a Unix socket is protected by its mode."""
        if not isinstance(peer, tuple):
            return True
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.allowed)

    async def hand_over(
        self, message: BinaryIO, recipient: str, sender: str, client: str, since: float
    ) -> str:
        """Post a message for one recipient when it is its turn; return the reply.

        The message came at ``since``, in loop time. A site that has proved to be away since then is not tried for it.
        """
        async with self._turns:
            loop = asyncio.get_running_loop()
            if self._away_at > since:
                return self._away_reply
            try:
                answer = await loop.run_in_executor(
                    self._threads, self.site.post, message, recipient, sender, client
                )
            except Temporary as error:
                temporary = f"451 {error}"
                if str(error).startswith(AWAY):
                    self._away_at, self._away_reply = loop.time(), temporary
                return temporary
            except Exception:
                logger.exception("a message could not be handed over")
                return f"451 {OWN_ERROR}"
            self._away_at = -math.inf
        return reply(answer)


def reply(answer: Answer) -> str:
    """Return the LMTP reply that passes on the site's answer."""
    return f"{REPLY_CODES[answer.status]} {answer.text}"


class Handler:
    """The hooks that aiosmtpd calls for its commands."""

    async def handle_EHLO(  # noqa: N802 - of aiosmtpd
        self, server: "Connection", session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Announce the extensions that aiosmtpd does not have itself."""
        session.host_name = hostname
        own = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES", f"250-XFORWARD {' '.join(XFORWARD)}"]
        return [*responses[:-1], *own, responses[-1]]

    async def handle_MAIL(  # noqa: N802
        self, server: "Connection", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Keep the sender."""
        if refusal := address_refusal(address, envelope.smtp_utf8):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    async def handle_RCPT(  # noqa: N802
        self, server: "Connection", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Keep a recipient; the site says after DATA which recipients it knows."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients, send the others in another transaction"
        if refusal := address_refusal(address, envelope.smtp_utf8):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    async def handle_exception(self, error: Exception) -> str:
        """Answer a command that aiosmtpd cannot parse, such as some addresses."""
        logger.error("a command could not be read: %a", error)
        return f"451 {OWN_ERROR}"


class Connection(LMTP):
    """The connection of one client; ``is_busy`` from the end of DATA until its recipients are answered."""

    line_length_limit = 1 << 16  # of what is read at once; longer lines of a message come in pieces

    def __init__(self, gateway: Gateway, hostname: str) -> None:
        super().__init__(
            Handler(),
            data_size_limit=gateway.max_size,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="mailbridge-lmtp",
            loop=asyncio.get_running_loop(),
        )
        self.gateway = gateway
        self.is_busy = False
        self.client_address: str | None = None
        self._end = self.loop.time() + LONGEST
        self._reads_message = False
        self._line = 0  # bytes of the command line that has not ended yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit clients of the allowed networks, up to ``max_connections``."""
        gateway, refusal = self.gateway, ""
        if not gateway.may_connect(transport.get_extra_info("peername")):
            logger.warning("refused: %r is in no allowed network", transport.get_extra_info("peername"))
            refusal = "554 5.7.1 this address may not deliver here (--allow)"
        elif len(gateway.connections) >= gateway.max_connections:
            refusal = "421 4.3.2 too many connections, try again later"
        if refusal:
            stream = cast(asyncio.Transport, transport)
            stream.write(f"{refusal}\r\n".encode())
            stream.close()
            self._refused = True
            return
        self._refused = False
        gateway.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the client."""
        if not self._refused:
            self.gateway.connections.discard(self)
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """Do as aiosmtpd does, unless the client was refused: a client that sends no more counts as gone.

        A stopping gateway must not wait for one that is gone, and nothing tells the two apart. It has no answer and sends again.
        """
        return False if self._refused else super().eof_received()

    def data_received(self, data: bytes) -> None:
        """Do as aiosmtpd does, unless the client was refused or sends a command line without end."""
        if self._refused:
            return
        if not self._reads_message:
            self._line = len(data) - data.rfind(b"\n") - 1 + (0 if b"\n" in data else self._line)
            if self._line > self.line_length_limit:
                self.close("500 5.5.2 the command line does not end")
                return
        super().data_received(data)

    def close(self, reply: str) -> None:
        """Say why, and hang up; on a client that takes no answers at once."""
        if self.transport is not None and not self.transport.is_closing():
            transport = cast(asyncio.Transport, self.transport)
            transport.write(f"{reply}\r\n".encode())
            transport.close()
            if transport.get_write_buffer_size():
                transport.abort()

    def _reset_timeout(self, duration: float | None = None) -> None:
        left = math.inf if self.is_busy else max(self._end - self.loop.time(), 0.001)
        super()._reset_timeout(min(duration or IDLE, left))

    def _timeout_cb(self) -> None:
        self.close("421 4.4.2 no time is left for this connection")

    async def push(self, status: Any) -> None:
        """Write a reply; one without an enhanced status code gets the general one of its class (RFC 2034)."""
        if isinstance(status, str):
            status = status.replace("552 Error: ", "552 5.3.4 ")
            status = re.sub(r"^([245])(\d\d) (?!\d\.\d+\.\d+ |HELP$)", r"\1\2 \1.0.0 ", status)
            status = status.encode("utf-8", "backslashreplace")
        await super().push(status)

    def _set_rset_state(self) -> None:
        super()._set_rset_state()  # type: ignore[no-untyped-call]
        self.client_address = None

    async def smtp_XFORWARD(self, arg: str | None) -> None:  # noqa: N802
        """Note the client that brought the message to Postfix: ``XFORWARD ADDR=192.0.2.1 …``.

        ``[UNAVAILABLE]`` counts as an answer too: falling back to ``--client-address`` would claim a proof that does not exist.
        """
        if await self.check_helo_needed("LHLO"):
            return
        if self.envelope is not None and self.envelope.mail_from is not None:
            await self.push("503 5.5.1 XFORWARD in the middle of a transaction")
            return
        values = dict(word.partition("=")[::2] for word in (arg or "").split())
        if not values or {name.upper() for name in values} - set(XFORWARD):
            await self.push("501 5.5.4 XFORWARD attribute=value ...")
            return
        for name, value in values.items():
            if name.upper() == "ADDR":
                self.client_address = forwarded_address(value)
        await self.push("250 2.0.0 thank you")

    async def smtp_VRFY(self, arg: str | None) -> None:  # noqa: N802
        """Promise nothing: the site says after DATA which recipients it knows."""
        await self.push("252 2.5.0 cannot verify, try to deliver")

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take the message, hand it over for each recipient, and answer in the order of the recipients."""
        if await self.check_helo_needed("LHLO"):
            return
        envelope = self.envelope
        assert envelope is not None
        if not envelope.rcpt_tos:
            await self.push("503 5.5.1 need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
            return
        self._reads_message, self._line = True, 0
        await self.push("354 end with <CR><LF>.<CR><LF>")
        client = self.gateway.client_address if self.client_address is None else self.client_address
        message = Spool()
        with message:
            try:
                problem = await self._receive(message)
                self._reads_message, self.is_busy = False, True
                self._reset_timeout(IDLE + self.gateway.site.timeout * len(envelope.rcpt_tos))
                await self._answer(envelope, message, problem, client)
            except ConnectionResetError:
                raise
            except Exception:  # one reply more or less, or data taken for commands: only an end is safe
                logger.exception("a message could not be taken")
                self.close(f"421 {OWN_ERROR}")
                return
            finally:
                self.is_busy = False
        self._set_rset_state()
        self._reset_timeout()

    async def _receive(self, message: "Spool") -> str:
        """Store the message, with LF line ends as Postfix gives them to a pipe; return a reply where it cannot be handed over.

        The key of a record is made of the bytes: the same mail by pipe and by LMTP is one record. Only <CR><LF>.<CR><LF> ends it.
        """
        limit, problem, unanswered, at_start = self.gateway.max_size, "", 0, True
        while True:
            try:
                piece: bytes = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                piece = await self._reader.read(error.consumed)
            if at_start and piece == b".\r\n":
                return problem or message.problem()
            if at_start and piece.startswith(b"."):
                piece = piece[1:]
            at_start = piece.endswith(b"\r\n")
            if at_start:
                piece = piece[:-2] + b"\n"
            unanswered += len(piece)
            if unanswered > MEMORY:
                self._reset_timeout()
                unanswered = 0
            message.size += len(piece)
            if message.size > limit:
                problem = f"552 5.3.4 the message is larger than {limit} bytes"
            if message.size > ENDLESS * limit:
                raise ConnectionResetError("a message without end")
            if not problem:
                problem = message.problem(piece)

    async def _answer(self, envelope: Envelope, message: "Spool", problem: str, client: str) -> None:
        since = asyncio.get_running_loop().time()
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from or ""
        for recipient in envelope.rcpt_tos:
            answer = problem or await self.gateway.hand_over(message.file, recipient, sender, client, since)
            logger.info(
                "from=%a to=%a size=%d client=%a: %a",
                masked(sender),
                masked(recipient),
                message.size,
                client,
                masked(answer),
            )
            await self.push(one_line(answer))


class Spool:
    """A message as it comes: in memory, and once it is long in an unnamed file. ``size`` counts the bytes that came."""

    def __init__(self) -> None:
        self.file: BinaryIO = io.BytesIO()
        self.size = 0
        self._is_short = True

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):  # what could not be written before cannot be written now
            self.file.close()

    def problem(self, piece: bytes = b"") -> str:
        """Write a piece, or flush where there is none; return a reply when that is not possible."""
        try:
            if piece:
                self._write(piece)
            else:
                self.file.flush()
        except OSError as error:
            return f"452 4.3.1 the message cannot be stored: {error.strerror}"
        return ""

    def _write(self, piece: bytes) -> None:
        if self._is_short and self.file.tell() + len(piece) > MEMORY:
            start = cast(io.BytesIO, self.file).getvalue()
            self.file, self._is_short = cast(BinaryIO, TemporaryFile()), False  # noqa: SIM115 - closed by us
            self.file.write(start)
        self.file.write(piece)


def address_refusal(address: str, is_utf8: bool) -> str:
    """Return the reply to an address that may not be in a transaction with or without SMTPUTF8, or an empty string."""
    if address.isascii():
        return ""
    if not is_utf8:
        return "553 5.6.7 an address that is not ASCII needs SMTPUTF8"
    try:
        address.encode()
    except UnicodeEncodeError:
        return "553 5.1.3 the address is not UTF-8"
    return ""


def one_line(text: str) -> str:
    """Return a reply as one line that fits into 512 octets (RFC 5321 §4.5.3.1.5)."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:480]


def forwarded_address(value: str) -> str:
    """Return the IP address in the value of XFORWARD ADDR, or an empty string where Postfix knows none."""
    text = _XTEXT.sub(lambda match: chr(int(match[1], 16)), value)
    text = text[5:] if text[:5].upper() == "IPV6:" else text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
