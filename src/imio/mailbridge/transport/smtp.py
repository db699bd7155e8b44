"""SMTP client: sends one message and returns what the server answered, recipient by recipient."""

from imio.mailbridge.message.address import needs_smtputf8
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.smtp_reply import SmtpReply
import contextlib
import smtplib
import socket
import ssl
import threading


BLOCK = 1 << 16

#: Seconds for one command, and for one message; the lease of the Outbox is longer than the second.
TIMEOUT = 60.0
DEADLINE = 20 * 60.0


class Stopped(Exception):
    """The dialogue ended; ``reply`` says where and why."""

    def __init__(self, reply):
        super().__init__(str(reply))
        self.reply = reply


class SmtpConnection:
    """A connection to an ``Account``. Certificates are always verified.

    ``authenticate`` gets the ``smtplib.SMTP`` after EHLO and TLS, logs in, and raises what smtplib raises; None: no login.
    """

    def __init__(self, account, authenticate=None, timeout=None, deadline=None):
        self.account = account
        self.authenticate = authenticate
        self.timeout = timeout or TIMEOUT
        self.deadline = deadline or DEADLINE
        self._connection = None

    def deliver(self, envelope_sender, recipients, message, size=None, eight_bit=False, envelope_id=""):
        """Send one message; return a dict of recipient → ``SmtpReply``. Nothing that a server or network does is raised.

        ``message`` is a sequence of bytes and binary streams, in CRLF lines, ``size`` bytes together; ``envelope_id`` goes
        to a server that offers DSN (RFC 3461), which names it in its reports.
        """
        replies = {}
        try:
            self._ready()
            with self._bounded():
                self._mail(envelope_sender, recipients, size, eight_bit, envelope_id)
                self._recipients(recipients, envelope_id, replies)
                if len(replies) < len(recipients):
                    reply = SmtpReply("data", *self._data(message))
                    replies |= {recipient: reply for recipient in recipients if recipient not in replies}
                    if reply.code == 421:
                        self.close()
        except Stopped as stopped:
            if stopped.reply.code == 421:
                self.close()
            replies |= {recipient: stopped.reply for recipient in recipients if recipient not in replies}
        return replies

    def probe(self):
        """Connect and log in; return the ``SmtpReply`` that stopped it, or None."""
        try:
            self._ready()
        except Stopped as stopped:
            return stopped.reply
        return None

    def close(self):
        """End the connection; never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    # the dialogue

    def _ready(self):
        """Have a connection on which MAIL may come next: the one there is, after RSET, or a new one."""
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if self._connection.rset()[0] == 250:
                    return
            self.close()
        context = self._context()
        tls = self.account.security == "tls"
        try:
            connect = smtplib.SMTP_SSL if tls else smtplib.SMTP
            options = {"context": context} if tls else {}
            self._connection = connect(self.account.host, self.account.port, timeout=self.timeout, **options)
        except smtplib.SMTPResponseException as error:
            raise Stopped(SmtpReply("connect", error.smtp_code, readable(error.smtp_error))) from error
        except ssl.SSLCertVerificationError as error:
            raise Stopped(SmtpReply("tls", 0, readable(error))) from error
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise Stopped(SmtpReply("connect", 0, readable(error) or type(error).__name__)) from error
        # a message ends in a small packet: without this it waits for the server's delayed ACK, 40 ms
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._greet(context)
        except Stopped:
            self.close()
            raise

    def _context(self):
        context = ssl.create_default_context()
        if self.account.ca_file:
            try:
                context.load_verify_locations(self.account.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise Stopped(SmtpReply("tls", 0, f"{self.account.ca_file}: {readable(error)}")) from error
        return context

    def _greet(self, context):
        connection = self._connection
        self._hello()
        if self.account.security == "starttls":
            if not connection.has_extn("starttls"):
                raise Stopped(SmtpReply("tls", 502, "STARTTLS is not offered"))
            try:
                self._command("tls", connection.starttls, context=context)
            except ssl.SSLCertVerificationError as error:
                raise Stopped(SmtpReply("tls", 0, readable(error))) from error
            self._hello()
        if self.authenticate is not None:
            try:
                self._command("auth", self.authenticate, connection)
            except UnicodeError as error:
                reply = SmtpReply("auth", 535, "login or password holds a character that SMTP cannot carry")
                raise Stopped(reply) from error

    def _hello(self):
        code, text = self._command("connect", self._connection.ehlo)
        if code in (500, 502):  # a server that does not know EHLO
            code, text = self._command("connect", self._connection.helo)
        if code // 100 != 2:
            raise Stopped(SmtpReply("connect", code, text))

    @contextlib.contextmanager
    def _bounded(self):
        """End the dialogue of one message at the deadline, also against a server that sends a byte now and then."""
        sock = self._connection.sock

        def end():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.deadline, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _mail(self, envelope_sender, recipients, size, eight_bit, envelope_id):
        connection = self._connection
        limit = connection.esmtp_features.get("size", "")
        options = []
        if size and connection.has_extn("size"):
            if limit.isdigit() and 0 < int(limit) < size:
                raise Stopped(
                    SmtpReply(
                        "mail", 552, f"5.3.4 message size exceeds the server's limit ({size} > {limit} bytes)"
                    )
                )
            options += [f"SIZE={size}"]
        utf8 = needs_smtputf8([envelope_sender, *recipients])
        if utf8 and not connection.has_extn("smtputf8"):
            raise Stopped(SmtpReply("mail", 550, "5.6.7 SMTPUTF8 is not offered"))
        if eight_bit and not connection.has_extn("8bitmime"):
            raise Stopped(SmtpReply("mail", 554, "5.6.3 8BITMIME is not offered"))
        options += ["SMTPUTF8"] if utf8 else []
        options += ["BODY=8BITMIME"] if utf8 or eight_bit else []
        if envelope_id and connection.has_extn("dsn"):
            options += ["RET=HDRS", f"ENVID={envelope_id}"]
        code, text = self._command(
            "mail", connection.mail, wire_address(envelope_sender) if envelope_sender else "", options
        )
        if code // 100 != 2:
            raise Stopped(SmtpReply("mail", code, text))

    def _recipients(self, recipients, envelope_id, replies):
        dsn = envelope_id and self._connection.has_extn("dsn")
        for recipient in recipients:
            address = wire_address(recipient)
            options = ["NOTIFY=FAILURE,DELAY"] if dsn else []
            options += [f"ORCPT=rfc822;{_xtext(address)}"] if dsn and address.isascii() else []
            code, text = self._command("rcpt", self._connection.rcpt, address, options)
            if code // 100 != 2:
                replies[recipient] = SmtpReply("rcpt", code, text)
                if code == 421:
                    raise Stopped(replies[recipient])

    def _data(self, message):
        """Stream the message; return the last answer."""
        code, text = self._command("data", self._connection.docmd, "DATA")
        if code != 354:
            return code, text
        try:
            self._stream(message)
        except OSError as error:
            return self._last_words(error)
        return self._command("data", self._connection.getreply)

    def _last_words(self, error):
        """Return the refusal that a server sent before it hung up in the middle of the message, if there is one."""
        code, text = 0, b""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            code, text = self._connection.getreply()
        self.close()
        if code < 400:
            raise Stopped(SmtpReply("data", 0, readable(error) or type(error).__name__)) from error
        return code, readable(text)

    def _stream(self, message):
        send, fresh = self._connection.sock.sendall, True
        for block in _blocks(message):
            if fresh and block.startswith(b"."):
                send(b".")
            send(block.replace(b"\r\n.", b"\r\n.."))
            fresh = block.endswith(b"\r\n")
        send(b".\r\n" if fresh else b"\r\n.\r\n")

    def _command(self, stage, call, *args, **kwargs):
        try:
            answer = call(*args, **kwargs)
        except ssl.SSLCertVerificationError:
            raise
        except Stopped:
            raise
        except smtplib.SMTPNotSupportedError as error:
            raise Stopped(SmtpReply(stage, 502, readable(error))) from error
        except smtplib.SMTPResponseException as error:
            raise Stopped(SmtpReply(stage, error.smtp_code, readable(error.smtp_error))) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            lost = stage if stage in ("mail", "rcpt", "data") else "connect"
            raise Stopped(SmtpReply(lost, 0, readable(error) or type(error).__name__)) from error
        return (answer[0], readable(answer[1])) if answer else (250, "")


def _xtext(text):
    """Return ASCII text as RFC 3461 §4 wants it in a parameter, so that a report can name the recipient as we did."""
    return "".join(char if "!" <= char <= "~" and char not in "+=" else f"+{ord(char):02X}" for char in text)


def _blocks(message):
    """Yield the message in blocks that never end between CR and LF, so that a line's first dot is seen."""
    held = b""
    for piece in message:
        reads = (
            iter([piece]) if isinstance(piece, bytes) else iter(lambda piece=piece: piece.read(BLOCK), b"")
        )
        for block in reads:
            block = held + block
            cut = len(block) - (block.endswith(b"\r"))
            held = block[cut:]
            if cut:
                yield block[:cut]
    if held:
        yield held
