"""How does one message get through SMTP? A zope.sendmail mailer that says what the server answered, recipient by recipient."""

from imio.mailbridge.message.compose import needs_smtputf8
from imio.mailbridge.message.compose import wire_address
from imio.mailbridge.outbound.answers import SmtpReply
from zope.interface import implementer
from zope.sendmail.interfaces import ISMTPMailer
import contextlib
import smtplib
import ssl


class IReportingMailer(ISMTPMailer):
    """A mailer that keeps its connection for several messages and returns the answers."""

    def deliver(envelope_sender, recipients, message):
        """Send one message; return a dict of recipient → ``SmtpReply``. Nothing that a server or network does is raised."""

    def probe():
        """Connect and log in; return the ``SmtpReply`` that stopped it, or None."""

    def close():
        """End the connection; never raises."""


class _Stopped(Exception):
    """The dialogue ended; ``reply`` says where and why."""

    def __init__(self, reply):
        self.reply = reply


def _text(answer):
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@implementer(IReportingMailer)
class Mailer:
    """An SMTP account: where and how to log in. Certificates are always verified."""

    no_tls = False

    def __init__(self, hostname, port, security, username="", password="", ca_file="", timeout=60.0):
        self.hostname = hostname
        self.port = port
        self.username = username
        self.password = password
        self.implicit_tls = security == "tls"
        self.force_tls = security == "starttls"
        self.no_tls = security == "none"
        self.ca_file = ca_file
        self.timeout = timeout
        self._connection = None

    def deliver(self, envelope_sender, recipients, message):
        replies = {}
        try:
            self._open()
            self._mail(envelope_sender, recipients, len(message))
            for recipient in recipients:
                code, text = self._command("rcpt", self._connection.rcpt, wire_address(recipient))
                if code // 100 != 2:
                    replies[recipient] = SmtpReply("rcpt", code, text)
                    if code == 421:
                        raise _Stopped(replies[recipient])
            if len(replies) < len(recipients):
                reply = SmtpReply("data", *self._data(message))
                replies |= {recipient: reply for recipient in recipients if recipient not in replies}
            else:
                self._reset()
        except _Stopped as stopped:
            self._reset()
            replies |= {recipient: stopped.reply for recipient in recipients if recipient not in replies}
        return replies

    def probe(self):
        try:
            self._open()
        except _Stopped as stopped:
            return stopped.reply
        return None

    def close(self):
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    # IMailer, for callers that only know zope.sendmail

    def vote(self, fromaddr, toaddrs, message):
        if reply := self.probe():
            raise smtplib.SMTPResponseException(reply.code, reply.text)

    def abort(self):
        self.close()

    def send(self, fromaddr, toaddrs, message):
        message = message.encode() if isinstance(message, str) else message
        try:
            replies = self.deliver(fromaddr, list(toaddrs), message)
        finally:
            self.close()
        refused = {
            address: (reply.code, reply.text) for address, reply in replies.items() if reply.code // 100 != 2
        }
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)

    # the dialogue

    def _open(self):
        if self._connection is not None:
            try:
                if self._connection.noop()[0] == 250:
                    return
            except (OSError, smtplib.SMTPException):
                pass
            self.close()
        context = self._context()
        try:
            connect = smtplib.SMTP_SSL if self.implicit_tls else smtplib.SMTP
            options = {"context": context} if self.implicit_tls else {}
            self._connection = connect(self.hostname, self.port, timeout=self.timeout, **options)
        except smtplib.SMTPResponseException as error:
            raise _Stopped(SmtpReply("connect", error.smtp_code, _text(error.smtp_error))) from error
        except ssl.SSLCertVerificationError as error:
            raise _Stopped(SmtpReply("tls", 0, _text(error))) from error
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise _Stopped(SmtpReply("connect", 0, _text(error) or type(error).__name__)) from error
        try:
            self._greet(context)
        except _Stopped:
            self.close()
            raise

    def _context(self):
        context = ssl.create_default_context()
        if self.ca_file:
            try:
                context.load_verify_locations(self.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise _Stopped(SmtpReply("tls", 0, f"{self.ca_file}: {_text(error)}")) from error
        return context

    def _greet(self, context):
        connection = self._connection
        self._command("connect", connection.ehlo_or_helo_if_needed)
        if self.force_tls:
            if not connection.has_extn("starttls"):
                raise _Stopped(SmtpReply("tls", 502, "STARTTLS is not offered"))
            try:
                code, text = self._command("tls", connection.starttls, context=context)
            except ssl.SSLCertVerificationError as error:
                raise _Stopped(SmtpReply("tls", 0, _text(error))) from error
            if code != 220:
                raise _Stopped(SmtpReply("tls" if code >= 500 else "connect", code, text))
            self._command("connect", connection.ehlo_or_helo_if_needed)
        if self.username:
            try:
                self._command("auth", connection.login, self.username, self.password)
            except UnicodeError as error:
                reply = SmtpReply("auth", 535, "login or password holds a character that SMTP cannot carry")
                raise _Stopped(reply) from error

    def _mail(self, envelope_sender, recipients, size):
        connection = self._connection
        limit = connection.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < size:
            raise _Stopped(
                SmtpReply(
                    "mail", 552, f"5.3.4 message size exceeds the server's limit ({size} > {limit} bytes)"
                )
            )
        options = [f"SIZE={size}"] if connection.has_extn("size") else []
        if needs_smtputf8([envelope_sender, *recipients]):
            if not connection.has_extn("smtputf8"):
                raise _Stopped(SmtpReply("mail", 550, "5.6.7 SMTPUTF8 is not offered"))
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        code, text = self._command("mail", connection.mail, wire_address(envelope_sender), options)
        if code // 100 != 2:
            raise _Stopped(SmtpReply("mail", code, text))

    def _data(self, message):
        return self._command("data", self._connection.data, message)

    def _command(self, stage, call, *args, **kwargs):
        try:
            answer = call(*args, **kwargs)
        except ssl.SSLCertVerificationError:
            raise
        except smtplib.SMTPNotSupportedError as error:
            raise _Stopped(SmtpReply(stage, 502, _text(error))) from error
        except smtplib.SMTPResponseException as error:
            raise _Stopped(SmtpReply(stage, error.smtp_code, _text(error.smtp_error))) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise _Stopped(SmtpReply("connect", 0, _text(error) or type(error).__name__)) from error
        return (answer[0], _text(answer[1])) if answer else (250, "")

    def _reset(self):
        if self._connection is not None:
            try:
                self._connection.rset()
            except (OSError, smtplib.SMTPException):
                self.close()
