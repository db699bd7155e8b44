"""The mailer of an account: how code that knows zope.sendmail sends by it at once.

This is the mailer part of zope.sendmail (``ISMTPMailer``). Its own ``SMTPMailer`` cannot carry it: it knows no deadline, no
authority of the town, no OAuth 2.0, SMTPUTF8 or 8BITMIME, and Plone patches it to send by Plone's own mail settings only. Its
queue and data managers carry nothing here: mail that need not leave at once goes to the Outbox, where it has states. The dialogue
is that of ``transport.smtp``; errors are smtplib's, as with ``SMTPMailer``.
"""

from email.utils import parseaddr
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.settings import secrets
from imio.mailbridge.transport.smtp import TIMEOUT
from imio.mailbridge.transport.smtp_errors import error_of
from threading import local
from zope.interface import implementer
from zope.sendmail.interfaces import ISMTPMailer
import logging
import re


logger = logging.getLogger(__name__)


class _Vote(local):
    """The connection of this thread between ``vote`` and ``send`` or ``abort``."""

    connection = None


@implementer(ISMTPMailer)
class AccountMailer:
    """Sends by an ``Account``; one mailer may serve several threads. Errors: ``smtplib.SMTPException``, ``PasswordUnreadable``."""

    timeout = TIMEOUT

    def __init__(self, account):
        self._account = account
        self._vote = _Vote()
        self.hostname, self.port = account.host, account.port
        self.username = account.login or None
        self.no_tls = account.security == "none"
        self.force_tls = account.security == "starttls"
        self.implicit_tls = account.security == "tls"

    @property
    def password(self):
        """Return the password of the account, or None where it has none, as with OAuth 2.0."""
        return (secrets.read(self._account.name) or None) if self.username else None

    def vote(self, fromaddr, toaddrs, message):
        """Connect and log in; raise what stops that. The connection stays for ``send``."""
        self.abort()
        connection = connection_to(self._account)
        if (reply := connection.probe()) is not None:
            connection.close()
            raise error_of(dict.fromkeys(_addresses(toaddrs), reply), fromaddr)
        self._vote.connection = connection

    def abort(self):
        """End the connection that ``vote`` has left."""
        connection, self._vote.connection = self._vote.connection, None
        if connection is not None:
            connection.close()

    def send(self, fromaddr, toaddrs, message):
        """Send at once; raise when every recipient is refused. A refusal of some recipients is logged."""
        if self._vote.connection is None:
            self.vote(fromaddr, toaddrs, message)
        content = message.encode("utf-8", "surrogateescape") if isinstance(message, str) else message
        content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
        recipients, sender = _addresses(toaddrs), parseaddr(fromaddr)[1]
        try:
            replies = self._vote.connection.deliver(
                sender, recipients, [content], len(content), not content.isascii()
            )
        finally:
            self.abort()
        refused = {address: reply for address, reply in replies.items() if not reply.is_positive}
        if len(refused) == len(recipients):
            raise error_of(refused, sender)
        for address, reply in refused.items():
            logger.error("mail was refused for %s: %s", address, reply)


def _addresses(texts):
    """Return the addr-specs of recipients, each once: a list, or the only one, with or without their names."""
    return list(dict.fromkeys(parseaddr(text)[1] for text in ([texts] if isinstance(texts, str) else texts)))
