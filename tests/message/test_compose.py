"""Composing: what any client must be able to read back, and what must never be in a header."""

from datetime import datetime
from datetime import UTC
from email import message_from_bytes
from email import policy as policies
from email.header import decode_header
from email.header import make_header
from email.utils import getaddresses
from functools import partial
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import needs_smtputf8
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import File
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import choose_sender
from io import BytesIO
import pytest
import re


DATE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TOKEN = "0123456789abcdef" * 2
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def written(**changes):
    values = {
        "message_id": message_id(TOKEN, "maville.be"),
        "date": DATE,
        "to": [Address("Jeanne Dupont", "jeanne@citizen.test")],
        "cc": [],
        "subject": "Votre demande",
        "html": "<p>Bonjour <b>Madame</b></p>",
    }
    sender = choose_sender(Address("Al Bert", "al.bert@maville.be"), "administration@maville.be", "login")
    return sender_headers(sender) + bytes(compose(**{**values, **changes}))


def file(filename, content_type, content):
    return File(filename, content_type, len(content), partial(BytesIO, content))


def read(raw):
    return message_from_bytes(raw, policy=policies.default)


def test_alternative_of_text_and_html():
    message = read(written())
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert text.get_content().splitlines() == ["Bonjour Madame"]
    assert "<b>Madame</b>" in html.get_content()
    assert message["From"] == "Al Bert <administration@maville.be>"
    assert message["Reply-To"] == "Al Bert <al.bert@maville.be>"
    assert message["Date"].datetime == DATE


def test_every_line_ends_in_crlf_and_is_short():
    raw = written(subject="é" * 500, html="<p>" + "x" * 5000 + "</p>", cc=[Address("É" * 90, "a@b.be")] * 30)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


@pytest.mark.parametrize("domain", ["x.be", "a" * 60 + "." + "b" * 60 + ".be", "exämple.be"])
def test_message_id_is_never_folded_or_encoded(domain):
    raw = written(message_id=message_id(TOKEN, domain))
    line = re.search(rb"^Message-ID: (.*)\r\n(?![ \t])", raw, re.MULTILINE)
    assert line[1] == f"<mailbridge.{TOKEN}@{domain.encode('idna').decode()}>".encode()


@pytest.mark.parametrize(
    "name",
    [
        "Éric Bert",
        'Al "le grand" Bert',
        "Bert, Al",
        "Ça; là (ici) <x@y.be>",
        "back\\slash",
        "日本語の名前",
        "É" * 120,
        "",
    ],
)
def test_names_survive(name):
    # Read by the older parser: the newer one of Python 3.11 puts spaces between adjacent encoded words (RFC 2047 §6.2).
    message = message_from_bytes(written(to=[Address(name, "a@b.be"), Address("Second", "c@d.be")]))
    (first, first_address), second = getaddresses([message["To"]])
    assert (str(make_header(decode_header(first))), first_address) == (name, "a@b.be")
    assert second == ("Second", "c@d.be")


@pytest.mark.parametrize(
    "filename", ["plan.pdf", 'Rôle d\'évaluation n° 1; "copie".pdf', "図面.pdf", "é" * 150 + ".pdf"]
)
def test_filenames_survive(filename):
    message = read(written(files=[file(filename, "application/pdf", b"%PDF-1.4\0\r\n\n")]))
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == filename
    assert attachment.get_content() == b"%PDF-1.4\0\r\n\n"


@pytest.mark.parametrize("content_type", ["message/rfc822", "multipart/mixed", "nonsense", ""])
def test_types_that_cannot_be_attached_as_they_are_become_octets(content_type):
    (attachment,) = read(written(files=[file("a.eml", content_type, b"From: x\n\ny")])).iter_attachments()
    assert attachment.get_content_type() == "application/octet-stream"
    assert attachment.get_content() == b"From: x\n\ny"


def test_pasted_image_becomes_an_inline_part():
    message = read(written(html=f'<p>Voir</p><img alt="plan" src="data:image/png;base64,{PIXEL}">'))
    _text, related = message.iter_parts()
    html, image = related.iter_parts()
    cid = re.search(r'src="cid:([^"]+)"', html.get_content())[1]
    assert image["Content-ID"] == f"<{cid}>"
    assert image.get_content_type() == "image/png"
    assert "data:" not in html.get_content()


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<p onclick='x()'>a</p>",
        "<a href='javascript:x()'>a</a>",
        "<iframe src='https://x'></iframe>",
        "<img src='data:image/svg+xml;base64,AAAA'>",
        "<a href='data:text/html,x'>a</a>",
        "<style>p{background:url(https://x)}</style>",
        "<form action='https://x'><input></form>",
    ],
)
def test_html_is_cleaned(html):
    sent = read(written(html=html)).get_body(("html",)).get_content()
    assert not re.search(r"script|onclick|iframe|svg|data:|style|form|input", sent)


def test_header_injection_is_refused():
    with pytest.raises(ValueError):
        written(subject="a\r\nBcc: x@y.be")


@pytest.mark.parametrize("text", ["=?utf-8?q?=0d=0aBcc:_x=40y.be?=", "é =?utf-8?b?DQpCY2M6IHhAeS5iZQ==?="])
def test_encoded_words_that_somebody_typed_are_text(text):
    """The library decodes them, line ends included."""
    raw = written(subject=text, to=[Address(text, "a@b.be")], files=[file(text, "application/pdf", b"x")])
    assert b"\nBcc" not in raw
    assert str(make_header(decode_header(message_from_bytes(raw)["Subject"]))) == text
    (attached,) = read(raw).iter_attachments()
    assert attached.get_payload(decode=True) == b"x"


def test_a_line_end_in_a_name_is_only_a_space():
    raw = written(to=[Address("Al\r\nBcc: x@y.be", "a@b.be")])
    assert b"\nBcc" not in raw
    assert read(raw)["To"].addresses[0].addr_spec == "a@b.be"


def test_a_forged_message_id_to_answer_is_left_out():
    assert read(written(references=["<a@b>"]))["References"] == "<a@b>"
    assert b"In-Reply-To" not in written(references=["<a@b>\r\nBcc: x@y.be"])


def test_only_bcc():
    assert read(written(to=[]))["To"] == "undisclosed-recipients:;"


def test_internationalised_addresses():
    assert wire_address("info@exämple.be") == "info@xn--exmple-cua.be"
    assert needs_smtputf8(["a@b.be", "é@b.be"])
    assert not needs_smtputf8(["a@exämple.be"])
    assert "é@b.be".encode() in written(to=[Address("", "é@b.be")])


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 57 * 1024, 57 * 1024 + 1, 200_000])
def test_files_are_read_when_the_message_is_written(size):
    content = bytes(index % 251 for index in range(size))
    composition = compose(
        message_id=message_id(TOKEN, "maville.be"),
        date=DATE,
        to=[],
        cc=[],
        subject="x",
        html="<p>mailbridge-file-0</p>",
        files=[file("a.pdf", "application/pdf", content), file("b.txt", "text/plain", b"\xe9\n.\n")],
    )
    raw = b"".join(composition.blocks())
    assert len(raw) == composition.size
    first, second = read(raw).iter_attachments()
    assert first.get_payload(decode=True) == content
    assert second.get_payload(decode=True) == b"\xe9\n.\n"
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


def test_file_that_is_not_what_it_said():
    cut = File("a.pdf", "application/pdf", 10, partial(BytesIO, b"123"))
    with pytest.raises(ValueError, match="not 10 bytes"):
        written(files=[cut])


def test_name_of_a_file_with_a_lone_surrogate():
    raw = written(files=[File("plan\ud800.pdf", "application/pdf", 1, lambda: BytesIO(b"x"))])
    (attachment,) = message_from_bytes(raw, policy=policies.default).iter_attachments()
    assert attachment.get_filename() == "plan .pdf"


def image(address):
    return file("plan é.png", "image/png", b"\x89PNG") if address == "https://x.be/plan?a=1&b=2" else None


def absolute(address):
    return address if ":" in address else f"https://x.be/{address}"


def test_links_are_absolute_and_images_go_along():
    html = (
        '<p>src="plan"</p><a title="a > b" href="p?a=1&amp;b=2">ici</a>'
        '<img alt="Plan" src="plan?a=1&amp;b=2"><img src="plan?a=1&amp;b=2"><img src="autre">'
    )
    message = read(written(html=html, link=absolute, image=image))
    text, related = message.iter_parts()
    assert "ici (https://x.be/p?a=1&b=2)" in text.get_content()
    body, picture = related.iter_parts()
    cid = picture["Content-ID"].strip("<>")
    content = body.get_content()
    assert 'href="https://x.be/p?a=1&amp;b=2"' in content
    assert re.findall('<img[^>]*src="([^"]*)"', content) == [f"cid:{cid}", f"cid:{cid}", "https://x.be/autre"]
    assert '<p>src="plan"</p>' in content
    assert (picture.get_filename(), picture.get_content()) == ("plan é.png", b"\x89PNG")


def test_pasted_image_has_a_name():
    message = read(written(html=f'<p>Voir</p><img src="data:image/png;base64,{PIXEL}">'))
    (image,) = (part for part in message.walk() if part.get_content_maintype() == "image")
    assert image.get_filename() == image["Content-Type"].params["name"] == "image1.png"


@pytest.mark.parametrize(
    "filename", ["plan.pdf", 'a"b\\c.pdf', "Rôle d'évaluation.pdf", "é" * 150 + ".pdf", "a" * 300, "=?utf-8?q?x?="]
)  # fmt: skip
def test_names_of_files_for_clients_without_rfc_2231(filename):
    raw = written(files=[file(filename, "application/pdf", b"x")])
    (part,) = (
        part for part in message_from_bytes(raw).walk() if part.get_content_maintype() == "application"
    )
    name = part.get_param("name")
    assert name.isascii()
    assert str(make_header(decode_header(name))) == filename.replace("=?", "=_")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_references_of_a_thread():
    ids = [f"<{number}.{'x' * 200}@citizen.test>" for number in range(41)]
    raw = written(references=ids)
    assert re.search(rb"\r\nIn-Reply-To: <40\.x{200}@citizen\.test>\r\n", raw)
    found = re.search(rb"\r\nReferences: ((?:<[^<>\s]+>(?:\r\n )?)+)\r\n", raw)[1].decode().split()
    assert found == [ids[0], *ids[-len(found) + 1 :]]
    assert 30 < len(found) < 41
    assert len(" ".join(found)) <= 8100
    short = [f"<{number}@citizen.test>" for number in range(41)]
    assert read(written(references=short))["References"].split() == short
