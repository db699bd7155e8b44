"""Sends one real message at once, to see whether an account works or lets its login send as somebody."""

from contextlib import closing
from dataclasses import dataclass
from imio.mailbridge.delivery.answer_table import Answer
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import choose_sender
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.smtp_reply import SmtpReply
import secrets


def send_trial(account, to, subject, html):
    """Send a message from the login address (or, without one, from ``to``) to ``to``; return the ``SmtpReply``.

    Errors: ``PasswordUnreadable``.
    """
    author = account.login_address or to
    return _send(account, Sender("login", Address("", author), None, author), to, subject, html)


@dataclass(frozen=True)
class Probe:
    """The result of a probe: ``allowed`` is None where the answer says nothing about the sender."""

    allowed: bool | None
    reply: SmtpReply
    answer: Answer


def probe_sender(account, addr_spec, to, subject, html, whole_domain=False):
    """Send a message to ``to`` as an agent with this address would; note what it shows of the address; return the ``Probe``.

    ``whole_domain`` notes it for the domain of the address too. What it shows is committed by itself, and nothing else that the
    request may have written: a conflict would repeat the request, and with it the message. Errors: ``PasswordUnreadable``,
    ``SenderRefused`` (no login address is set for the envelope sender).
    """
    sender = choose_sender(Address("", addr_spec), policy="send_as", **settings().sender_options(account))
    reply = _send(account, sender, to, subject, html)
    answer = answer_to(reply)
    allowed = {Outcome.SENT: True, Outcome.SENDER_REFUSED: False}.get(answer.outcome)
    if allowed is False and send_as.blames_envelope(reply, sender, account):
        allowed, names, shown = None, [send_as.BOUNCE], False
    else:
        names, shown = [addr_spec, *([addr_spec.rpartition("@")[2]] if whole_domain else [])], allowed

    def learn():
        for name in names if shown is not None else ():
            send_as.learn(account.name, name, shown, str(reply), "probe")

    committed(learn)
    return Probe(allowed, reply, answer)


def _send(account, sender, to, subject, html):
    body = compose(
        message_id=message_id(secrets.token_hex(16), sender.author.addr_spec.rpartition("@")[2]),
        date=now(),
        to=[Address("", to)],
        cc=[],
        subject=subject,
        html=html,
    )
    message = sender_headers(sender) + bytes(body)
    with closing(connection_to(account)) as connection:
        return connection.deliver(sender.envelope_sender, [to], [message], len(message))[to]
