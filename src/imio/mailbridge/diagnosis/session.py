"""An SMTP session for the diagnosis, on a socket of ours, with every line in the dialogue and the log-in masked."""

from imio.mailbridge.message.address import needs_smtputf8
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.smtp_bounded import Answers
from imio.mailbridge.transport.smtp_bounded import Bounded
from imio.mailbridge.transport.smtp_bounded import has_spoken
from imio.mailbridge.transport.smtp_errors import DIALOGUE_ERRORS
from imio.mailbridge.transport.smtp_errors import reply_to
from imio.mailbridge.transport.smtp_reply import SmtpReply
import contextlib
import math
import smtplib


#: Lines of one answer; a server that goes on is broken.
LINES = 200


class _Lines(Answers):
    """The server's side of the connection, line by line."""

    def __init__(self, sock, dialogue):
        super().__init__(sock)
        self._dialogue = dialogue

    def begin(self, seconds, limit):
        super().begin(seconds, limit)
        self._count = 0

    def readline(self, limit):
        line = super().readline(limit)
        self._count += 1
        if self._count > LINES:
            raise OSError("the answer has no end")
        if line:
            self._dialogue.server(line.rstrip(b"\r\n").decode("utf-8", "replace"))
        return line


class Session(Bounded):
    """An SMTP connection; ``use`` gives it its socket, in clear or after TLS. An answer may take ``seconds``."""

    def __init__(self, local_hostname, dialogue, seconds):
        super().__init__(local_hostname=local_hostname, timeout=seconds, end=math.inf)
        self._dialogue = dialogue
        self._logging_in = False

    def use(self, sock):
        """Talk on ``sock`` from now on; what EHLO said before is forgotten (RFC 3207 §4.2)."""
        self.sock, self.file = sock, None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False

    def putcmd(self, cmd, args=""):
        super().putcmd(cmd, args)
        line = f"{cmd} {args}" if args else cmd
        if cmd.upper() == "AUTH":
            self._logging_in = True
            mechanism, space, response = args.partition(" ")
            self._dialogue.hide_sent(response)
            self._dialogue.client(f"AUTH {mechanism}{' ****' if space else ''}")
        elif self._logging_in:
            self._dialogue.hide_sent(line)
            self._dialogue.client("****")
        else:
            self._dialogue.client(line)

    def send(self, s):
        if isinstance(s, bytes):  # the message; commands are text
            if has_spoken(self):
                raise OSError("the server answered before the message had ended")
            head = s.partition(b"\r\n\r\n")[0]
            for line in head.decode("utf-8", "replace").split("\r\n"):
                self._dialogue.client(line)
            self._dialogue.client(f"… ({len(s)} bytes)")
        super().send(s)

    def getreply(self):
        if self.file is None:
            self.file = _Lines(self.sock, self._dialogue)
        try:
            code, text = super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            self._dialogue.server(f"({readable(error)})")
            raise
        self._logging_in = self._logging_in and code == 334
        return code, text

    def ask(self, stage, call, *args):
        """Return the ``SmtpReply`` to a command; an error is one too, with code 0 when the connection is lost."""
        try:
            code, text = call(*args)
        except DIALOGUE_ERRORS as error:
            reply = reply_to(stage, error)
            if not reply.code:
                self.close()
            return reply
        if code // 100 not in (2, 4, 5):  # no answer that counts at any stage
            self.close()
            return reply_to(stage, smtplib.SMTPResponseException(code, text))
        return SmtpReply(stage, code, readable(text))

    def greeting(self):
        """Return the reply that the server begins with."""
        return self.ask("connect", self._greeting)

    def _greeting(self):
        code, text = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        return code, text

    def hello(self):
        """Say EHLO, or HELO where that is not known; return the reply."""
        reply = self.ask("connect", self.ehlo)
        return self.ask("connect", self.helo) if reply.code in (500, 502) else reply

    def sender(self, address):
        """Say MAIL FROM; return the reply."""
        utf8 = needs_smtputf8([address])
        if utf8 and not self.has_extn("smtputf8"):
            return SmtpReply("mail", 550, "5.6.7 SMTPUTF8 is not offered")
        return self.ask("mail", self.mail, wire_address(address), ["SMTPUTF8"] if utf8 else [])

    def recipient(self, address):
        """Say RCPT TO; return the reply."""
        return self.ask("rcpt", self.rcpt, wire_address(address))

    def message(self, content):
        """Send a message; return the reply to its end."""
        return self.ask("data", self.data, content)

    def reset(self):
        """Say RSET; return whether the connection is still there."""
        return self.sock is not None and self.ask("mail", self.rset).code == 250

    def hang_up(self):
        """Say QUIT; never raises."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if self.sock is not None:
                self.quit()
        self.close()
