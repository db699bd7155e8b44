"""smtplib's connection for servers that break the protocol: bounded answers, and no answer that nobody asked for."""

from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.bounded import BoundedReader
from typing import Any
import select
import smtplib
import ssl


#: Bytes of one answer.
ANSWER = 1 << 16


class Answers(BoundedReader):
    """Reads answers; ``codes`` are those of the lines of one."""

    def begin(self, seconds: float, limit: int) -> None:
        """Read an answer."""
        self.codes: set[bytes] = set()
        super().begin(seconds, limit)

    def readline(self, limit: int) -> bytes:
        """Return a line of the answer."""
        line = super().readline(limit)
        self.codes.add(line[:3])
        return line


class Bounded(smtplib.SMTP):
    """smtplib's connection, which reads by a ``BoundedReader``: each answer has ``timeout`` seconds and ``ANSWER`` bytes.

    ``end``, a time of the monotonic clock, bounds all answers together.
    """

    def __init__(self, *args: Any, end: float, **kwargs: Any) -> None:
        self.end = end
        super().__init__(*args, **kwargs)

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Say a command, unless the server has said something that nobody asked for: it would be taken for the answer."""
        if has_spoken(self):
            self.close()
            raise smtplib.SMTPServerDisconnected("the server hung up, or said more than it was asked")
        super().putcmd(cmd, args)

    def getreply(self) -> tuple[int, bytes]:
        """Return code and text of an answer."""
        if self.file is None and self.sock is not None:
            self.file = Answers(self.sock)
        answers = self.file
        if answers is not None:
            answers.end = self.end
            answers.begin(self.timeout, ANSWER)
        try:
            reply = super().getreply()
        except (
            smtplib.SMTPResponseException
        ) as error:  # smtplib's own: no code of the server, which may have said "sent"
            self.close()
            raise smtplib.SMTPServerDisconnected(readable(error.smtp_error)) from error
        if answers is not None and len(answers.codes) > 1:  # RFC 5321 §4.2.1: one for all
            self.close()
            raise smtplib.SMTPServerDisconnected("the lines of an answer have several codes")
        return reply


class BoundedTls(Bounded, smtplib.SMTP_SSL):
    """The same over TLS from the start."""


def has_spoken(connection: smtplib.SMTP) -> bool:
    """Tell whether the server has said something that was not read, or hung up."""
    file, sock = connection.file, connection.sock
    if file is None or sock is None:  # nothing was read since the connection, or TLS, began
        return False
    if sock.fileno() < 0:  # a handshake failed
        return True
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(file.has_more or waiting.poll(0) or (isinstance(sock, ssl.SSLSocket) and sock.pending()))
