"""The header of a copied answer: its MIME fields are kept, nothing that a stranger wrote becomes a field of ours."""

from datetime import datetime
from datetime import UTC
from email import message_from_bytes
from email import policy
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import copied_headers
from imio.mailbridge.message.composition.compose import MAX_REFERENCES
import pytest


DATE = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def header(head=b"", subject="Re: Votre permis", references=()):
    raw = copied_headers(
        head,
        message_id="<token@maville.test>",
        date=DATE,
        to=Address("", "al.bert@maville.test"),
        subject=subject,
        references=references,
    )
    assert raw.endswith(b"\r\n\r\n")
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return message_from_bytes(raw, policy=policy.default)


def test_form_is_kept_and_nothing_else():
    found = header(
        b"Received: from evil\nFrom: jeanne@citizen.test\nBcc: everybody@maville.test\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed;\n\tboundary="a b"\nContent-Transfer-Encoding: 8bit\nX-Loop: in@bridge.test'
    )
    assert found.get_boundary() == "a b"
    assert sorted(found.keys()) == [
        "Auto-Submitted",
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/plain\rBcc: x@x.test",
        b"Content-Type: text/plain; name=\xff\xfe",
        b"Content-Type: text/plain\n Bcc: x@x.test",
        b"Content-Type : text/plain",
        b"content-Type: text/plain; charset=\0",
        b"Content-" + b"x" * 5000 + b": y",
        b"\n".join([b"Content-Type: text/plain"] * 1000),
    ],
)
def test_hostile_form(head):
    found = header(head)
    assert "bcc" not in [name.lower() for name in found.keys()]  # noqa: SIM118 - names may repeat
    assert found["to"].addresses[0].addr_spec == "al.bert@maville.test"


def test_subject_beyond_ascii():
    assert header(subject="Ré: é =?utf-8?q?x?= \u202e")["subject"] == "Ré: é =?utf-8?q?x?= \u202e"


def test_references_end_in_what_is_followed_and_are_bounded():
    many = [f"<{number}@citizen.test>" for number in range(200)]
    found = header(references=[*many, "<a b@c>", "no id", "<x@y>\r\nBcc: z"])
    assert found["in-reply-to"] == "<199@citizen.test>"
    assert found["references"].split() == [many[0], *many[1 - MAX_REFERENCES :]]
    assert "in-reply-to" not in header()
