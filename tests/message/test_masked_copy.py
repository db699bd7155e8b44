"""The copy of a file that leaves: no secret address in it, the rest byte for byte."""

from base64 import b64decode
from base64 import b64encode
from base64 import encodebytes
from imio.mailbridge.message.composition.masked_copy import masked_copy
from io import BytesIO
from tests.mails import citizen
import pytest
import re
import tracemalloc


SECRET = b"abcdefgh23jkmnpqrstuv"
MASK = b"x" * len(SECRET)
HEADER = b"""Return-Path: <info+caf_=in+%(s)s=bridge.test@gmail.test>
Delivered-To: in+%(s)s@bridge.test
X-Original-To: in+%(s)s@bridge.test
X-Forwarded-To: in+%(s)s@bridge.test
Received: by mx.bridge.test for <in+%(s)s@bridge.test>;
\tMon, 16 Nov 2026 23:30:00 +0100
ARC-Authentication-Results: i=1; mx.bridge.test; spf=pass smtp.rcpttodomain=bridge.test smtp.rcptto=in+%(s)s@bridge.test
Resent-To: Info
 <in+%(s)s@bridge.test>
"""
TEXT = b"From: jeanne.dupont@citizen.test\nSubject: Une demande\n"


def copy(raw):
    with masked_copy(lambda: BytesIO(raw)) as stream:
        return stream.read()


def message(secret, rest=b"\nBonjour\n"):
    return HEADER % {b"s": secret} + TEXT + rest


def in_base64(inner, content_type=b"message/rfc822", encode=encodebytes):
    return message(
        SECRET,
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nVoir en annexe.\n--b\nContent-Type: '
        + content_type
        + b"\nContent-Transfer-Encoding: base64\n\n"
        + encode(inner)
        + b"\n--b--\n",
    )


def decoded(raw):
    """Return the attached base64 of ``in_base64`` decoded."""
    body = re.search(rb"Transfer-Encoding: base64\n\n(.*)\n--b--", raw, re.DOTALL)[1]
    return b64decode(body)


def test_every_header_field():
    assert copy(message(SECRET)) == message(MASK)


def test_a_message_without_secret_is_the_same():
    raw = citizen().as_bytes()
    assert copy(raw) == raw
    assert copy(b"") == b""


def test_attached_as_it_is():
    outer = citizen()
    outer.add_attachment(citizen("Dedans", **{"Delivered-To": f"in+{SECRET.decode()}@bridge.test"}))
    raw = outer.as_bytes()
    assert raw.count(SECRET) == 1
    assert copy(raw) == raw.replace(SECRET, MASK)


@pytest.mark.parametrize("type", [b"message/rfc822", b"application/octet-stream", b"text/plain"])
@pytest.mark.parametrize(
    "encode", [encodebytes, b64encode, lambda raw: re.sub(rb"(.{61})", rb"\1\r\n", b64encode(raw))]
)
def test_attached_in_base64(type, encode):
    for padding in range(3):
        raw = in_base64(message(SECRET, b"\n" + b"." * padding), type, encode)
        left = copy(raw)
        assert len(left) == len(raw)
        assert decoded(left) == message(MASK, b"\n" + b"." * padding)
        assert left.replace(MASK, SECRET)[:400] == raw[:400]


def test_attached_in_base64_in_what_is_attached_in_base64():
    left = copy(in_base64(in_base64(in_base64(message(SECRET)))))
    inner = decoded(decoded(decoded(left)))
    assert inner == message(MASK)
    assert SECRET not in decoded(decoded(left))


def test_a_message_that_is_declared_but_not_encoded():
    raw = in_base64(message(SECRET), encode=bytes)
    assert copy(raw) == raw.replace(SECRET, MASK)


def test_a_line_broken_by_quoted_printable():
    raw = message(SECRET, b"\nin+abcdefgh23=\r\njkmnpqrstuv@bridge.test\n")
    assert copy(raw) == message(MASK, b"\nin+xxxxxxxxxx=\r\nxxxxxxxxxxx@bridge.test\n")


def test_outlook_writes_two_bytes_for_a_character():
    raw = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + message(SECRET).decode().encode("utf-16-le")
    assert copy(raw) == raw.replace(SECRET.decode().encode("utf-16-le"), MASK.decode().encode("utf-16-le"))


def test_too_complex_to_be_taken_apart():
    raw = message(SECRET, b"X-Many: in+%s@bridge.test\n" % SECRET * 2000 + b"\n")
    assert copy(raw) == raw.replace(SECRET, MASK)


def test_a_large_message_takes_little_memory():
    raw = in_base64(message(SECRET) + b"Une ligne de texte.\n" * 1_000_000)
    tracemalloc.start()
    with masked_copy(lambda: BytesIO(raw)) as stream:
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        left = stream.read()
    assert peak < 6_000_000 < 25_000_000 < len(raw)
    assert SECRET not in left
    assert SECRET not in decoded(left)
