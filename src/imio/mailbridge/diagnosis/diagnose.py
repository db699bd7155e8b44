"""Does an account work, and where does it stop? From the name of the server to a real message; bounded, never raising."""

from dataclasses import dataclass
from functools import partial
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.answers import Outcome
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.diagnosis import arrival as mailbox
from imio.mailbridge.diagnosis import dns
from imio.mailbridge.diagnosis import reach
from imio.mailbridge.diagnosis import tls
from imio.mailbridge.diagnosis.bounds import cut_off
from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.bounds import Limits
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.diagnosis.features import features
from imio.mailbridge.diagnosis.session import Session
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import Course
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import SKIPPED
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
import secrets
import socket
import ssl


@dataclass(frozen=True)
class Wish:
    """What is to be tried beside the connection; what is empty is left out.

    ``send``: a real message goes to ``recipient``, one more as ``agent``. ``inbox``: where it should arrive. ``subject`` and
    ``text`` are those of the message, in the admin's language; ``envelope_sender`` and ``bounce_address`` those of the settings.
    """

    recipient: str = ""
    agent: str = ""
    send: bool = False
    subject: str = "iA.docs"
    text: str = ""
    selector: str = ""
    inbox: mailbox.Mailbox | None = None
    dns: bool = True
    envelope_sender: str = "from"
    bounce_address: str = ""

    def envelope_of(self, author, account):
        """Return the envelope sender of mail with ``author`` in From, as the settings have it."""
        choices = {"login": account.login_address, "bounce": self.bounce_address}
        return choices.get(self.envelope_sender) or author


def planned(wish):
    """Return name → title of the steps, in their order."""
    titles = {
        "resolve": _("Name of the server"),
        "connect": _("Connection"),
        "tls": _("Encryption and certificate"),
        "features": _("What the server offers"),
        "login": _("Login"),
        "sender": _("The login address as sender"),
    }
    if wish.agent:
        titles["agent"] = _("The agent as sender")
    if wish.recipient:
        titles["recipient"] = _("Recipient")
    if wish.send and wish.recipient:
        titles["message"] = _("A real message from the login address")
        if wish.agent:
            titles["agent-message"] = _("A real message from the agent")
        if wish.inbox is not None:
            titles["mailbox"] = _("Arrival in the mailbox")
    return titles


def diagnose(account, wish, resolver="", limits=None):
    """Return the tuple of ``Step`` of an account. What the answers show of the agent is noted as a probe, and committed at once.

    The caller has written nothing.
    """
    limits = limits or Limits()
    deadline = Deadline(limits.total)
    course = Course(planned(wish), Dialogue(account.login))
    token = secrets.token_hex(8)
    _smtp(course, account, wish, token, limits, deadline.within(limits.smtp))
    if "mailbox" in course.planned and any(
        step.name == "message" and step.verdict == OK for step in course.steps
    ):
        mailbox.arrival(course, wish.inbox, token, deadline.within(limits.mailbox), limits.poll)
    course.skip_rest()
    if wish.dns:
        authors = {"dns-login": account.login_address, "dns-agent": wish.agent}
        cases = [
            (name, author, wish.envelope_of(author, account)) for name, author in authors.items() if author
        ]
        dns.check(course, account, cases, wish.selector, resolver, deadline.within(limits.dns))
    return tuple(course.steps)


def _smtp(course, account, wish, token, limits, deadline):
    session = Session(socket.gethostname(), course.dialogue)
    try:
        with cut_off(lambda: session.sock, deadline.left):
            if _connected(course, session, account, limits, deadline) and _logged_in(
                course, session, account
            ):
                _tried(course, session, account, wish, token)
    finally:
        with cut_off(lambda: session.sock, 2):
            session.end()


def _connected(course, session, account, limits, deadline):
    """Steps ``resolve`` to ``features``; return whether the next one can follow."""
    ips = reach.addresses(course, account, deadline.within(limits.resolve))
    if not ips:
        return False
    sock, silent = reach.connection(course, account, ips, limits, deadline)
    if sock is None:
        return reach.not_reached(course, account)
    sock.settimeout(deadline.within(limits.answer).left)
    ip = sock.getpeername()[0]
    verified = partial(_verified, course, account, ip, deadline.within(limits.connect))
    if account.security == "tls":
        reach.reached(course, account, silent)
        sock = verified(sock)
        if sock is None:
            return False
        session.use(sock)
        banner = session.ask("connect", session.getreply)
        hello = banner if banner.code // 100 != 2 else session.hello()
        return features(course, session, hello, account)
    session.use(sock)
    banner = session.ask("connect", session.getreply)
    if not banner.code:
        return reach.silent_server(course, account, ip, deadline)
    if not reach.reached(course, account, silent, banner):
        return False
    hello = session.hello()
    if account.security == "starttls":
        if hello.code // 100 == 2 and not session.has_extn("starttls"):
            return tls.not_offered(course)
        reply = session.ask("tls", session.docmd, "STARTTLS") if hello.code // 100 == 2 else hello
        if reply.code != 220:
            return _refused(course, "tls", reply)
        sock = verified(session.sock)
        if sock is None:
            session.sock = None
            return False
        session.use(sock)
        hello = session.hello()
    elif not tls.in_clear(course, reach.is_local(ips)):
        return False
    return features(course, session, hello, account)


def _verified(course, account, ip, deadline, sock):
    """Return the socket under TLS, or None after step ``tls`` said what is wrong."""
    try:
        found = tls.encrypt(sock, account, course.dialogue)
    except tls.NotEncrypted as error:
        certificate = None
        if isinstance(error.problem, ssl.SSLCertVerificationError):
            certificate = _shown_certificate(course, account, ip, deadline)
        tls.not_encrypted(course, account, error.problem, certificate)
        return None
    tls.encrypted(course, found)
    return found


def _shown_certificate(course, account, ip, deadline):
    """Return the certificate of a server that cannot be verified, by a connection of its own on which nothing is said."""
    try:
        sock = socket.create_connection((ip, account.port), timeout=deadline.left)
        with cut_off(lambda: sock, deadline.left):
            if account.security == "starttls":
                session = Session(socket.gethostname(), Dialogue())
                session.use(sock)
                session.ask("connect", session.getreply)
                session.hello()
                session.ask("tls", session.docmd, "STARTTLS")
            return tls.unverified(sock, account, course.dialogue)
    except OSError:
        return None


def _logged_in(course, session, account):
    """Step ``login``."""
    if not account.login and account.auth != "oauth2":
        return course.add("login", OK, _("No login is set: the server takes mail from iA.docs without one."))
    for kind in password.KINDS:
        try:
            course.dialogue.hide(password.read(account.name, kind))
        except password.PasswordUnreadable:
            return course.add(
                "login",
                BAD,
                _("The file with the password of the mail server cannot be read on the iA.docs server."),
            )
    reply = session.ask("auth", connection_to(account).authenticate, session)
    if reply.code // 100 != 2:
        return _refused(course, "login", reply)
    return course.add("login", OK, _("The server accepts the login."))


def _tried(course, session, account, wish, token):
    """The envelope, then the messages."""
    login = account.login_address or wish.recipient
    if not login:
        course.add(
            "sender", SKIPPED, _("There is no address to send from: enter the login address in the settings.")
        )
        return
    reply = session.sender(login)
    if reply.code // 100 != 2:
        _refused(course, "sender", reply)
        return
    course.add("sender", OK, _("The server takes ${address} as sender.", mapping={"address": login}))
    if not session.again():
        return
    if wish.agent:
        _agent(course, session, account, wish)
    if wish.recipient:
        reply = _envelope(session, login, wish.recipient)
        if reply.code // 100 == 2:
            mapping = {"address": wish.recipient}
            course.add("recipient", OK, _("The server takes mail for ${address}.", mapping=mapping))
        else:
            _refused(course, "recipient", reply)
        if not session.again() or reply.code // 100 != 2:
            return
    if "message" in course.planned:
        _message(course, session, account, wish, token, login)


def _agent(course, session, account, wish):
    """Step ``agent``: some servers refuse a foreign sender in the envelope already."""
    reply = _envelope(session, wish.agent, wish.recipient)
    mapping = {"address": wish.agent}
    if reply.code // 100 == 2:
        course.add(
            "agent",
            OK,
            _(
                "The server takes ${address} as sender so far; some servers refuse only after a real message.",
                mapping=mapping,
            ),
        )
    else:
        _foreign(course, "agent", account, wish.agent, reply)
    session.again()


def _message(course, session, account, wish, token, login):
    """Steps ``message`` and ``agent-message``."""
    envelope = wish.envelope_of(login, account)
    reply = _sent(session, Sender("login", Address("iA.docs", login), None, envelope), wish, token)
    mapping = {"address": wish.recipient, "token": token}
    if reply.code // 100 != 2:
        _refused(course, "message", reply)
        return
    course.add(
        "message",
        OK,
        _("The server took a message for ${address}; its subject ends in ${token}.", mapping=mapping),
    )
    if not wish.agent or not session.again():
        return
    envelope = wish.envelope_of(wish.agent, account)
    reply = _sent(session, Sender("send_as", Address("", wish.agent), None, envelope), wish, token)
    if reply.code // 100 != 2:
        if reply.stage == "data" or envelope == wish.agent:
            _foreign(course, "agent-message", account, wish.agent, reply)
        else:  # not the agent is refused, but the address for error reports
            _refused(course, "agent-message", reply)
        return
    _learn(account, wish.agent, True, reply)
    mapping = {"address": wish.agent}
    course.add(
        "agent-message",
        OK,
        _("The server lets the login send as ${address}; the bridge remembers it.", mapping=mapping),
    )


def _foreign(course, name, account, agent, reply):
    """Say that the server refused an agent as sender; that is no fault where the login address sends."""
    answer = answer_to(reply)
    if answer.outcome is not Outcome.SENDER_REFUSED:
        return _refused(course, name, reply)
    _learn(account, agent, False, reply)
    return course.add(
        name,
        WARNING,
        _(
            "The server does not let the login send as ${address}: the login address must send, and answers go to the agent.",
            mapping={"address": agent},
        ),
        _(
            "May the login ${login} get the right to send as our agents (Send As)?",
            mapping={"login": account.login or account.login_address},
        ),
    )


def _learn(account, agent, allowed, reply):
    """Note what the server said of an agent; a conflict later in the request must not send the messages again."""
    committed(lambda: send_as.learn(account.name, agent, allowed, str(reply), "probe"))


def _sent(session, sender, wish, token):
    reply = _envelope(session, sender.envelope_sender, wish.recipient)
    if reply.code // 100 != 2:
        return reply
    body = compose(
        message_id=message_id(f"{token}{secrets.token_hex(8)}", sender.author.addr_spec.rpartition("@")[2]),
        date=now(),
        to=[Address("", wish.recipient)],
        cc=[],
        subject=f"{wish.subject} {token}",
        html=f"<p>{wish.text} {token}</p>",
        auto_submitted="auto-generated",
    )
    return session.message(sender_headers(sender) + bytes(body))


def _envelope(session, sender, recipient):
    """Say MAIL and, if there is a recipient, RCPT; return the first refusal, else the last reply."""
    reply = session.sender(sender)
    return session.recipient(recipient) if reply.code // 100 == 2 and recipient else reply


def _refused(course, name, reply):
    """Add a step that the server ended, with what its answer means."""
    answer = answer_to(reply)
    return course.add(name, BAD, answer.explanation, answer.remedy)
