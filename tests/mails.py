"""Mails that tests write: a citizen's, and the ways it comes in."""

from email.message import EmailMessage
import uuid


def citizen(subject="Une véranda é", **headers):
    """Return a citizen's message with a plan attached; a header given as None is left out. Same arguments, same bytes."""
    message = EmailMessage()
    values = {
        "From": "Jeanne Dupont <jeanne.dupont@citizen.test>",
        "To": "info@maville.test",
        "Subject": subject,
        "Date": "Mon, 16 Nov 2026 23:30:00 +0100",
        "Message-ID": f"<{uuid.uuid5(uuid.NAMESPACE_DNS, subject).hex}@citizen.test>",
        **headers,
    }
    for name, value in values.items():
        if value is not None:
            message[name] = value
    message.set_content("Bonjour, voici ma demande à traiter.\n")
    message.add_attachment(b"%PDF-1.4\0plan", "application", "pdf", filename="plan.pdf")
    message.set_boundary("boundary")
    return message


def redirected(subject="Une véranda é", **headers):
    """Return the bytes of a citizen's message that the declared mailbox passed on."""
    return citizen(subject, **{"Resent-From": "info@maville.test", **headers}).as_bytes()


def forwarded(*messages, sender="Al Bert <al.bert@maville.test>"):
    """Return the bytes of an agent's mail with messages attached."""
    outer = EmailMessage()
    outer["From"] = sender
    outer["To"] = "in@bridge.test"
    outer["Subject"] = "TR: à classer"
    outer.set_content("Voir en annexe.\n")
    for message in messages:
        outer.add_attachment(message)
    return outer.as_bytes()


def dsn(recipient="jeanne.dupont@citizen.test", *, message_id="", envelope_id="", **fields):
    """Return a delivery report as Postfix writes it."""
    fields = {
        "Action": "failed",
        "Status": "5.1.1",
        "Diagnostic-Code": "smtp; 550 5.1.1 no such user",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    group = "\n".join(f"{name}: {value}" for name, value in fields.items() if value)
    returned = f"Message-ID: {message_id}\n" if message_id else ""
    return f"""From: MAILER-DAEMON@mx.citizen.test (Mail Delivery System)
To: someone@bridge.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.citizen.test
{f"Original-Envelope-Id: {envelope_id}" if envelope_id else "X-Postfix-Queue-ID: 4F1"}

Final-Recipient: rfc822; {recipient}
{group}

--b
Content-Type: text/rfc822-headers

{returned}Subject: Votre permis

--b--
"""


#: An agent's forward as text, in the style of Outlook.
TEXT_FORWARD = """From: Al Bert <al.bert@maville.test>
To: in@bridge.test
Subject: TR: Demande en texte
Content-Type: text/plain; charset=utf-8

-----Message d'origine-----
De : Jeanne Dupont <jeanne.dupont@citizen.test>
Envoyé : lundi 16 novembre 2026 09:12
À : Al Bert <al.bert@maville.test>
Objet : Demande en texte

Bonjour
""".encode()

#: What a trusted mail host says of the envelope.
TRUSTED = {
    "Content-Type": "message/rfc822",
    "X-Envelope-Recipient": "in@bridge.test",
    "X-Client-Address": "127.0.0.1",
}
