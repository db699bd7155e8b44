"""The table of what keeps a mailbox from being read. The first row that fits decides; a new row needs no other code.

What comes from the server is told by the stage at which it came and its words; the codes in brackets are those of RFC 5530.
"""

from dataclasses import dataclass
from enum import Enum
from imio.mailbridge.i18n import _
import re


class Outcome(Enum):
    """When the mailbox is tried again: soon, at the next pass, or after a pause, since servers lock accounts."""

    SOON = "soon"
    PAUSE = "pause"


@dataclass(frozen=True)
class ImapAnswer:
    """A row: it fits an error at one of ``stages`` (space-separated) in whose words the regular expression ``text`` is found.

    ``explanation`` says what happened, ``remedy`` what to do. ``examples`` are for this row, ``near_misses`` for another, both as
    ``stage: words``.
    """

    name: str
    outcome: Outcome
    explanation: str
    remedy: str
    stages: str
    text: str
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]

    def fits(self, stage, text):
        """Tell whether this row is about an error with these words at ``stage``."""
        return (not self.stages or stage in self.stages.split()) and bool(
            re.search(self.text, text, re.IGNORECASE)
        )


IMAP_ANSWERS = (
    ImapAnswer(
        "not-imap",
        Outcome.SOON,
        _("What answers at this port is not an IMAP server."),
        _(
            "Check server and port: mail is read on port 993 (TLS) or 143 (STARTTLS); 25, 465 and 587 only send mail."
        ),
        "connect answer",
        r"^unexpected response\b|^None$",
        (
            "connect: unexpected response: 220 smtp.maville.test ESMTP Postfix",
            "connect: None",  # of imaplib, for "+OK POP3 ready"
        ),
        ("connect: [Errno 111] Connection refused", "imap: unexpected response: x"),
    ),
    ImapAnswer(
        "not-reached",
        Outcome.SOON,
        _("The IMAP server cannot be reached."),
        _("Check server and port, and that the firewall lets iA.docs through to it."),
        "connect",
        "",
        ("connect: [Errno 111] Connection refused", "connect: [Errno -2] Name or service not known"),
        ("tls: certificate verify failed",),
    ),
    ImapAnswer(
        "certificate",
        Outcome.SOON,
        _("The certificate of the IMAP server could not be verified."),
        _(
            "Check the name of the server, and name the file with the certificates of your own authority if it has one."
        ),
        "tls",
        "",
        ("tls: certificate verify failed: self-signed certificate",),
        ("connect: timed out",),
    ),
    ImapAnswer(
        "bad-answer",
        Outcome.SOON,
        _("The IMAP server sent an answer that cannot be used, so the connection was ended."),
        _("Ask whoever runs the mail server; if it happens only once, there is nothing to do."),
        "answer",
        "",
        ("answer: the server announced 2147483648 bytes, of at most 65536 in one answer",),
        ("imap: socket error: EOF",),
    ),
    ImapAnswer(
        "token-endpoint",
        Outcome.SOON,
        _("The provider could not be asked for a token."),
        _(
            "Check the token endpoint, and that the firewall lets iA.docs through to it. Usually it passes by itself."
        ),
        "token",
        r"^token endpoint: ",
        ("token: token endpoint: 503 temporarily_unavailable",),
        ("token: invalid_client: AADSTS7000222: The provided client secret keys are expired.",),
    ),
    ImapAnswer(
        "token-expired",
        Outcome.PAUSE,
        _("The provider gives no token for this mailbox."),
        _(
            "The refresh token has expired or was withdrawn: have iA.docs authorized again and enter the new token."
        ),
        "token",
        r"invalid_grant|AADSTS(?:70008|700082|50173)\b",
        ("token: invalid_grant: AADSTS700082: The refresh token has expired due to inactivity.",),
        ("token: invalid_client: AADSTS7000222: The provided client secret keys are expired.",),
    ),
    ImapAnswer(
        "token",
        Outcome.PAUSE,
        _("The provider gives no token for this mailbox."),
        _("Check tenant, client ID and client secret; a client secret expires."),
        "token",
        "",
        ("token: invalid_client: AADSTS7000222: The provided client secret keys are expired.",),
        ("token: invalid_grant: Token has been expired or revoked.",),
    ),
    ImapAnswer(
        "login-later",
        Outcome.SOON,
        _("The IMAP server cannot check the login at the moment."),
        _(
            "Usually it passes by itself. If it goes on for hours, ask the mail provider about its server's answer."
        ),
        "login",
        r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]|temporar|try again later|too many (?:simultaneous )?connections",
        (
            "login: [UNAVAILABLE] Temporary authentication failure.",
            "login: [ALERT] Too many simultaneous connections. (Failure)",
        ),
        ("login: [AUTHENTICATIONFAILED] Invalid credentials (Failure)",),
    ),
    ImapAnswer(
        "imap-disabled",
        Outcome.PAUSE,
        _("IMAP is not allowed for this mailbox."),
        _("Ask the mail provider to allow IMAP for this mailbox."),
        "login",
        r"not enabled for IMAP|IMAP (?:access )?is (?:disabled|not (?:allowed|enabled))",
        ("login: [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page",),
        ("login: [AUTHENTICATIONFAILED] Invalid credentials (Failure)",),
    ),
    ImapAnswer(
        "application-password",
        Outcome.PAUSE,
        _("The IMAP server refuses the login: it requires an app password."),
        _("Create an app password for this mailbox with the provider, and enter it here."),
        "login",
        r"application-specific password|\bapp password|application password|web login required|log in via your web browser",
        (
            "login: [ALERT] Application-specific password required: https://support.google.com/ (Failure)",
            "login: [WEBALERT https://accounts.google.com/] Web login required.",
        ),
        ("login: [AUTHENTICATIONFAILED] Invalid credentials (Failure)",),
    ),
    ImapAnswer(
        "encryption-wanted",
        Outcome.PAUSE,
        _("The IMAP server accepts a login only over an encrypted connection."),
        _("Choose the encryption: TLS from the start with port 993, STARTTLS with port 143."),
        "login",
        r"\[PRIVACYREQUIRED\]|plaintext authentication (?:is )?disallowed|LOGINDISABLED|LOGIN command is disabled",
        (
            "login: [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
        ),
        ("login: [AUTHORIZATIONFAILED] no",),
    ),
    ImapAnswer(
        "login-refused",
        Outcome.PAUSE,
        _("The IMAP server refuses the login."),
        _(
            "Check login and password, and that IMAP is allowed for this mailbox. Microsoft 365 accepts no passwords: choose "
            "OAuth 2.0."
        ),
        "login",
        "",
        (
            "login: [AUTHENTICATIONFAILED] Authentication failed.",
            "login: LOGIN failed.",
            "login: [EXPIRED] That password isn't valid any more",
        ),
        ("login: [UNAVAILABLE] Temporary authentication failure.",),
    ),
    ImapAnswer(
        "folder-forbidden",
        Outcome.SOON,
        _("The login may not open the folder."),
        _("Ask whoever runs the mail server to let this login read and move messages in the folder."),
        "folder",
        r"\[NOPERM\]|permission denied|not permitted|access denied",
        ("folder: select failed: [NOPERM] Permission denied",),
        ("folder: select failed: [NONEXISTENT] Unknown Mailbox: Nulle part (Failure)",),
    ),
    ImapAnswer(
        "folder",
        Outcome.SOON,
        _("The folder cannot be opened."),
        _("Check the name of the folder as the mail server knows it."),
        "folder",
        "",
        ("folder: select failed: [NONEXISTENT] Unknown Mailbox: Nulle part (Failure)",),
        ("folder: select failed: [NOPERM] Permission denied",),
    ),
    ImapAnswer(
        "mailbox-full",
        Outcome.SOON,
        _("The mailbox is full, so the IMAP server does not move the messages that were read."),
        _("Delete old messages in the mailbox, or ask the mail provider for more room."),
        "imap",
        r"\[OVERQUOTA\]|over quota|quota exceeded",
        ("imap: move failed: [OVERQUOTA] Quota exceeded (mailbox for user is full)",),
        ("imap: socket error: EOF",),
    ),
    ImapAnswer(
        "broken",
        Outcome.SOON,
        _("The connection to the IMAP server broke."),
        _("Usually it passes by itself."),
        "imap",
        "",
        ("imap: socket error: EOF", "imap: [Errno 104] Connection reset by peer"),
        ("connect: timed out",),
    ),
    ImapAnswer(
        "secret-unreadable",
        Outcome.SOON,
        _("The password cannot be read."),
        _("Enter the password again."),
        "secret",
        "",
        ("secret: [Errno 2] No such file or directory: '/run/secrets/imap'",),
        ("login: LOGIN failed.",),
    ),
    ImapAnswer(
        "error",
        Outcome.SOON,
        _("The bridge could not file what it read. It tries again."),
        _("Look at the log of iA.docs, and at the disk."),
        "",
        "",
        ("bridge: KeyError: 'x'", "unknown: x"),
        ("imap: KeyError",),
    ),
)


def imap_answer(stage, text):
    """Return the first row of ``IMAP_ANSWERS`` for an error with these words at ``stage``; the last row fits every error."""
    return next(row for row in IMAP_ANSWERS if row.fits(stage, text))
