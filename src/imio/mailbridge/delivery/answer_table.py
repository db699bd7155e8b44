"""The table of what SMTP answers mean. The first row that fits an answer decides; a new row needs no other code.

Enhanced codes are those of RFC 3463, RFC 7372 and RFC 7504; Microsoft's are from its lists of non-delivery reports. No row about
our account fits an answer to RCPT that may be about the recipient: one refused address must not stop the mail of everybody.
"""

from dataclasses import dataclass
from enum import Enum
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.states import LOST
from imio.mailbridge.settings.secrets import FOR_ANOTHER
from imio.mailbridge.transport.smtp_reply import SmtpReply
import re


#: What follows for a message that waits, or that no agent can mend.
KEPT = _("The message is kept and goes out once this is fixed.")
TRIES_AGAIN = _("iA.docs tries again by itself.")
NOT_YOURS = _("Nothing is wrong with what you wrote: tell your IT service.")
#: Begins our words for what is no answer at its place (``transport``).
NONSENSE = (
    r"(?:the server (?:gave an answer that is none here|answered before|sent (?:a line|more))"
    r"|the lines of an answer|Line too long)"
)
NAME_THE_ADDRESS = _(
    "Have the IP address that mail leaves from entered in reverse DNS (PTR) under a name that leads back to it."
)
NO_REVERSE_NAME = r"^5\.7\.25\b|\bPTR\b|reverse (?:DNS|hostname)"
#: Begins what a server says of the host that it talks to, whoever the recipient is.
OUR_HOST = r"^(?:[45]\.\d+\.\d+ )?(?:<[^<>@\s]*>: )?Client host rejected"


class Outcome(Enum):
    """The consequence of an answer."""

    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    SENDER_REFUSED = "sender refused"
    CONFIGURATION = "configuration"


@dataclass(frozen=True)
class Match:
    """Which answers are meant: ``stages`` (space-separated; empty: all), ``codes`` and ``text``, regular expressions.

    ``codes`` is for the whole code, 0 where our side of the connection speaks; ``text`` is sought in the words, in any case.
    """

    stages: str = ""
    codes: str = r"-?\d+"
    text: str = ""

    def fits(self, reply):
        """Tell whether ``reply`` is meant."""
        return (
            (not self.stages or reply.stage in self.stages.split())
            and re.fullmatch(self.codes, str(reply.code)) is not None
            and re.search(self.text, reply.text, re.IGNORECASE) is not None
        )


@dataclass(frozen=True)
class Answer:
    """A row. ``explanation`` says what happened, to whoever reads; ``remedy`` is for admins.

    ``given_up`` is the explanation for agents once nothing is tried again.

    ``examples`` are answers that this row is for, ``near_misses`` similar ones that another row must take, both as
    ``stage: code text``. ``alarm``: no agent can mend it, so that an administrator is told. ``everybody``: it is not about one
    recipient, also as an answer to RCPT.
    """

    name: str
    outcome: Outcome
    explanation: str
    remedy: str
    matches: tuple[Match, ...]
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]
    given_up: str = ""
    alarm: bool = False
    everybody: bool = False

    def fits(self, reply):
        """Tell whether this row is about ``reply``."""
        return any(match.fits(reply) for match in self.matches)

    def follows(self, state):
        """Return what the agent of a message is told beside ``explanation``, as a msgid, where it left a recipient in ``state``."""
        if state in LOST and self.alarm:
            return NOT_YOURS
        return {"held": KEPT, "deferred": TRIES_AGAIN}.get(state, "")


def reply_of(example):
    """Return the ``SmtpReply`` that an example of the table stands for."""
    stage, said = example.split(": ", 1)
    code, _space, text = said.partition(" ")
    return SmtpReply(stage, int(code), text)


ANSWERS = (
    Answer(
        "sent",
        Outcome.SENT,
        "",
        "",
        (Match("data", r"2\d\d"),),
        ("data: 250 2.0.0 Ok: queued as 4XyZ",),
        ("rcpt: 250 2.1.5 Ok", "data: 0 the server gave an answer that is none here: 250 2.1.5 Ok"),
    ),
    Answer(
        "bytes-lost",
        Outcome.PERMANENT,
        _("The message could not be read on the iA.docs server. Write it again."),
        _("The file of the message is gone: check the disk and the backup of the blobs."),
        (Match("store"),),
        ("store: 0 No blob file at 0x01",),
        ("bridge: 0 OSError",),
    ),
    Answer(
        "error",
        Outcome.TEMPORARY,
        _("iA.docs encountered an error while sending."),
        _(
            "The log of the server contains the error with its traceback: send it to whoever maintains iA.docs."
        ),
        (Match("bridge"),),
        ("bridge: 0 KeyError",),
        ("store: 0 KeyError",),
        given_up=_(
            "iA.docs encountered an error each time it tried to send, and has stopped trying. Tell your IT service."
        ),
    ),
    # our account does not work: all its mail waits
    Answer(
        "secret-for-another",
        Outcome.CONFIGURATION,
        FOR_ANOTHER,
        _(
            "The administrator of the iA.docs server names the mail server in MAILBRIDGE_SMTP_HOST, beside the password. Or enter "
            "again, in the control panel, the mail server that is named there."
        ),
        (Match("secret", text=f"^{re.escape(FOR_ANOTHER)}$"),),
        (f"secret: 0 {FOR_ANOTHER}",),
        ("secret: 0 [Errno 2] No such file or directory: '/run/secrets/smtp'",),
    ),
    Answer(
        "secret-unreadable",
        Outcome.CONFIGURATION,
        _("The file with the password of the mail server cannot be read."),
        _("Check the path and the rights of the file that MAILBRIDGE_SMTP_PASSWORD_FILE names."),
        (Match("secret"),),
        ("secret: 0 [Errno 2] No such file or directory: '/run/secrets/smtp'",),
        (f"secret: 0 {FOR_ANOTHER}",),
    ),
    Answer(
        "not-smtp",
        Outcome.CONFIGURATION,
        _("What answers at this port is not an SMTP server."),
        _(
            "Check the name and the port of the server in the control panel: mail is sent on port 587, 465 or 25; 143 and 993 "
            "(IMAP), 110 and 995 (POP3) only read mail."
        ),
        (
            Match("connect", "0", r"^not an SMTP server\b"),
            Match("connect", "530", "log ?in with USER"),
        ),
        (
            "connect: 0 not an SMTP server: * OK [CAPABILITY IMAP4rev1] Dovecot ready.",
            "connect: 0 not an SMTP server: +OK POP3 ready",
            "connect: 0 not an SMTP server: SSH-2.0-OpenSSH_9.2p1",
            "connect: 0 not an SMTP server: an empty line",
            "connect: 530 Please login with USER and PASS.",
        ),
        (
            "connect: 0 [Errno 111] Connection refused",
            "data: 0 not an SMTP server: x",
            "mail: 530 5.7.0 Authentication required",
        ),
    ),
    Answer(
        "certificate",
        Outcome.CONFIGURATION,
        _("The mail server's certificate could not be verified."),
        _(
            "Check the name of the server. For a certificate of the town's own authority, name its file in the control panel. A "
            "certificate that has expired must be renewed by the mail provider."
        ),
        (Match("tls", "0"),),
        ("tls: 0 certificate verify failed: self-signed certificate",),
        ("connect: 0 [SSL: WRONG_VERSION_NUMBER] wrong version number",),
    ),
    Answer(
        "no-encryption",
        Outcome.CONFIGURATION,
        _("The mail server does not offer the encryption that is set."),
        _("Check port and encryption in the control panel: 587 with STARTTLS, 465 with TLS from the start."),
        (
            Match("tls", r"[25]\d\d"),
            Match("connect", "0", r"\[SSL: (?:WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST)\]"),
        ),
        (
            "tls: 502 STARTTLS is not offered",
            "tls: 554 5.7.3 Unable to initialize security subsystem",
            "connect: 0 [SSL: WRONG_VERSION_NUMBER] wrong version number",
        ),
        ("tls: 454 4.7.0 TLS not available due to local problem",),
    ),
    Answer(
        "encryption-wanted",
        Outcome.CONFIGURATION,
        _("The mail server accepts mail only over an encrypted connection."),
        _(
            "Choose the encryption in the control panel: STARTTLS with port 587, TLS from the start with port 465."
        ),
        (
            Match(
                "auth mail data",
                r"5\d\d",
                r"must issue a STARTTLS|STARTTLS (?:command )?first|STARTTLS (?:is )?required|encryption required|TLS required"
                r"|^5\.7\.1[01]\b",
            ),
        ),
        (
            "mail: 530 5.7.0 Must issue a STARTTLS command first",
            "auth: 538 5.7.11 Encryption required for requested authentication mechanism",
        ),
        (
            "mail: 530 5.7.0 Authentication required",
            "rcpt: 550 5.7.10 <a@x.test>: host mx.x.test said: 530 Must issue a STARTTLS command first",
        ),
    ),
    Answer(
        "token-refused",
        Outcome.CONFIGURATION,
        _("The mail server refused the login of iA.docs."),
        _(
            "The provider gave a token and the mail server refused it. Check the login; then ask the provider whether the "
            "application may send by this mailbox (Microsoft 365: SMTP.SendAsApp, and the application registered in Exchange "
            "Online with access to the mailbox)."
        ),
        (Match("auth", r"5\d\d", r"\(XOAUTH2\)$"),),
        ("auth: 535 5.7.3 Authentication unsuccessful (XOAUTH2)",),
        ("auth: 535 5.7.3 Authentication unsuccessful",),
    ),
    Answer(
        "password-retired",
        Outcome.CONFIGURATION,
        _("The mail server no longer accepts a password."),
        _(
            "The provider wants OAuth 2.0: let it register an application for iA.docs, then choose OAuth 2.0 in the control panel."
        ),
        (
            Match(
                "connect auth mail data",
                r"5\d\d",
                r"^5\.7\.30\b(?!.*\bDKIM\b)|basic authentication is (?:disabled|not supported)"
                r"|SmtpClientAuthentication is disabled",
            ),
        ),
        (
            "auth: 535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            "auth: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            "data: 550 5.7.30 Basic authentication is not supported for Client Submission.",
        ),
        (
            "auth: 535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "rcpt: 550 5.7.30 <a@x.test>: host mx.x.test said: Basic authentication is not supported",
        ),
    ),
    Answer(
        "token-expired",
        Outcome.CONFIGURATION,
        _("The mail provider denied iA.docs access."),
        _(
            "The refresh token has expired or was withdrawn: have iA.docs authorized again and enter the new token."
        ),
        (Match("oauth", r"[345]\d\d", r"invalid_grant|AADSTS(?:70008|700082|50173)\b"),),
        (
            "oauth: 400 invalid_grant: AADSTS700082: The refresh token has expired due to inactivity.",
            "oauth: 400 invalid_grant: Token has been expired or revoked.",
        ),
        ("oauth: 401 invalid_client: AADSTS7000222: The provided client secret keys are expired.",),
    ),
    Answer(
        "token",
        Outcome.CONFIGURATION,
        _("The mail provider denied iA.docs access."),
        _(
            "Check token endpoint, client ID, client secret and scope in the control panel; a client secret expires."
        ),
        (Match("oauth", r"[345]\d\d"),),
        ("oauth: 401 invalid_client: AADSTS7000222: The provided client secret keys are expired.",),
        ("oauth: 400 invalid_grant: Token has been expired or revoked.",),
    ),
    Answer(
        "windows-login",
        Outcome.CONFIGURATION,
        _("The mail server offers only a Windows login, which iA.docs does not support."),
        _(
            "Ask the mail provider to allow the login by password (AUTH LOGIN or PLAIN) for this account, or to accept mail "
            "from the address of the iA.docs server without a login."
        ),
        (Match("auth", "502", r"^no login that iA\.docs knows is offered\b.*\b(?:NTLM|GSSAPI|NEGOTIATE)\b"),),
        ("auth: 502 no login that iA.docs knows is offered: GSSAPI NTLM",),
        (
            "auth: 502 no login that iA.docs knows is offered: XOAUTH2",
            "auth: 535 5.7.8 NTLM authentication failed",
        ),
    ),
    Answer(
        "no-login-offered",
        Outcome.CONFIGURATION,
        _("The mail server offers no login that iA.docs supports."),
        _(
            "Check port and encryption in the control panel: most servers offer the login only after STARTTLS (587) or TLS (465). "
            "Where a server offers OAuth 2.0 only, choose it. A server that wants no login: leave it empty."
        ),
        (Match("auth", r"50[0234]"),),
        (
            "auth: 502 no login that iA.docs knows is offered: none",
            "auth: 502 no login that iA.docs knows is offered: XOAUTH2",
            "auth: 503 5.5.1 Error: authentication not enabled",
            "auth: 504 5.7.4 Unrecognized authentication type",
        ),
        ("auth: 535 5.7.8 Error: authentication failed",),
    ),
    Answer(
        "login-refused",
        Outcome.CONFIGURATION,
        _("The mail server refused the login of iA.docs."),
        _("Correct login and password in the control panel. Some providers require an app password here."),
        (Match("auth", r"5\d\d"),),
        (
            "auth: 535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
            "auth: 535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "auth: 534 5.7.9 Application-specific password required.",
        ),
        (
            "auth: 454 4.7.0 Temporary authentication failure",
            "auth: 535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        ),
    ),
    Answer(
        "name-refused",
        Outcome.CONFIGURATION,
        _("The mail server does not accept the name by which iA.docs presents itself."),
        _(
            "Enter the full name of the iA.docs server in the control panel, field “Name of this server” (EHLO), as it "
            "stands in DNS."
        ),
        (
            Match(
                "connect mail data",
                r"5\d\d",
                r"Helo command rejected|invalid (?:HELO|EHLO)|(?:HELO|EHLO) name",
            ),
            Match("rcpt", r"5\d\d", r"^(?:5\.\d+\.\d+ )?<[^<>@\s]*>: Helo command rejected"),
        ),
        (
            "rcpt: 504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname",
            "connect: 550 5.7.1 <[127.0.1.1]>: Helo command rejected: Access denied",
            "connect: 501 5.5.4 Invalid HELO",
        ),
        (
            "rcpt: 550 5.1.1 <a@x.test>: host mx.x.test said: 504 <vm>: Helo command rejected",
            "rcpt: 550 5.1.1 User unknown",
        ),
    ),
    Answer(
        "name-refused-now",
        Outcome.TEMPORARY,
        _("The mail server asked to try later."),
        _(
            "Enter the full name of the iA.docs server in the control panel, field “Name of this server” (EHLO), as it "
            "stands in DNS."
        ),
        (Match("connect mail rcpt", r"4\d\d", r"\(EHLO\)|Helo command rejected"),),
        (
            "connect: 421 4.7.0 Try again later, closing connection. (EHLO) a1-2002 - gsmtp",
            "rcpt: 450 4.7.1 <vm>: Helo command rejected: Host not found",
        ),
        ("connect: 421 4.7.0 Try again later, closing connection.",),
        given_up=_(
            "The mail server asked each time to try later. iA.docs has stopped trying; send again, or tell your IT service."
        ),
        everybody=True,
    ),
    Answer(
        "account-blocked",
        Outcome.CONFIGURATION,
        _("The mail provider has blocked the account by which iA.docs sends."),
        _(
            "Ask the mail provider to unblock the account, and why it was blocked: too many messages, or a password that somebody "
            "else uses."
        ),
        (
            Match(
                "connect auth mail data",
                r"5\d\d",
                r"^5\.1\.8\b(?!.*sender address rejected)|^5\.7\.(?:50[1-5]|511|70[58]|750)\b|bad outbound sender"
                r"|tenant has exceeded",
            ),
        ),
        (
            "data: 550 5.1.8 Access denied, bad outbound sender AS(42004)",
            "mail: 550 5.1.8 Access denied, bad outbound sender",
            "data: 550 5.7.501 Access denied, spam abuse detected.",
            "data: 550 5.7.705 Access denied, tenant has exceeded threshold.",
            "data: 550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
            "data: 550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.",
        ),
        (
            "rcpt: 550 5.1.8 <al@maville.test>: Sender address rejected: Domain not found",
            "data: 550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            "rcpt: 550 5.7.705 <a@x.test>: host mx.x.test said: Access denied, tenant has exceeded threshold",
        ),
    ),
    Answer(
        "limit-reached",
        Outcome.CONFIGURATION,
        _("The account by which iA.docs sends has reached the limit of the mail provider."),
        _(
            "iA.docs tries again by itself, at the latest every hour. If it happens often, ask the mail provider for a higher "
            "limit."
        ),
        (
            Match(
                "mail data",
                r"5\d\d",
                r"^5\.4\.5\b|^5\.1\.90\b|^5\.7\.23[23]\b"
                r"|^(?!.*\b(?:size|large)\b).*\b(?:daily|hourly|sending|submission|outgoing)\b.{0,60}\b(?:limit|quota)\b",
            ),
        ),
        (
            "data: 550 5.4.5 Daily user sending limit exceeded.",
            "mail: 550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit",
            "data: 552 5.2.2 Sending quota exceeded",
        ),
        ("rcpt: 552 5.2.2 quota exceeded", "data: 552 5.3.4 outgoing message size limit exceeded"),
    ),
    Answer(
        "blocked",
        Outcome.CONFIGURATION,
        _(
            "The mail server accepts no mail from the address of the iA.docs server, which is on a block list."
        ),
        _(
            "Its answer names the list: look up there why the IP address of the iA.docs server is on it, and have it removed. Or "
            "ask the mail provider to let this address send."
        ),
        (
            Match(
                "connect mail",
                r"5\d\d",
                r"blocked (?:by|using)|block ?list|blacklist|spamhaus|listed (?:in|by|at|on)\b|^5\.7\.6(?:0[6-9]|[1-4]\d)\b"
                r"|banned sending IP",
            ),
        ),
        (
            "mail: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "connect: 554 5.7.1 mx.x.test: 192.0.2.1 is listed in bl.spamcop.net",
            "mail: 550 5.7.606 Access denied, banned sending IP [192.0.2.1].",
        ),
        (
            "mail: 553 5.7.1 <al@maville.test>: Sender address rejected: not owned by user bridge",
            "rcpt: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        ),
    ),
    Answer(
        "login-wanted",
        Outcome.CONFIGURATION,
        _("The mail server requires a login before it accepts mail."),
        _(
            "Enter login and password in the control panel, and check the encryption: servers offer no login without it."
        ),
        (
            Match("mail data", r"53[0458]"),
            Match(
                "mail",
                r"5\d\d",
                r"not authenticated|\bauth(?:entication)? (?:is )?(?:required|needed|first)|must (?:authenticate|log ?in) first",
            ),
        ),
        (
            "mail: 530 5.7.57 Client not authenticated to send mail.",
            "mail: 550 5.7.1 Client was not authenticated",
            "mail: 535 5.7.8 Authentication required",
            "mail: 503 AUTH first (#5.5.1)",
        ),
        (
            "rcpt: 550 5.1.1 <group@x.test>: host mx.x.test said: 550 5.7.1 Client was not authenticated",
            "rcpt: 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
            "connect: 530 Please login with USER and PASS.",
        ),
    ),
    Answer(
        "no-service",
        Outcome.CONFIGURATION,
        _("The mail server refuses to talk to iA.docs."),
        _(
            "The server refuses the connection as a whole: check its name and port, then ask the mail provider whether the "
            "address of the iA.docs server is allowed or blocked."
        ),
        (
            Match("connect", r"5\d\d"),
            Match("mail", r"5\d\d", rf"Client host rejected|not allowed to connect|{NO_REVERSE_NAME}"),
            Match("rcpt data", r"5\d\d", OUR_HOST),
        ),
        (
            "connect: 554 5.7.1 mx.x.test: no service for 192.0.2.1",
            "connect: 500 EHLO not understood",
            "rcpt: 554 5.7.1 <b.maville.test[192.0.2.1]>: Client host rejected: Access denied",
        ),
        (
            "connect: 421 4.3.2 Service shutting down",
            "rcpt: 550 5.1.1 <a@x.test>: host mx.x.test said: 554 <b[192.0.2.1]>: Client host rejected",
            "data: 554 5.0.0 host mx.x.test said: 554 <b[192.0.2.1]>: Client host rejected",
        ),
    ),
    # what the town has to set right, though the account works
    Answer(
        "no-reverse-name",
        Outcome.PERMANENT,
        _("The recipient's server accepts no mail from a server without a name in DNS."),
        NAME_THE_ADDRESS,
        (Match("rcpt data", r"5\d\d", NO_REVERSE_NAME),),
        (
            "data: 550 5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup",
        ),
        ("data: 550 5.7.26 unauthenticated mail is prohibited: SPF",),
        alarm=True,
    ),
    Answer(
        "unauthenticated",
        Outcome.PERMANENT,
        _("The recipient's server could not verify that the message comes from your organization."),
        _(
            "SPF, DKIM or DMARC of the domain of the sender do not cover this mail server: the diagnosis shows what is missing "
            "in DNS."
        ),
        (
            Match(
                "mail rcpt data",
                r"5\d\d",
                r"^5\.7\.(?:2[0-46]|509|515)\b|\bDMARC\b|\bDKIM\b|\b(?:open)?SPF\b|unauthenticated (?:email|mail|sender|message)",
            ),
        ),
        (
            "data: 550 5.7.26 This mail has been blocked because the sender is unauthenticated. - gsmtp",
            "data: 550 5.7.509 Access denied, sending domain maville.test does not pass DMARC verification",
            "rcpt: 550 5.7.23 <a@x.test>: Recipient address rejected: Message rejected due to: SPF fail - not authorized",
        ),
        ("data: 554 5.7.1 Message rejected as spam", "rcpt: 550 5.7.1 Client was not authenticated"),
        alarm=True,
    ),
    Answer(
        "reply-to-refused",
        Outcome.PERMANENT,
        _("The mail server does not allow answers to go to an address other than the sender's."),
        _(
            "Switch off “Replies to the agent” in the control panel: this server requires Reply-To to match From."
        ),
        (Match("data", r"5\d\d", r"reply-?to\b.*(?:match|differ|not allowed|same|from)"),),
        ("data: 550 5.7.1 Reply-To domain does not match From",),
        ("data: 550 5.7.1 From does not match the authenticated user",),
        alarm=True,
    ),
    # the sender
    Answer(
        "sender-refused",
        Outcome.SENDER_REFUSED,
        _(
            "The mail server does not let iA.docs send under this sender address: the mail provider has not given it the "
            "right (Send As)."
        ),
        _(
            "Either ask the mail provider for the right to send as this address (Send As), or choose in the control panel that the "
            "login address sends and answers go to the agent."
        ),
        (
            Match(
                "mail rcpt data",
                r"5\d\d",
                r"^5\.7\.60\b|^5\.2\.252\b|SendAsDenied|not owned by user|sender address rejected|not allowed to send as"
                r"|sender (?:is )?not (?:allowed|authori[sz]ed)|^5\.1\.7\b|^5\.7\.27\b|does not match (?:the )?authenticated",
            ),
            Match("mail", r"5\d\d", r"^5\.7\.\d+\b|^5\.1\.0\b|relay|denied|not permitted"),
        ),
        (
            "rcpt: 553 5.7.1 <al@maville.test>: Sender address rejected: not owned by user bridge",
            "data: 550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            "data: 554 5.2.252 SendAsDenied; bridge@maville.test not allowed to send as al@maville.test",
            "mail: 550 5.7.1 Sender not permitted",
            "rcpt: 550 5.1.8 <al@maville.test>: Sender address rejected: Domain not found",
        ),
        (
            "mail: 550 5.1.8 Access denied, bad outbound sender",
            "mail: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "data: 554 5.7.1 content rejected as spam",
        ),
        alarm=True,
    ),
    # later
    Answer(
        "host-refused-now",
        Outcome.TEMPORARY,
        _("The mail server asked to try later."),
        NAME_THE_ADDRESS,
        (Match("connect mail rcpt", r"4\d\d", rf"{OUR_HOST}(?!.*too many)"),),
        ("rcpt: 450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",),
        ("connect: 421 4.7.1 Client host rejected: too many connections",),
        given_up=_(
            "The mail server asked each time to try later. iA.docs has stopped trying; send again, or tell your IT service."
        ),
        everybody=True,
    ),
    Answer(
        "sender-unknown-now",
        Outcome.TEMPORARY,
        _("The mail server cannot verify the address of the sender at the moment."),
        _("If it goes on, check in DNS that the domain of the sender exists and accepts mail."),
        (Match("mail rcpt", r"4\d\d", r"sender address rejected(?!.*gr[ea]ylist)"),),
        ("rcpt: 450 4.1.8 <al@maville.test>: Sender address rejected: Domain not found",),
        ("rcpt: 450 4.1.2 <a@citoien.test>: Recipient address rejected: Domain not found",),
        given_up=_(
            "The mail server could not verify the address of the sender. iA.docs has stopped trying; tell your IT service."
        ),
        everybody=True,
    ),
    Answer(
        "token-endpoint",
        Outcome.TEMPORARY,
        _("The mail provider could not be asked for a token."),
        _(
            "Check the token endpoint, and that the firewall lets iA.docs through to it. Usually it passes by itself."
        ),
        (Match("connect", "0", r"^token endpoint: "),),
        ("connect: 0 token endpoint: 503 temporarily_unavailable",),
        ("connect: 0 [Errno 111] Connection refused",),
        given_up=_(
            "The mail provider could not be asked for a token. iA.docs has stopped trying; send again, or tell your IT service."
        ),
    ),
    Answer(
        "in-doubt",
        Outcome.TEMPORARY,
        _(
            "The connection broke after the whole message was sent, and before the server said that it had accepted it: the "
            "recipient may get the message twice."
        ),
        _("If it happens again, look for a firewall or a virus scanner between iA.docs and the mail server."),
        (Match("data", "0", r"^after the end of the message: "),),
        (
            "data: 0 after the end of the message: Connection unexpectedly closed",
            "data: 0 after the end of the message: the server gave an answer that is none here: hello",
        ),
        ("data: 0 Connection unexpectedly closed",),
        given_up=_(
            "Each time, the connection broke after the whole message was sent. iA.docs has stopped trying; ask the recipient "
            "whether the message has arrived before you send it again."
        ),
    ),
    Answer(
        "not-reached",
        Outcome.TEMPORARY,
        _("The mail server could not be reached."),
        _("Check name and port of the server, and whether the firewall lets iA.docs reach it."),
        (Match(codes="0", text=rf"^(?!{NONSENSE})"),),
        (
            "connect: 0 [Errno 111] Connection refused",
            "connect: 0 [Errno -2] Name or service not known",
            "rcpt: 0 Connection unexpectedly closed",
        ),
        (
            "connect: 421 4.3.2 Service not available",
            "mail: 0 the server answered before the message had ended",
        ),
        given_up=_(
            "The mail server could not be reached. iA.docs has stopped trying; send again, or tell your IT service."
        ),
    ),
    Answer(
        "no-such-domain-now",
        Outcome.TEMPORARY,
        _("The domain after the @ may not exist: check the address."),
        _("Correct the address in the contact."),
        (Match("rcpt", r"4\d\d", r"^4\.1\.2\b|domain not found|host (?:or domain name )?not found"),),
        ("rcpt: 450 4.1.2 <a@citoien.test>: Recipient address rejected: Domain not found",),
        (
            "mail: 450 4.1.8 <al@maville.test>: Sender address rejected: Domain not found",
            "rcpt: 450 4.2.0 Greylisted",
        ),
        given_up=_(
            "The domain after the @ was not found. iA.docs has stopped trying: check the address and send again."
        ),
    ),
    Answer(
        "no-such-address-now",
        Outcome.TEMPORARY,
        _("This address may not exist on the recipient's server: check it."),
        _("Correct the address in the contact."),
        (Match("rcpt", r"4\d\d", r"user unknown|unknown user|no such (?:user|recipient|mailbox)"),),
        ("rcpt: 450 4.1.1 <a@x.test>: Recipient address rejected: User unknown in local recipient table",),
        ("rcpt: 450 4.1.1 <a@x.test>: Recipient address rejected: verification in progress",),
        given_up=_(
            "This address was not found on the recipient's server. iA.docs has stopped trying: check it and send again."
        ),
    ),
    Answer(
        "too-many-recipients",
        Outcome.TEMPORARY,
        _("The mail server accepts fewer recipients at once."),
        _("Nothing to do."),
        (Match("rcpt", r"5\d\d", r"^5\.5\.3\b|too many recipients"),),
        ("rcpt: 552 5.5.3 Too many recipients",),
        ("rcpt: 552 5.2.2 <a@x.test>: user is over quota",),
        given_up=_(
            "The mail server did not accept so many recipients. iA.docs has stopped trying; send again, or tell your IT "
            "service."
        ),
    ),
    Answer(
        "busy",
        Outcome.TEMPORARY,
        _("The mail server asked to slow down."),
        _("The provider limits how much is sent. Set the account's messages per minute (Microsoft 365: 30)."),
        (
            Match(
                codes=r"4\d\d",
                text=r"^4\.7\.28\b|^4\.5\.3\b|^4\.3\.2\b|submission rate|rate limit|unusual rate|too many|throttl"
                r"|concurrent connections",
            ),
        ),
        (
            "data: 432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
            "connect: 421 4.7.0 too many connections from your address",
        ),
        ("connect: 421 4.7.0 Try again later, closing connection.",),
        given_up=_(
            "The mail server asked each time to slow down. iA.docs has stopped trying; send again, or tell your IT service."
        ),
        everybody=True,
    ),
    Answer(
        "greylisted",
        Outcome.TEMPORARY,
        _("The recipient's server accepts mail from an unknown sender only on a second try."),
        _("Nothing to do."),
        (Match(codes=r"4\d\d", text=r"gr[ea]ylist"),),
        ("rcpt: 450 4.2.0 <a@x.test>: Recipient address rejected: Greylisted, see postgrey",),
        ("rcpt: 450 4.2.0 <a@x.test>: Recipient address rejected: try later",),
        given_up=_(
            "The recipient's server deferred the message each time. iA.docs has stopped trying; send again."
        ),
    ),
    Answer(
        "mailbox-full-now",
        Outcome.TEMPORARY,
        _("The recipient's mailbox is full at the moment."),
        _("Nothing to do."),
        (Match("rcpt data", r"4\d\d", r"^4\.2\.2\b|mailbox (?:is )?full|quota"),),
        ("rcpt: 452 4.2.2 <a@x.test>: mailbox full",),
        ("data: 452 4.3.1 Insufficient system storage",),
        given_up=_(
            "The recipient's mailbox stayed full. iA.docs has stopped trying: reach the recipient another way, or send again "
            "later."
        ),
    ),
    Answer(
        "server-trouble",
        Outcome.TEMPORARY,
        _("The mail server asked to try later."),
        _("If it goes on for hours, ask the mail provider about its server's answer."),
        (Match(codes=r"4\d\d", text=r"^4\.3\."),),
        ("rcpt: 451 4.3.0 Temporary lookup failure", "mail: 451 4.3.0 Error: queue file write error"),
        ("rcpt: 451 4.7.1 try later", "connect: 421 4.3.2 Too many connections"),
        given_up=_(
            "The mail server asked each time to try later. iA.docs has stopped trying; send again, or tell your IT service."
        ),
        everybody=True,
    ),
    Answer(
        "later",
        Outcome.TEMPORARY,
        _("The mail server asked to try later."),
        _("If it goes on for hours, ask the mail provider about its server's answer."),
        (Match(codes=r"4\d\d"),),
        ("rcpt: 451 4.7.1 try later", "auth: 454 4.7.0 Temporary authentication failure"),
        ("data: 554 5.3.0 Error: queue file write error",),
        given_up=_(
            "The mail server asked each time to try later. iA.docs has stopped trying; send again, or tell your IT service."
        ),
    ),
    # this recipient
    Answer(
        "no-such-address",
        Outcome.PERMANENT,
        _("This address does not exist on the recipient's server. Check it and send again."),
        _("Correct the address in the contact."),
        (
            Match(
                "rcpt data",
                r"5\d\d",
                r"^5\.1\.(?:1|3|6|10)\b(?!.*(?:not authenticated|authentication (?:is )?required|AuthRequired|null ?MX))"
                r"|user unknown|no such (?:user|recipient|mailbox)|undeliverable address|unknown (?:user|recipient)"
                r"|does not exist|mailbox unavailable|invalid recipient"
                r"|recipient address rejected: (?:undeliverable|access denied)",
            ),
        ),
        (
            "rcpt: 550 5.1.1 <a@x.test>: Recipient address rejected: User unknown in virtual mailbox table",
            "rcpt: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient a@x.test not found by SMTP address lookup",
        ),
        (
            "rcpt: 550 5.1.2 <a@x.test>: Recipient address rejected: Domain not found",
            "rcpt: 550 5.1.1 <group@x.test>: host mx.x.test said: 550 5.7.1 Client was not authenticated",
        ),
    ),
    Answer(
        "members-only",
        Outcome.PERMANENT,
        _(
            "This address accepts mail only from people in its own organization, or known to it. Reach the recipient another "
            "way."
        ),
        _("Nothing to do: whoever manages the address can let it accept mail from outside."),
        (
            Match(
                "rcpt data",
                r"5(?!3|03)\d\d",
                r"^5\.7\.1(?:2[46]|3[346])\b|RESOLVER\.RST\.|SenderNotAuthenticated|AuthRequired"
                r"|^(?!5\.7\.57\b).*(?:not authenticated|authentication (?:is )?(?:required|needed))",
            ),
        ),
        (
            "rcpt: 550 5.1.1 <group@x.test>: host mx.x.test said: 550 5.7.1 Client was not authenticated",
            "rcpt: 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
            "rcpt: 550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
        ),
        ("mail: 550 5.7.1 Client was not authenticated", "rcpt: 530 5.7.0 Must log in before this recipient"),
    ),
    Answer(
        "no-such-domain",
        Outcome.PERMANENT,
        _("The domain after the @ does not exist or accepts no mail. Check the address and send again."),
        _("Correct the address in the contact."),
        (
            Match(
                "rcpt data",
                r"5\d\d",
                r"^5\.1\.2\b|^5\.4\.4\b|^5\.4\.310\b|domain not found|host (?:or domain name )?not found|null ?MX"
                r"|does not accept mail",
            ),
        ),
        ("rcpt: 550 5.1.2 <a@x.test>: Recipient address rejected: Domain not found", "rcpt: 556 nullMX"),
        ("rcpt: 550 5.1.8 <al@maville.test>: Sender address rejected: Domain not found",),
    ),
    Answer(
        "mailbox-full",
        Outcome.PERMANENT,
        _("The recipient's mailbox is full or closed. Reach the recipient another way."),
        _("Nothing to do."),
        (
            Match(
                "rcpt data",
                r"5\d\d",
                r"^5\.2\.[12]\b|mailbox (?:is )?(?:full|disabled|inactive)|over ?quota|quota exceeded",
            ),
        ),
        ("rcpt: 552 5.2.2 <a@x.test>: user is over quota", "rcpt: 550 5.2.1 The email account is disabled."),
        ("rcpt: 452 4.2.2 <a@x.test>: mailbox full", "data: 552 5.3.4 Message size exceeds fixed limit"),
    ),
    Answer(
        "blocked-there",
        Outcome.PERMANENT,
        _("The recipient's server accepts no mail from the address of the iA.docs server."),
        _(
            "Its answer names the list: look up there why the IP address of the iA.docs server is on it, and have it removed. Or "
            "ask the mail provider to let this address send."
        ),
        (
            Match(
                "rcpt",
                r"5\d\d",
                r"blocked (?:by|using)|block ?list|blacklist|spamhaus|listed (?:in|by|at|on)\b|banned sending IP",
            ),
        ),
        ("rcpt: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",),
        ("data: 554 5.7.1 Message content blocked by filter: spam",),
        alarm=True,
    ),
    Answer(
        "relay-denied",
        Outcome.PERMANENT,
        _("The mail server does not pass mail on to this address."),
        _(
            "The account may not send outside. Check login and port in the control panel, then ask the mail provider."
        ),
        (
            Match("rcpt", r"5\d\d", r"relay|rcpthosts|^5\.7\.57\b"),
            Match("rcpt", r"53\d"),
            Match("rcpt", "503", r"\bauth"),
        ),
        (
            "rcpt: 554 5.7.1 <a@x.test>: Relay access denied",
            "rcpt: 550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
            "rcpt: 530 5.7.0 Must log in before this recipient",
            "rcpt: 503 AUTH first (#5.5.1)",
        ),
        ("mail: 550 5.7.1 relay access denied", "rcpt: 554 5.7.1 <a@x.test>: Recipient address rejected"),
        alarm=True,
    ),
    # this message
    Answer(
        "attachment-refused",
        Outcome.PERMANENT,
        _(
            "The mail server considers one of the attachments dangerous: it refuses this kind of file, even inside an archive. "
            "Send it another way."
        ),
        _("Ask the mail provider which kinds of files its filter refuses."),
        (
            Match(
                "data",
                r"5\d\d",
                r"potential security issue|attachment (?:type )?(?:is )?(?:not allowed|not permitted|blocked|forbidden)"
                r"|(?:prohibited|banned|forbidden|illegal|dangerous) (?:attachment|file)|file (?:type|extension)",
            ),
        ),
        (
            "data: 552 5.7.0 This message was blocked because its content presents a potential security issue. - gsmtp",
            'data: 552 5.7.0 Attachment type not allowed. File "a.exe" has unacceptable extension',
            "data: 554 5.7.1 Banned attachment: facture.js",
        ),
        ("data: 552 5.3.4 attachments too large",),
    ),
    Answer(
        "too-large",
        Outcome.PERMANENT,
        _("The message is too large for the mail server. Send fewer or smaller attachments."),
        _("Set the limit for attachments of the account, so that agents are told before they send."),
        (
            Match(
                "mail rcpt data",
                r"5\d\d",
                r"^5\.3\.4\b|^5\.2\.3\b|message size exceeds|message (?:is )?too (?:large|big)"
                r"|exceeds? (?:the )?(?:maximum|size)",
            ),
            Match("mail data", "552", r"^(?!5\.[27]\.)"),
        ),
        (
            "mail: 552 5.3.4 Message size exceeds fixed limit",
            "data: 552 ",
            "data: 552 Error",
            "data: 554 5.3.4 Error: message too large",
        ),
        ("rcpt: 552 5.2.2 mailbox full", "data: 552 5.7.0 spam"),
    ),
    Answer(
        "no-smtputf8-sender",
        Outcome.PERMANENT,
        _(
            "The mail server cannot accept your own address, which has accents before the @ (SMTPUTF8). Ask the person who "
            "maintains the contacts for an address without them, then send again."
        ),
        _("Give the agent an address without accents before the @, or use a server that offers SMTPUTF8."),
        (Match("mail rcpt data", r"55\d", r"^5\.6\.7\b.*\bthe sender needs"),),
        ("mail: 550 5.6.7 SMTPUTF8 is not offered, which the address of the sender needs",),
        ("mail: 550 5.6.7 SMTPUTF8 is not offered",),
    ),
    Answer(
        "no-smtputf8",
        Outcome.PERMANENT,
        _(
            "The mail server cannot accept an address with accents before the @ (SMTPUTF8). Use another address of the "
            "recipient."
        ),
        _("Nothing to do."),
        (Match("mail rcpt data", r"55\d", r"^5\.6\.7\b"),),
        ("mail: 550 5.6.7 SMTPUTF8 is not offered",),
        ("mail: 554 5.6.3 8BITMIME is not offered",),
    ),
    Answer(
        "no-8bitmime",
        Outcome.PERMANENT,
        _("The mail server cannot accept the characters of this message as they are (8BITMIME)."),
        _("This concerns mail of the site itself; mail written by agents never needs it."),
        (Match("mail rcpt data", r"55\d", r"^5\.6\.3\b"),),
        ("mail: 554 5.6.3 8BITMIME is not offered",),
        ("mail: 550 5.6.7 SMTPUTF8 is not offered",),
    ),
    Answer(
        "content-refused",
        Outcome.PERMANENT,
        _(
            "A filter considered the message spam or dangerous. Change its text or its attachments, then send again."
        ),
        _(
            "Ask the mail provider why its filter refused the message; check SPF, DKIM and DMARC in the diagnosis."
        ),
        (
            Match(
                "mail rcpt data",
                r"5\d\d",
                r"spam|unsolicited|virus|malware|(?:content|policy) (?:rejected|violation|reasons)|content rejected"
                r"|blocked (?:by|using)|blacklist|block ?list|reputation|^5\.7\.703\b",
            ),
        ),
        (
            "data: 554 5.7.1 Message rejected as spam by Content Filtering.",
            "data: 554 5.7.1 Blocked by SpamAssassin",
            "data: 554 5.7.1 Virus Eicar-Test-Signature found",
        ),
        ("data: 554 5.7.1 Rejected", "data: 550 5.7.26 unauthenticated mail is prohibited: SPF"),
    ),
    Answer(
        "refused",
        Outcome.PERMANENT,
        _("The mail server refused the message for good. Its answer says why."),
        _("Ask the mail provider about its server's answer."),
        (Match("mail rcpt data", r"5(?!03)\d\d"),),
        ("data: 554 5.0.0 Transaction failed", "rcpt: 550 no"),
        ("data: 451 4.3.0 Transaction failed", "data: 250 2.0.0 Ok", "mail: 503 5.5.1 nested MAIL command"),
    ),
    Answer(
        "not-understood",
        Outcome.TEMPORARY,
        _("The mail server gave an answer that makes no sense here."),
        _("Check name and port of the server, then ask the mail provider about its server's answer."),
        (Match(),),
        (
            "mail: 354 go on",
            "connect: -1 hello",
            "rcpt: 999 x",
            "quit: 221 bye",
            "mail: 503 5.5.1 nested MAIL command",
            "rcpt: 0 the server gave an answer that is none here: 334 x",
        ),
        ("data: 250 2.0.0 Ok", "connect: 554 no"),
        given_up=_(
            "The mail server gave answers that make no sense. iA.docs has stopped trying; send again, or tell your IT service."
        ),
        everybody=True,
    ),
)
