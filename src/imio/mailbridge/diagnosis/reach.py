"""Steps ``resolve`` and ``connect``: the addresses of the server, a connection to each, and the greeting."""

from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.bounded import bounded
from imio.mailbridge.transport.smtp_reply import SmtpReply
import ipaddress
import socket
import ssl


#: Addresses that are tried; large providers have dozens.
ADDRESSES = 4


def addresses(report, account, deadline):
    """Step ``resolve``: return the IP addresses of the server, none if there are none."""
    host = account.host.strip("[]")
    report.dialogue.client(f"getaddrinfo {host}")
    try:
        found = bounded(
            lambda: socket.getaddrinfo(host, account.port, type=socket.SOCK_STREAM), deadline.left
        )
    except (OSError, UnicodeError, ValueError) as error:
        report.dialogue.server(f"({readable(error)})")
        report.add(
            "resolve",
            BAD,
            _("There is no server with the name ${host}: check the spelling.", mapping={"host": host}),
            _("What is the exact name of the server for sending mail (SMTP)?"),
        )
        return []
    ips = list(dict.fromkeys(entry[4][0] for entry in found))
    report.dialogue.server(", ".join(ips[:20]))
    report.add(
        "resolve",
        OK,
        _(
            "The name ${host} leads to ${addresses}.",
            mapping={"host": host, "addresses": ", ".join(ips[:ADDRESSES])},
        ),
    )
    return ips[:ADDRESSES]


def connection(report, account, ips, limits, deadline):
    """Connect to each address; return the first connection, or None, and the addresses that did not answer."""
    kept, silent = None, []
    for ip in ips:
        report.dialogue.client(f"connect {ip} port {account.port}")
        try:
            sock = socket.create_connection(
                (ip, account.port), timeout=deadline.within(limits.connect / (1 if kept is None else 4)).left
            )
        except OSError as error:
            report.dialogue.server(f"({readable(error)})")
            silent.append(ip)
            continue
        report.dialogue.server("(connected)")
        if kept is None:
            kept = sock
        else:
            sock.close()
    return kept, silent


def not_reached(report, account):
    """Step ``connect`` when no address answered."""
    return report.add(
        "connect",
        BAD,
        _(
            "Nothing answers at ${host}, port ${port}. Either the port is wrong, or a firewall between iA.docs and the server "
            "stops the connection.",
            mapping={"host": account.host, "port": str(account.port)},
        ),
        _(
            "Which port must be used for sending mail, 587 or 465? Is the IP address of our iA.docs server allowed to "
            "connect to it?"
        ),
    )


def reached(report, account, silent, banner=None):
    """Step ``connect``: the server answers, and its greeting is ``banner``, if it speaks first."""
    if banner is not None and not banner.is_positive:
        answer = answer_to(banner)
        return report.add("connect", BAD, answer.explanation, answer.remedy)
    if silent:
        return report.add(
            "connect",
            WARNING,
            _(
                "The server answers, but not at all of its addresses: ${addresses}. Sending may be slow or fail now and then.",
                mapping={"addresses": ", ".join(silent)},
            ),
            _("Why do some addresses of your server not answer?"),
        )
    return report.add(
        "connect",
        OK,
        _(
            "The server answers at ${host}, port ${port}.",
            mapping={"host": account.host, "port": str(account.port)},
        ),
    )


def silent_server(report, account, ip, deadline):
    """Step ``connect`` when the greeting never comes: is this a port where TLS comes first?"""
    context = ssl._create_unverified_context()  # noqa: S323 - nothing is sent: only whether TLS is spoken counts
    report.dialogue.client("(does it speak TLS from the start?)")
    try:
        with (
            socket.create_connection((ip, account.port), timeout=deadline.within(5).left) as sock,
            context.wrap_socket(sock, server_hostname=account.host),
        ):
            speaks_tls = True
    except (OSError, ValueError):
        speaks_tls = False
    report.dialogue.server("(yes)" if speaks_tls else "(no)")
    if speaks_tls:
        return report.add(
            "connect",
            BAD,
            _(
                "This port speaks TLS from the start: choose “TLS from the start” in the settings, or another port."
            ),
            _("Which port and which encryption (STARTTLS or TLS) must be used for sending mail?"),
        )
    answer = answer_to(SmtpReply("connect", 0, "no greeting"))
    return report.add(
        "connect",
        BAD,
        _(
            "The server accepts the connection and then says nothing: it is overloaded, or it is not a mail server."
        ),
        answer.remedy,
    )


def is_local(ips):
    """Tell whether all addresses are of this machine or of a private network."""
    return bool(ips) and all(ipaddress.ip_address(ip.partition("%")[0]).is_private for ip in ips)
