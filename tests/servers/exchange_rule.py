"""What rules of mail servers do with a message on standard input: a new mail from the mailbox, as text or with the original
attached, or the same mail again with Resent-From.

Run by Postfix: ``exchange_rule.py text|attachment|resend MAILBOX TARGET SMTP_PORT``. Standard library only.
"""

from email import message_from_bytes
from email import policy
from email.message import EmailMessage
from email.utils import make_msgid
import smtplib
import sys


def forwarded(original, form, mailbox, target):
    """Return the new mail."""
    mail = EmailMessage()
    mail["From"], mail["To"] = mailbox, target
    mail["Subject"] = f"TR: {original['subject']}" if form == "text" else "Message transféré"
    mail["Message-ID"] = make_msgid(domain=mailbox.rpartition("@")[2])
    mail["X-MS-Exchange-Inbox-Rules-Loop"] = mailbox
    mail["Auto-Submitted"] = "auto-generated"
    if form == "attachment":
        mail.set_content("")
        mail.add_attachment(original)
        return mail
    head = "".join(
        f"{label} : {original[name]}\n"
        for label, name in (("De", "from"), ("Envoyé", "date"), ("À", "to"), ("Objet", "subject"))
    )
    text = original.get_body(("plain",)).get_content()
    mail.set_content(f"-----Message d'origine-----\n{head}\n{text}")
    return mail


if __name__ == "__main__":
    form, mailbox, target, port = sys.argv[1:]
    raw = sys.stdin.buffer.read()
    if form == "resend":
        content = f"Resent-From: {mailbox}\n".encode() + raw
    else:
        content = forwarded(message_from_bytes(raw, policy=policy.default), form, mailbox, target).as_bytes()
    with smtplib.SMTP("127.0.0.1", int(port), timeout=60) as smtp:
        smtp.sendmail(mailbox, [target], content)
