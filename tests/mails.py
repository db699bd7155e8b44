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
