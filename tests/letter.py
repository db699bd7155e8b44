"""A letter of a citizen with files of each kind, hostile ones among them."""

from email.message import EmailMessage


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
HOSTILE = b"<script>alert(1)</script>"


def letter(*files, **headers):
    message = EmailMessage()
    values = {
        "From": "Sophie Lambert <sophie@citizen.test>",
        "Reply-To": "pro@citizen.test",
        "To": "info@maville.test",
        "Cc": "Paul <paul@citizen.test>",
        "Subject": "Arbre tombé",
        "Date": "Mon, 16 Nov 2026 23:30:00 +0100",
        "Message-ID": "<arbre@citizen.test>",
        "Resent-From": "info@maville.test",
        **headers,
    }
    for name, value in values.items():
        message[name] = value
    message.set_content("Bonjour")
    for name, kind, content in files:
        message.add_attachment(content, *kind.split("/"), filename=name)
    if files:
        message.set_boundary("boundary")
    return message.as_bytes()


FILES = (
    ("plan.pdf", "application/pdf", b"%PDF-1.4 a plan"),
    ("photo.png", "image/png", PNG),
    ("logo.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'>" + HOSTILE + b"</svg>"),
    ("faux.pdf", "application/pdf", HOSTILE),
    ("PLAN.pdf", "application/pdf", b"%PDF-1.4 another plan"),
    ("lettre.docx", "application/msword", b"a letter"),
    ("lettre.pdf", "application/pdf", b"%PDF-1.4 the letter"),
    ("devis.xlsx", "application/octet-stream", b"x" * 24_000),
)
