"""Step ``tls``: encrypts the connection, reads the server's certificate, and says in plain words what is wrong with it."""

from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.oid import NameOID
from dataclasses import dataclass
from datetime import datetime
from datetime import UTC
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.smtp_errors import reply_to
from imio.mailbridge.transport.smtp_reply import SmtpReply
from imio.mailbridge.transport.tls import AuthorityUnreadable
from imio.mailbridge.transport.tls import client_context
import contextlib
import ssl


#: Days before its end at which the admin is warned.
SOON = 21

#: OpenSSL's number for a bad certificate (``X509_V_ERR_…``) → our name for what is wrong.
PROBLEMS = {
    9: "not-yet",
    10: "expired",
    18: "self-signed",
    19: "unknown-authority",
    2: "unknown-authority",
    20: "unknown-authority",
    21: "unknown-authority",
    62: "other-name",
    64: "other-name",
}

SENTENCES = {
    "expired": (
        _(
            "The server's certificate expired on ${until}. Nothing is sent, since anyone could be standing between iA.docs and "
            "it."
        ),
        _("The certificate of your SMTP server has expired: when will it be renewed?"),
    ),
    "not-yet": (
        _(
            "The server's certificate is not valid yet. Check the clock of the iA.docs server, then ask the mail provider."
        ),
        _("The certificate of your SMTP server is not valid yet: is this right?"),
    ),
    "self-signed": (
        _(
            "The server's certificate is self-signed, so it proves nothing. If it is your own server, name the file of the "
            "certificate in the settings (certificates of your own authority)."
        ),
        _("Could your SMTP server get a certificate of a public authority, or could you send us its file?"),
    ),
    "unknown-authority": (
        _(
            "Nobody that iA.docs trusts vouches for the server's certificate (issuer: ${issuer}). If it is an authority of "
            "your own, name its file in the settings; otherwise the server is not sending its whole certificate chain."
        ),
        _(
            "Which authority issued the certificate of your SMTP server? Does the server send the intermediate certificates too?"
        ),
    ),
    "other-name": (
        _(
            "The server's certificate is for another name: ${names}, not ${host}. In the settings, enter a name that the "
            "certificate contains."
        ),
        _("Under which name must your SMTP server be reached, so that its certificate fits?"),
    ),
    "": (
        _("The server's certificate could not be verified."),
        _("Why can the certificate of your SMTP server not be verified?"),
    ),
}


@dataclass(frozen=True)
class Certificate:
    """The part of a server's certificate that people can check."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    since: datetime
    until: datetime

    @property
    def lines(self):
        """Yield the certificate as lines for the dialogue."""
        yield f"certificate of: {self.subject}"
        yield f"for the names: {', '.join(self.names)}"
        yield f"issued by: {self.issuer}"
        yield f"valid from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"


def read_certificate(der):
    """Return the ``Certificate`` in DER bytes, or None if it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = []
        with contextlib.suppress(x509.ExtensionNotFound):
            extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
            names = [str(name.value) for name in extension.value][:50]
        return Certificate(
            certificate.subject.rfc4514_string(),
            tuple(names or _common_names(certificate.subject)),
            ", ".join(_common_names(certificate.issuer)) or certificate.issuer.rfc4514_string(),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
    except Exception:  # noqa: BLE001 - the server chose these bytes; what cannot be read is only not shown
        return None


def _common_names(name):
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME)]


class NotEncrypted(Exception):
    """There is no TLS; ``problem`` is an ``SSLCertVerificationError``, another error, or None."""

    def __init__(self, problem=None):
        super().__init__(str(problem or ""))
        self.problem = problem


def encrypt(sock, account, dialogue):
    """Return ``sock`` under verified TLS, trusted as delivery trusts it. Errors: ``NotEncrypted``."""
    try:
        context = client_context(account.ca_file)
        dialogue.client("(TLS)")
        return context.wrap_socket(sock, server_hostname=account.host.strip("[]"))
    except (OSError, ValueError) as error:
        dialogue.server(f"({readable(error)})")
        raise NotEncrypted(error) from error


def unverified(sock, account, dialogue):
    """Return the certificate of an unverified server, only to show it; close the connection."""
    context = ssl._create_unverified_context()  # noqa: S323 - nothing is sent on it
    found = None
    with (
        contextlib.suppress(OSError, ValueError),
        sock,
        context.wrap_socket(sock, server_hostname=account.host.strip("[]")) as tls,
    ):
        found = read_certificate(tls.getpeercert(binary_form=True))
    show(found, dialogue)
    return found


def show(certificate, dialogue):
    """Write a certificate into the dialogue."""
    for line in certificate.lines if certificate else ():
        dialogue.server(line)


def encrypted(report, sock):
    """Step ``tls``: it is encrypted, and the certificate is right."""
    found = read_certificate(sock.getpeercert(binary_form=True))
    report.dialogue.server(f"{sock.version()}, {sock.cipher()[0]}")
    show(found, report.dialogue)
    until = found.until if found else None
    days = (until - datetime.now(UTC)).days if until else SOON
    mapping = {"version": sock.version(), "until": f"{until:%Y-%m-%d}" if until else "?"}
    if days < SOON:
        return report.add(
            "tls",
            WARNING,
            _(
                "The connection is encrypted (${version}), but the server's certificate expires on ${until}. After that, "
                "nothing is sent.",
                mapping=mapping,
            ),
            _("The certificate of your SMTP server expires soon: when will it be renewed?"),
        )
    return report.add(
        "tls",
        OK,
        _(
            "The connection is encrypted (${version}). The server's certificate is in order and valid until ${until}.",
            mapping=mapping,
        ),
    )


def not_encrypted(report, account, problem, certificate):
    """Step ``tls``: what is wrong, by the error and by the certificate that the server shows."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        kind = PROBLEMS.get(problem.verify_code, "")
        if kind == "unknown-authority" and problem.verify_code == 19 and certificate is None:
            kind = ""
        sentence, ask = SENTENCES[kind]
        mapping = {
            "host": account.host,
            "until": f"{certificate.until:%Y-%m-%d}" if certificate else "?",
            "issuer": certificate.issuer if certificate else "?",
            "names": ", ".join(certificate.names[:5]) if certificate else "?",
        }
        return report.add("tls", BAD, _(sentence, mapping=mapping), ask)
    if isinstance(problem, AuthorityUnreadable):
        answer = answer_to(reply_to("tls", problem))
        return report.add(
            "tls",
            BAD,
            _("The file with the certificates of your own authority cannot be read on the iA.docs server."),
            answer.remedy,
        )
    reason = getattr(problem, "reason", "") or ""
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return report.add(
            "tls",
            BAD,
            _(
                "This port does not speak TLS from the start: choose STARTTLS in the settings, or another port."
            ),
            _("Which port and which encryption (STARTTLS or TLS) must be used for sending mail?"),
        )
    if "PROTOCOL" in reason or "CIPHER" in reason or "HANDSHAKE" in reason or "DH_KEY" in reason:
        return report.add(
            "tls",
            BAD,
            _("The server and iA.docs have no encryption in common: the server's is too old to be safe."),
            _("Does your SMTP server offer TLS 1.2 or TLS 1.3?"),
        )
    return report.add(
        "tls",
        BAD,
        _("Encryption could not be started: the server closed the connection or stopped answering."),
        _("Which port and which encryption (STARTTLS or TLS) must be used for sending mail?"),
    )


def not_offered(report):
    """Step ``tls``: STARTTLS is set, and the server does not have it."""
    return report.add(
        "tls",
        BAD,
        _(
            "The server does not offer to encrypt the connection (STARTTLS), so nothing is sent: the password could be read on "
            "the way."
        ),
        answer_to(SmtpReply("tls", 502, "STARTTLS is not offered")).remedy,
    )


def in_clear(report, local):
    """Step ``tls``: no encryption is set."""
    if local:
        return report.add(
            "tls",
            OK,
            _("No encryption is set. The server is on your own machine or network: this may be good enough."),
        )
    return report.add(
        "tls",
        WARNING,
        _(
            "No encryption is set, and the server is not on your own network: anybody on the way can read the mail and the "
            "password."
        ),
        _("Which port and which encryption (STARTTLS or TLS) must be used for sending mail?"),
    )
