"""The ``ISMTPMailer`` of an account: how code that knows only zope.sendmail sends by it."""

from contextlib import closing
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.settings import secrets
from zope.interface import implementer
from zope.sendmail.interfaces import ISMTPMailer
import logging
import smtplib


logger = logging.getLogger(__name__)

#: Stage of a dialogue → what smtplib raises for an answer there.
ERRORS = {
    "auth": smtplib.SMTPAuthenticationError,
    "oauth": smtplib.SMTPAuthenticationError,
    "data": smtplib.SMTPDataError,
}


@implementer(ISMTPMailer)
class AccountMailer:
    """Sends by an ``Account``, one connection for each message. Errors of all methods: those of smtplib, ``PasswordUnreadable``."""

    def __init__(self, account):
        self._account = account
        self.hostname, self.port = account.host, account.port
        self.username = account.login or None
        self.no_tls = account.security == "none"
        self.force_tls = not self.no_tls

    @property
    def password(self):
        """Return the password of the account, or None where none is used."""
        return secrets.read(self._account.name) or None if self.username else None

    def vote(self, fromaddr, toaddrs, message):
        with closing(connection_to(self._account)) as connection:
            if (reply := connection.probe()) is not None:
                raise _error(dict.fromkeys(toaddrs, reply), fromaddr)

    def abort(self):
        pass  # no connection outlives a call

    def send(self, fromaddr, toaddrs, message):
        """Send at once; raises when no recipient was taken. Recipients that alone were refused stand in the log."""
        content = message.encode("utf-8", "surrogateescape") if isinstance(message, str) else message
        recipients = list(dict.fromkeys(toaddrs))
        with closing(connection_to(self._account)) as connection:
            replies = connection.deliver(fromaddr, recipients, [content], len(content), not content.isascii())
        refused = {address: reply for address, reply in replies.items() if reply.code // 100 != 2}
        if len(refused) == len(recipients):
            raise _error(refused, fromaddr)
        for address, reply in refused.items():
            logger.error("mail was refused for %s: %s", address, reply)


def _error(refused, envelope_sender):
    reply = next(iter(refused.values()))
    if not reply.code:
        return smtplib.SMTPServerDisconnected(reply.text)
    if reply.stage == "rcpt":
        return smtplib.SMTPRecipientsRefused(
            {address: (each.code, each.text) for address, each in refused.items()}
        )
    if reply.stage == "mail":
        return smtplib.SMTPSenderRefused(reply.code, reply.text, envelope_sender)
    return ERRORS.get(reply.stage, smtplib.SMTPConnectError)(reply.code, reply.text)
