"""What is no plain letter: forwards, reports, answers and notices, as the programs that write them do."""

from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from email.utils import parseaddr
import hashlib


def _id(*parts: str) -> str:
    return f"<{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:20]}@mail.citizen.test>"


def redirected(raw: bytes, mailbox: str, sender: str = "") -> bytes:
    """Return a message that a rule of a mailbox passed on, with what Exchange writes above it."""
    host = sender.partition("@")[2] or "mail.citizen.test"
    head = (
        f"Return-Path: <{sender}>\n"
        f"Received: from mx.{host} (mx.{host} [192.0.2.25]) by mx.maville.test (Postfix) with ESMTPS\n"
        f"Resent-From: <{mailbox}>\n"
        f"X-MS-Exchange-Inbox-Rules-Loop: {mailbox}\n"
    )
    return head.encode() + raw


def forward(agent: str, subject: str, at: datetime, inner: Iterable[EmailMessage]) -> bytes:
    """Return an agent's mail with messages attached."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = agent, "in@bridge.test", subject
    mail["Date"], mail["Message-ID"] = format_datetime(at), _id(agent, subject)
    mail.set_content("À classer, merci.\n")
    for each in inner:
        mail.add_attachment(each)
    return mail.as_bytes()


def text_forward(at: datetime) -> bytes:
    """Return what *Transférer* of Outlook makes."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Al Bert <al.bert@maville.test>", "in@bridge.test"
    mail["Subject"] = "TR: Infiltration dans la salle des fêtes"
    mail["Date"], mail["Message-ID"] = format_datetime(at), _id("text forward")
    mail.set_content(
        "Pour classement.\n\n-----Message d'origine-----\nDe : Serge Hubin <serge.hubin@citizen.test>\n"
        f"Envoyé : {DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year} 15:48\nÀ : Al Bert <al.bert@maville.test>\n"
        "Objet : Infiltration dans la salle des fêtes\n\nBonjour,\n\nIl pleut dans le bar de la salle des fêtes. J'ai posé un "
        "seau.\n\nSerge Hubin\n"
    )
    return mail.as_bytes()


DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def reply(to: EmailMessage, text: str, at: datetime) -> EmailMessage:
    """Return what the recipient of a message of ours answers."""
    mail = EmailMessage()
    mail["From"], mail["To"] = str(to["To"]), str(to.get("Reply-To") or to["From"])
    subject = str(to["Subject"])
    mail["Subject"] = subject if subject.startswith("Re:") else f"Re: {subject}"
    mail["Date"], mail["Message-ID"] = format_datetime(at), _id(str(to["Message-ID"]), text)
    mail["In-Reply-To"] = str(to["Message-ID"])
    mail["References"] = " ".join(f"{to.get('References', '')} {to['Message-ID']}".split())
    mail.set_content(text + "\n")
    return mail


def bounce(of: EmailMessage, at: datetime) -> bytes:
    """Return the report of a Postfix that could not deliver a message (RFC 3464)."""
    recipient = parseaddr(str(of["X-RcptTo"]))[1]
    host = recipient.partition("@")[2]
    return f"""From: MAILER-DAEMON@mx.{host} (Mail Delivery System)
To: administration@maville.test
Subject: Undelivered Mail Returned to Sender
Date: {format_datetime(at)}
Message-ID: {_id("bounce", recipient)}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.{host}.

<{recipient}>: host mail.{host} said: 552 5.2.2 Mailbox full (in reply to end of DATA command)
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.{host}

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full

--b
Content-Type: text/rfc822-headers

Message-ID: {of["Message-ID"]}
Subject: {_ascii(of["Subject"])}

--b--
""".encode()


def receipt(of: EmailMessage, at: datetime) -> bytes:
    """Return the receipt of a program that showed a message (RFC 8098)."""
    recipient = parseaddr(str(of["X-RcptTo"]))[1]
    return f"""From: <{recipient}>
To: administration@maville.test
Subject: Read: {_ascii(of["Subject"])}
Date: {format_datetime(at)}
Message-ID: {_id("receipt", recipient)}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

The message was displayed.
--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; {recipient}
Original-Message-ID: {of["Message-ID"]}
Disposition: manual-action/MDN-sent-manually; displayed

--b--
""".encode()


def absence(of: EmailMessage, at: datetime) -> bytes:
    """Return an automatic answer (RFC 3834)."""
    recipient = parseaddr(str(of["X-RcptTo"]))[1]
    mail = EmailMessage()
    mail["From"], mail["To"] = recipient, "administration@maville.test"
    mail["Subject"] = f"Absent du bureau : {of['Subject']}"
    mail["Date"], mail["Message-ID"] = format_datetime(at), _id("absence", recipient)
    mail["Auto-Submitted"], mail["In-Reply-To"] = "auto-replied", str(of["Message-ID"])
    mail.set_content("Je suis absent jusqu'au 3 décembre. En cas d'urgence : 061 00 00 00.\n")
    return mail.as_bytes()


def stand_in(at: datetime) -> bytes:
    """Return what Exchange hands over in place of a message that it cannot read."""
    return f"""From: "Microsoft Exchange Server 2019"
To: info@maville.test
Subject: Retrieval using the IMAP4 protocol failed for the following message: 9
Date: {format_datetime(at)}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

The server couldn't retrieve the following message:

Subject: "Relevé des compteurs"
From: "Jean Collard" (jean.collard@citizen.test)

The message hasn't been deleted.
""".encode()


def confirmation(at: datetime) -> bytes:
    """Return Google's question whether a mailbox may forward."""
    return f"""From: =?utf-8?q?L=27=C3=A9quipe?= Gmail <forwarding-noreply@google.com>
To: in@bridge.test
Subject: (#512348761) Confirmation de transfert Gmail - Recevoir le courrier de bibliotheque@maville.test
Date: {format_datetime(at)}
Message-ID: {_id("confirmation")}
Content-Type: text/plain; charset=utf-8

bibliotheque@maville.test demande le transfert automatique de son courrier vers votre adresse in@bridge.test.
Code de confirmation : 512348761

https://mail-settings.google.com/mail/vf-%5BANGjdJ9%5D-Xyz
""".encode()


def encrypted(at: datetime) -> bytes:
    """Return a message in PGP/MIME (RFC 3156)."""
    return f"""From: Protection des données <dpo@hopital.test>
To: info@maville.test
Subject: ...
Date: {format_datetime(at)}
Message-ID: {_id("encrypted")}
MIME-Version: 1.0
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="enc"

--enc
Content-Type: application/pgp-encrypted

Version: 1
--enc
Content-Type: application/octet-stream; name="encrypted.asc"
Content-Disposition: inline; filename="encrypted.asc"

-----BEGIN PGP MESSAGE-----

hQEMA7w0fV5n0dXyAQf/
-----END PGP MESSAGE-----
--enc--
""".encode()


def too_complex(at: datetime) -> bytes:
    """Return a message with far more fields than programs write."""
    fields = "".join(f"X-Field-{number}: {number}\n" for number in range(1500))
    return f"From: x@fuzz.test\nSubject: Test\nDate: {format_datetime(at)}\n{fields}\nBonjour\n".encode()


def _ascii(text: object) -> str:
    return str(text).encode("ascii", "ignore").decode()
