"""What an agent writes and attaches beside a forwarded message is told from the message, its images and a signature."""

from imio.mailbridge.message.classification.passed_on import MAX_WORDS
from imio.mailbridge.message.classification.passed_on import own_files
from imio.mailbridge.message.classification.passed_on import own_words
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.parse import parse
import pytest


HTML = '<p>À lire</p><img src="cid:logo">'
OUTER = f"""From: al.bert@maville.test
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=utf-8

{HTML}
--r
Content-Type: image/png; name=logo.png
Content-ID: <logo>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--r--
--b
Content-Type: application/pdf; name=plan.pdf
Content-Disposition: attachment

%PDF
--b
Content-Type: message/rfc822

From: rita@citizen.test
Subject: Arbres

Des arbres ?
--b
Content-Type: application/octet-stream; name=Deux.eml

From: rita@citizen.test
Subject: Deux

Deux
--b--
""".encode()


def test_images_of_the_signature_and_the_messages_are_no_files_of_the_agent():
    message = parse(OUTER)
    assert [file.filename for file in own_files(message, attached_messages(message))] == ["plan.pdf"]
    assert own_words(message) == "À lire"
    assert len(message.attachments) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("À traiter\n\n\n\nvendredi \n", "À traiter\n\nvendredi"),
        ("À traiter\n-- \nAl Bert", "À traiter"),
        ("À traiter\n--\nAl Bert", "À traiter"),
        ("À traiter\n-- voir plan", "À traiter\n-- voir plan"),
        ("Al Bert\nUrbanisme", "Al Bert\nUrbanisme"),
        ("-- \nAl Bert", ""),
        ("CAUTION: external\n\nÀ traiter", "À traiter"),
        ("Obtenir Outlook pour iOS<https://aka.ms/o0ukef>", ""),
        ("Outlook voor Android downloaden<https://aka.ms/x>", ""),
        ("Verstuurd vanaf mijn iPhone", ""),
        ("Verzonden vanuit Mail voor Windows", ""),
        ("Envoyé à partir d’un Smartphone Samsung Galaxy.", ""),
        ("Verzonden met mijn Samsung Galaxy-telefoon.", ""),
        ("Envoyé depuis Yahoo Mail pour iPhone", ""),
        ("Provenance : Courrier pour Windows", ""),
        ("Courrier pour la commune", "Courrier pour la commune"),
        ("Envoyé depuis mon téléphone, à traiter", "Envoyé depuis mon téléphone, à traiter"),
        ("x" * 9_000, "x" * MAX_WORDS + "…"),
    ],
)
def test_words(text, words):
    assert own_words(parse(f"Content-Type: text/plain; charset=utf-8\n\n{text}".encode())) == words
