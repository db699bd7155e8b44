"""Runs the diagnosis of an account, from the name of the server to a real message; bounded in time, never raising."""

from dataclasses import dataclass
from functools import partial
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.connect import connection_to
from imio.mailbridge.delivery.ehlo_name import ehlo_name
from imio.mailbridge.diagnosis import dns_steps
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis import reach
from imio.mailbridge.diagnosis import tls
from imio.mailbridge.diagnosis.arrival import arrival
from imio.mailbridge.diagnosis.bounds import cut_off
from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.bounds import Limits
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.diagnosis.features import features
from imio.mailbridge.diagnosis.forecast import Case
from imio.mailbridge.diagnosis.forecast import domain_of
from imio.mailbridge.diagnosis.returned import shown_by
from imio.mailbridge.diagnosis.session import Session
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import Report
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
from imio.mailbridge.transport.imap_account import ImapAccount
import secrets
import socket
import ssl


@dataclass(frozen=True)
class Options:
    """What to try beside the connection; what is empty is left out.

    With ``send`` a real message goes to ``recipient``, and one more as ``agent``; it should arrive in ``imap_account``.
    ``subject`` and ``text`` are those of the message, in the admin's language; ``envelope_sender`` and ``bounce_address`` those of
    the settings.
    """

    recipient: str = ""
    agent: str = ""
    send: bool = False
    subject: str = "iA.docs"
    text: str = ""
    selector: str = ""
    imap_account: ImapAccount | None = None
    dns: bool = True
    envelope_sender: str = "from"
    bounce_address: str = ""

    def envelope_of(self, author, account):
        """Return the envelope sender of mail with ``author`` in From, as the settings have it."""
        choices = {"login": account.login_address, "bounce": self.bounce_address}
        return choices.get(self.envelope_sender) or author


#: Names of the steps that send a message.
MESSAGES = ("message", "agent-message")


def planned(options):
    """Return name → title of the steps, in their order."""
    titles = {
        "resolve": _("Name of the server"),
        "connect": _("Connection"),
        "tls": _("Encryption and certificate"),
        "features": _("What the server offers"),
        "login": _("Login"),
        "sender": _("The login address as sender"),
    }
    if options.agent:
        titles["agent"] = _("The agent as sender")
    if options.recipient:
        titles["recipient"] = _("Recipient")
    if options.send and options.recipient:
        titles["message"] = _("A real message from the login address")
        if options.agent:
            titles["agent-message"] = _("A real message from the agent")
        if options.imap_account is not None:
            titles["mailbox"] = _("Arrival in the mailbox")
    return titles


def diagnose(account, options, resolver="", limits=None):
    """Return the tuple of ``Step`` of an account; note what the answers show of the agent, as a probe.

    That is committed by itself, and nothing else that the request may have written: a conflict would repeat the request, and with
    it the messages.
    """
    limits = limits or Limits()
    deadline = Deadline(limits.total)
    report = Report(planned(options), Dialogue(account.login))
    token = secrets.token_hex(8)
    _talk_smtp(report, account, options, token, limits, deadline.within(limits.smtp))
    committed(lambda: _learn(account, report.learned))
    if "mailbox" in report.planned and any(
        step.name == "message" and step.verdict == OK for step in report.steps
    ):
        sent = [step.name for step in report.steps if step.verdict == OK and step.name in MESSAGES]
        arrival(report, options.imap_account, token, len(sent), deadline.within(limits.mailbox), limits.poll)
    report.skip_rest()
    answers = {}
    if options.dns:
        authors = {"dns-login": account.login_address, "dns-agent": options.agent}
        cases = {
            name: Case.of(policy, author, options.envelope_of(author, account))
            for (name, author), policy in zip(authors.items(), ("login", "send_as"), strict=True)
            if author
        }
        answers = dns_steps.check(
            report, account, cases, options.selector, resolver, deadline.within(limits.dns)
        )
    committed(lambda: _keep(account, options, answers, report.returned))
    return tuple(report.steps)


def _keep(account, options, answers, returned):
    """Remember what DNS answered and what test messages showed."""
    knowledge.keep_answers(answers)
    for header in returned:
        knowledge.keep_returned(account.host, shown_by(header), domain_of(options.recipient))
    if options.agent:
        knowledge.keep_agent(account.host, domain_of(options.agent))


def _talk_smtp(report, account, options, token, limits, deadline):
    session = Session(ehlo_name(account), report.dialogue, deadline.left)
    try:
        with cut_off(lambda: session.sock, deadline.left):
            if _connect(report, session, account, limits, deadline) and _log_in(report, session, account):
                _try_to_send(report, session, account, options, token)
    finally:
        with cut_off(lambda: session.sock, 2):
            session.hang_up()


def _connect(report, session, account, limits, deadline):
    """Steps ``resolve`` to ``features``; return whether the next one can follow."""
    ips = reach.addresses(report, account, deadline.within(limits.resolve))
    if not ips:
        return False
    sock, silent = reach.connection(report, account, ips, limits, deadline)
    if sock is None:
        return reach.not_reached(report, account)
    sock.settimeout(deadline.within(limits.answer).left)
    ip = sock.getpeername()[0]
    encrypt = partial(_encrypt, report, account, ip, deadline.within(limits.connect))
    if account.security == "tls":
        reach.reached(report, account, silent)
        sock = encrypt(sock)
        if sock is None:
            return False
        session.use(sock)
        banner = session.greeting()
        hello = banner if not banner.is_positive else session.hello()
        return features(report, session, hello, account)
    session.use(sock)
    banner = session.greeting()
    if answer_to(banner).name == "not-reached":
        return reach.silent_server(report, account, ip, deadline)
    if not reach.reached(report, account, silent, banner):
        return False
    hello = session.hello()
    if account.security == "starttls":
        if hello.is_positive and not session.has_extn("starttls"):
            return tls.not_offered(report)
        reply = session.ask("tls", session.docmd, "STARTTLS") if hello.is_positive else hello
        if reply.code != 220:
            return _add_refusal(report, "tls", reply)
        sock = encrypt(session.sock)
        if sock is None:
            session.sock = None
            return False
        session.use(sock)
        hello = session.hello()
    elif not tls.in_clear(report, reach.is_local(ips)):
        return False
    return features(report, session, hello, account)


def _encrypt(report, account, ip, deadline, sock):
    """Return the socket under TLS, or None after step ``tls`` has said what is wrong."""
    try:
        found = tls.encrypt(sock, account, report.dialogue)
    except tls.NotEncrypted as error:
        certificate = None
        if isinstance(error.problem, ssl.SSLCertVerificationError):
            certificate = _unverified_certificate(report, account, ip, deadline)
        tls.not_encrypted(report, account, error.problem, certificate)
        return None
    tls.encrypted(report, found)
    return found


def _unverified_certificate(report, account, ip, deadline):
    """Return the certificate of a server that cannot be verified, by a second connection that carries nothing else."""
    try:
        sock = socket.create_connection((ip, account.port), timeout=deadline.left)
        with cut_off(lambda: sock, deadline.left):
            if account.security == "starttls":
                session = Session(ehlo_name(account), Dialogue(), deadline.left)
                session.use(sock)
                session.greeting()
                session.hello()
                session.ask("tls", session.docmd, "STARTTLS")
            return tls.unverified(sock, account, report.dialogue)
    except OSError:
        return None


def _log_in(report, session, account):
    """Step ``login``."""
    if not account.login and account.auth != "oauth2":
        return report.add(
            "login", OK, _("No login is set: the server accepts mail from iA.docs without one.")
        )
    for kind in password.KINDS:
        report.dialogue.hide(password.read(account.name, kind))
    if account.auth != "oauth2":
        try:
            report.dialogue.hide(password.password_of(account))
        except password.PasswordForAnother:
            return report.add("login", BAD, password.FOR_ANOTHER)
        except password.PasswordUnreadable:
            return report.add(
                "login",
                BAD,
                _("The file with the password of the mail server cannot be read on the iA.docs server."),
            )
    reply = session.ask("auth", connection_to(account).authenticate, session)
    if not reply.is_positive:
        return _add_refusal(report, "login", reply)
    return report.add("login", OK, _("The server accepts the login."))


def _try_to_send(report, session, account, options, token):
    """Steps ``sender`` to ``agent-message``: the envelopes, then the messages."""
    login = account.login_address or options.recipient
    if not login:
        report.add(
            "sender", SKIPPED, _("There is no address to send from: enter the login address in the settings.")
        )
        return
    reply = session.sender(login)
    if not reply.is_positive:
        _add_refusal(report, "sender", reply)
        return
    report.add("sender", OK, _("The server accepts ${address} as sender.", mapping={"address": login}))
    if not session.reset():
        return
    if options.agent:
        _try_agent(report, session, account, options)
    if options.recipient:
        reply = _try_envelope(session, login, options.recipient)
        if reply.is_positive:
            mapping = {"address": options.recipient}
            report.add("recipient", OK, _("The server accepts mail for ${address}.", mapping=mapping))
        else:
            _add_refusal(report, "recipient", reply)
        if not session.reset() or not reply.is_positive:
            return
    if "message" in report.planned:
        _send_messages(report, session, account, options, token, login)


def _try_agent(report, session, account, options):
    """Step ``agent``: some servers refuse a foreign sender in the envelope already."""
    reply = _try_envelope(session, options.agent, options.recipient)
    mapping = {"address": options.agent}
    if reply.is_positive:
        report.add(
            "agent",
            OK,
            _(
                "The server accepts ${address} as sender so far; some servers refuse only after a real message.",
                mapping=mapping,
            ),
        )
    else:
        _add_refused_agent(report, "agent", account, options.agent, reply)
    session.reset()


def _send_messages(report, session, account, options, token, login):
    """Steps ``message`` and ``agent-message``."""
    envelope = options.envelope_of(login, account)
    reply = _send(session, Sender("login", Address("iA.docs", login), None, envelope), options, token)
    mapping = {"address": options.recipient, "token": token}
    if not reply.is_positive:
        _add_refusal(report, "message", reply)
        return
    report.add(
        "message",
        OK,
        _("The server accepted a message for ${address}; its subject ends in ${token}.", mapping=mapping),
    )
    if not options.agent or not session.reset():
        return
    envelope = options.envelope_of(options.agent, account)
    reply = _send(session, Sender("send_as", Address("", options.agent), None, envelope), options, token)
    if not reply.is_positive:
        if reply.stage == "data" or envelope == options.agent:
            _add_refused_agent(report, "agent-message", account, options.agent, reply)
        else:  # not the agent is refused, but the address for error reports
            _add_refusal(report, "agent-message", reply)
        return
    report.learned.append((options.agent, True, reply))
    mapping = {"address": options.agent}
    report.add(
        "agent-message",
        OK,
        _("The server lets the login send as ${address}; the bridge remembers it.", mapping=mapping),
    )


def _add_refused_agent(report, name, account, agent, reply):
    """Add a step for an agent that the server refused as sender, which is no fault where the login address sends."""
    answer = answer_to(reply)
    if answer.outcome is not Outcome.SENDER_REFUSED:
        return _add_refusal(report, name, reply)
    report.learned.append((agent, False, reply))
    return report.add(
        name,
        WARNING,
        _(
            "The server does not let the login send as ${address}: the login address must send, and answers go to the agent.",
            mapping={"address": agent},
        ),
        _(
            "Can you give the login ${login} the right to send as our agents (Send As)?",
            mapping={"login": account.login or account.login_address},
        ),
    )


def _learn(account, learned):
    """Note what the server said of the agent."""
    for agent, allowed, reply in learned:
        send_as.learn(account.name, agent, allowed, str(reply), "probe")


def _send(session, sender, options, token):
    reply = _try_envelope(session, sender.envelope_sender, options.recipient)
    if not reply.is_positive:
        return reply
    body = compose(
        message_id=message_id(f"{token}{secrets.token_hex(8)}", sender.author.addr_spec.rpartition("@")[2]),
        date=now(),
        to=[Address("", options.recipient)],
        cc=[],
        subject=f"{options.subject} {token}",
        html=f"<p>{options.text} {token}</p>",
        auto_submitted="auto-generated",
    )
    return session.message(sender_headers(sender) + bytes(body))


def _try_envelope(session, sender, recipient):
    """Say MAIL and, if there is a recipient, RCPT; return the first refusal, else the last reply."""
    reply = session.sender(sender)
    return session.recipient(recipient) if reply.is_positive and recipient else reply


def _add_refusal(report, name, reply):
    """Add a step that failed, with what the server's answer means."""
    answer = answer_to(reply)
    return report.add(name, BAD, answer.explanation, answer.remedy)
