"""Does the account work? One real message, at once, and what the server answered."""

from contextlib import closing
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.compose import compose
from imio.mailbridge.message.compose import message_id
from imio.mailbridge.message.compose import sender_headers
from imio.mailbridge.message.policy import Sender
from imio.mailbridge.outbound.connect import mailer_for
from imio.mailbridge.store.store import now
import secrets


def send_trial(account, to, subject, html):
    """Send a message from the login address (or, without one, from ``to``) to ``to``; return the ``SmtpReply``.

    Errors: ``PasswordUnreadable``.
    """
    author = account.login_address or to
    sender = Sender("login", Address("", author), None, author)
    body = compose(
        message_id=message_id(secrets.token_hex(16), author.rpartition("@")[2]),
        date=now(),
        to=[Address("", to)],
        cc=[],
        subject=subject,
        html=html,
    )
    message = sender_headers(sender) + bytes(body)
    with closing(mailer_for(account)) as connection:
        return connection.deliver(author, [to], [message], len(message))[to]
