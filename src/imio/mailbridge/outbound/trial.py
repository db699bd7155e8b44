"""Does the account work? One real message, at once, and what the server answered."""

from contextlib import closing
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.compose import compose
from imio.mailbridge.message.compose import message_id
from imio.mailbridge.message.compose import sender_headers
from imio.mailbridge.message.policy import Sender
from imio.mailbridge.outbound.deliver import mailer
from imio.mailbridge.settings.read import login_address
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
import secrets


def send_trial(to, subject, html):
    """Send a message from the login address (or, without one, from ``to``) to ``to``; return the ``SmtpReply``."""
    author = login_address(settings()) or to
    sender = Sender("login", Address("", author), None, author)
    body = compose(
        message_id=message_id(secrets.token_hex(16), author.rpartition("@")[2]),
        date=now(),
        to=[Address("", to)],
        cc=[],
        subject=subject,
        html=html,
    )
    with closing(mailer()) as account:
        return account.deliver(author, [to], sender_headers(sender) + body)[to]
