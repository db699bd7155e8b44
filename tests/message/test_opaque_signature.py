"""A message inside an opaque signature is read like any other."""

from base64 import encodebytes
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.opaque_signature import signed_content
from imio.mailbridge.message.parsing.parse import parse
import pytest


ENTITY = (
    b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nBonjour\r\n--m\r\n"
    b"Content-Type: message/rfc822; name=x.eml\r\n\r\nFrom: a@example.org\r\nSubject: inside\r\n\r\nz\r\n--m--\r\n"
)
SIGNED, DATA, ENVELOPED = (
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07" + last for last in (b"\x02", b"\x01", b"\x03")
)


def definite(tag, *contents):
    content = b"".join(contents)
    return bytes([tag, 0x83]) + len(content).to_bytes(3, "big") + content


def indefinite(tag, *contents):
    return bytes([tag, 0x80]) + b"".join(contents) + b"\0\0"


def signature(wrap, octets, kind=SIGNED):
    info = wrap(0x30, DATA, wrap(0xA0, octets))
    return wrap(0x30, kind, wrap(0xA0, wrap(0x30, b"\x02\x01\x01", b"\x31\x00", info, b"\x31\x00")))


WRAPPED = [
    pytest.param(signature(definite, definite(0x04, ENTITY)), id="definite"),
    pytest.param(signature(indefinite, definite(0x04, ENTITY)), id="indefinite"),
    pytest.param(
        signature(indefinite, indefinite(0x24, definite(0x04, ENTITY[:50]), definite(0x04, ENTITY[50:]))),
        id="in-pieces",
    ),
]


def message(der):
    head = b"From: al@maville.be\nContent-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
    return parse(head + encodebytes(der))


@pytest.mark.parametrize("der", WRAPPED)
def test_content(der):
    assert signed_content(der) == ENTITY
    found = message(der)
    assert found.text == "Bonjour"
    assert [attachment.filename for attachment in found.attachments] == ["x.eml"]
    assert [attached.message.subject for attached in attached_messages(found)] == ["inside"]
    assert not found.is_encrypted


def test_encrypted():
    found = message(signature(definite, definite(0x04, ENTITY), ENVELOPED))
    assert found.is_encrypted
    assert [attachment.filename for attachment in found.attachments] == ["smime.p7m"]


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80" * 5000,
        b"\x04\x00" * 100,
        b"\x30\xff" + b"\xff" * 200,
        b"\x1f\x00",
        b"text",
    ],
)
def test_nonsense(der):
    assert signed_content(der) is None


@pytest.mark.parametrize("der", WRAPPED)
def test_cut_off_anywhere(der):
    for length in range(0, len(der) - 2, 3):
        message(der[:length]).attachments  # noqa: B018
