"""Attached messages come out byte for byte as they went in."""

from base64 import encodebytes
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.parse import parse
from quopri import encodestring
import pytest


ODD = (
    b"Return-Path:<marie@example.org>\nFROM:   Marie \xe9 <marie@example.org>\nsubject:=?utf-8?q?a?=\n\t=?utf-8?q?b?=   \n"
    b"X-Trailing: spaces   \nX-Folded:\n one\n\t two\nDate: Mon, 19 Jan 2026 09:00:00 +0100\n"
    b"Content-Type: multipart/mixed; boundary=inner\n\npreamble\n--inner\n\n\xff\xfe 8 bit \x00\n.\n..\n\n"
    b"--inner\nContent-Type: application/pdf; name=x.pdf\n\nx\n--inner--\nepilogue\n\n"
)
PLAIN = b"From: a@example.org\nSubject: s\n\nno line end at the end"
MBOX = b"From a@example.org Mon Jan 19 09:00:00 2026\n" + PLAIN
ORIGINALS = [
    pytest.param(ODD, id="odd"),
    pytest.param(PLAIN, id="plain"),
    pytest.param(MBOX, id="mbox"),
    pytest.param(ODD.replace(b"\n", b"\r\n"), id="odd-crlf"),
    pytest.param(PLAIN.replace(b"\n", b"\r\n") + b"\r\n\r\n", id="plain-crlf"),
]


def forward(part, original, newline=b"\n"):
    """Return a forward whose own lines end in ``newline``; the original is unchanged."""
    head = (
        b"From: al.bert@maville.be\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\n\nhello\n--outer\n"
        + part
    )
    return head.replace(b"\n", newline) + original + b"\n--outer--\n".replace(b"\n", newline)


def raws(raw):
    return [attached.message.raw for attached in attached_messages(parse(raw))]


@pytest.mark.parametrize("original", ORIGINALS)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: message/rfc822\n\n",
        b"Content-Type: MESSAGE/RFC822; name=x.eml\nContent-Transfer-Encoding: 8bit\nContent-Disposition: inline\n\n",
        b"Content-Type: message/global\n\n",
        b"Content-Type: application/octet-stream; name=x.EML\nContent-Transfer-Encoding: binary\n\n",
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",  # claimed, but not so
    ],
)
def test_as_it_stands(original, newline, part):
    assert raws(forward(part, original, newline)) == [original]


@pytest.mark.parametrize("original", ORIGINALS)
@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",
        b"Content-Type: application/octet-stream\nContent-Transfer-Encoding: BASE64 (Notes)\n\n",
        b"Content-Type: text/plain; name=mail.eml\nContent-Transfer-Encoding: base64\n\n",
    ],
)
def test_out_of_base64(original, part):
    assert raws(forward(part, encodebytes(original))) == [original]


def test_out_of_quoted_printable():
    part = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n"
    original = PLAIN + "é = ".encode() + b"x" * 200
    assert raws(forward(part, encodestring(original))) == [original]


def test_several_and_nested_containers():
    one, two = (b"From: %s@example.org\nSubject: %s\n\nx" % (name, name) for name in (b"one", b"two"))
    inner = (
        b"Content-Type: multipart/related; boundary=r\n\n--r\n\n\n--r\nContent-Type: message/rfc822\n\n" + one
        + b"\n--r\nContent-Type: multipart/digest; boundary=d\n\n--d\n\n" + two + b"\n--d--\n--r--"
    )  # fmt: skip
    assert raws(forward(b"", inner)) == [one, two]


def test_messages_attached_to_the_attached_one_stay_there():
    inner = b"From: inner@example.org\nSubject: in\n\nx"
    original = (
        b"From: a@example.org\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n"
        + inner
        + b"\n--o--\n"
    )
    (attached,) = attached_messages(parse(forward(b"Content-Type: message/rfc822\n\n", original)))
    assert attached.message.raw == original
    (file,) = attached.message.attachments
    assert (file.filename, file.content_type, file.content()) == ("in.eml", "message/rfc822", inner)


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: application/octet-stream; name=x.bin\n\nFromage: a\nSubject: x\n\n",
        b"Content-Type: text/plain; name=notes.txt\n\nFrom: a@example.org\nSubject: x\n\n",
        b"Content-Type: application/pdf; name=x.eml\n\n%PDF-1.4",
        b"Content-Type: message/rfc822\n\n",
        b"Content-Type: message/rfc822\n\nonly words, no header\n",
    ],
)
def test_what_is_no_attached_message(part):
    assert raws(forward(part, b"")) == []


def test_what_a_report_returns_is_not_forwarded():
    raw = (
        b"From: a@example.org\nContent-Type: multipart/report; boundary=r\n\n--r\nContent-Type: message/rfc822\n\n"
        + PLAIN
        + b"\n--r--\n"
    )
    assert raws(raw) == []
