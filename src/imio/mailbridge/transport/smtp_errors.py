"""Maps what smtplib, ssl and socket raise to an ``SmtpReply``, and replies to what smtplib would have raised."""

from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.oauth import TokenRefused
from imio.mailbridge.transport.oauth import TokenUnreachable
from imio.mailbridge.transport.smtp_reply import SmtpReply
from imio.mailbridge.transport.tls import AuthorityUnreadable
import smtplib
import ssl


#: What a dialogue raises because of a server, the network or the settings.
DIALOGUE_ERRORS = (OSError, smtplib.SMTPException, UnicodeError, TokenRefused, TokenUnreachable)

#: Stages at which a lost connection concerns one message; a loss before them concerns the server.
_OF_A_MESSAGE = ("mail", "rcpt", "data")

#: Stage of a reply → what smtplib raises for it; at all other stages it is ``SMTPConnectError``.
_RAISED = {
    "auth": smtplib.SMTPAuthenticationError,
    "oauth": smtplib.SMTPAuthenticationError,
    "data": smtplib.SMTPDataError,
}

#: Begins the text where the greeting is that of another kind of server, by which the table of answers knows it.
NOT_SMTP = "not an SMTP server"


def reply_to(stage: str, error: BaseException) -> SmtpReply:
    """Return the reply that one of ``DIALOGUE_ERRORS`` stands for. With code 0 the connection is of no use any more."""
    text = readable(error) or type(error).__name__
    match error:
        case ssl.SSLCertVerificationError() | AuthorityUnreadable():
            return SmtpReply("tls", 0, text)
        case TokenRefused():
            return SmtpReply("oauth", error.code, error.text)
        case TokenUnreachable():
            return SmtpReply("connect", 0, text)
        case smtplib.SMTPNotSupportedError():
            return SmtpReply(stage, 502, text)
        case smtplib.SMTPResponseException() if 400 <= error.smtp_code < 600:
            return SmtpReply(stage, error.smtp_code, readable(error.smtp_error))
        case smtplib.SMTPConnectError():  # raised for the greeting only
            return SmtpReply("connect", 0, f"{NOT_SMTP}: {_said(error)}")
        case smtplib.SMTPResponseException():  # no refusal, and not what was wanted: above all not a "sent"
            text = f"the server gave an answer that is none here: {_said(error)}"
        case UnicodeError() if stage == "auth":
            return SmtpReply(stage, 535, "login or password holds a character that SMTP cannot carry")
        case UnicodeError() if stage in _OF_A_MESSAGE:
            return SmtpReply(stage, 553, text)
    return SmtpReply(stage if stage in _OF_A_MESSAGE else "connect", 0, text)


def _said(error: smtplib.SMTPResponseException) -> str:
    """Return code and words of an answer; without a code, smtplib keeps what is after the fourth character."""
    return readable(f"{max(error.smtp_code, 0) or ''} {readable(error.smtp_error)}") or "an empty line"


def error_of(refused: dict[str, SmtpReply], envelope_sender: str) -> smtplib.SMTPException:
    """Return what smtplib raises when every recipient is refused; ``refused`` maps recipient → reply and is not empty."""
    reply = next(iter(refused.values()))
    if not reply.code:
        return smtplib.SMTPServerDisconnected(reply.text)
    if reply.stage == "rcpt":
        errors = {address: (each.code, each.text.encode()) for address, each in refused.items()}
        return smtplib.SMTPRecipientsRefused(errors)
    if reply.stage == "mail":
        return smtplib.SMTPSenderRefused(reply.code, reply.text.encode(), envelope_sender)
    return _RAISED.get(reply.stage, smtplib.SMTPConnectError)(reply.code, reply.text)
