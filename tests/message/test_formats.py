"""What Outlook packs, and other forms of files in mail: opened, bounded, and never a way to stop the parser."""

from imio.mailbridge.message.classify import classify
from imio.mailbridge.message.classify import compile_agent_patterns
from imio.mailbridge.message.classify import Context
from imio.mailbridge.message.classify import Proof
from imio.mailbridge.message.outlook import msg_to_rfc5322
from imio.mailbridge.message.parse import parse
from imio.mailbridge.message.rtf import decompressed
from imio.mailbridge.message.rtf import text_of
from imio.mailbridge.message.tnef import read_tnef
from imio.mailbridge.message.tnef import SIGNATURE
from imio.mailbridge.message.unwrap import attached_messages
from io import BytesIO
from tests.message.compound_file import msg
import base64
import binascii
import compressed_rtf
import pytest
import random
import struct


CONTEXT = Context(agent_patterns=compile_agent_patterns([r".+@maville\.test"]), proof=Proof.GATEWAY)
IMESSAGE = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"


def attribute(level, name, data):
    return struct.pack("<BHHI", level, name, 6, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def properties(*values):
    octets = struct.pack("<I", len(values))
    for kind, name, value in values:
        octets += struct.pack("<HH", kind, name)
        if kind in (0x1E, 0x1F, 0x102, 0x0D):
            octets += struct.pack("<II", 1, len(value))
        octets += value + b"\0" * (-len(value) % 4)
    return octets


def wide(text):
    return text.encode("utf-16-le") + b"\0\0"


def tnef(*attributes):
    return SIGNATURE + b"\1\0" + attribute(1, 0x9007, struct.pack("<II", 1252, 0)) + b"".join(attributes)


def file(name, content, *more):
    return (
        attribute(2, 0x9002, b"\0" * 14)
        + attribute(2, 0x8010, name.encode("cp1252") + b"\0")
        + attribute(2, 0x800F, content)
        + (attribute(2, 0x9005, properties(*more)) if more else b"")
    )


RTF = rb"{\rtf1\ansi\deff0 Bonjour \b en gras\b0 .\par Suite}"
EMBEDDED = tnef(
    attribute(
        1,
        0x9003,
        properties(
            (0x1F, 0x0037, wide("Demande embarquée")),
            (0x1F, 0x1000, wide("Texte du citoyen\r\n")),
            (0x1F, 0x0C1A, wide("Jeanne Dupont")),
            (0x1F, 0x0C1F, wide("/o=ExchangeLabs/ou=x/cn=jeanne")),
            (0x1F, 0x5D01, wide("jeanne.dupont@citizen.test")),
            (0x1F, 0x1035, wide("<embedded.1@citizen.test>")),
            (0x40, 0x0039, struct.pack("<Q", 134_000_000_000_000_000)),
        ),
    ),
    file("plan.pdf", b"%PDF"),
)
WINMAIL = tnef(
    attribute(1, 0x9003, properties((0x102, 0x1009, compressed_rtf.compress(RTF)))),
    file("devis.pdf", b"%PDF-devis"),
    file(
        "court.doc",
        b"doc",
        (0x1F, 0x3707, wide("Un très long nom é.doc")),
        (0x1F, 0x370E, wide("application/msword")),
    ),
)


def mail(content, name="winmail.dat", kind="application/ms-tnef", body="", sender="jeanne@citizen.test"):
    return (
        (
            f"From: {sender}\nTo: x@maville.test\nSubject: x\nMIME-Version: 1.0\n"
            f"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{body}\n"
            f'--b\nContent-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n\n'
        ).encode()
        + base64.encodebytes(content)
        + b"--b--\n"
    )


def test_winmail_dat_stands_for_its_files():
    message = parse(mail(WINMAIL))
    assert [(each.filename, each.content_type, each.content()) for each in message.attachments] == [
        ("devis.pdf", "application/pdf", b"%PDF-devis"),
        ("Un très long nom é.doc", "application/msword", b"doc"),
    ]


def test_text_of_winmail_dat_is_the_text_of_a_message_without():
    raw = (
        b"From: a@citizen.test\nContent-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(WINMAIL)
    )
    assert parse(raw).text.startswith("Bonjour")
    assert parse(mail(WINMAIL, body="Le vrai texte")).text.strip() == "Le vrai texte"


def test_message_embedded_in_winmail_dat_is_a_forward():
    raw = mail(
        tnef(
            attribute(2, 0x9002, b"\0" * 14),
            attribute(2, 0x9005, properties((0x0D, 0x3701, IMESSAGE + EMBEDDED))),
        ),
        sender="al@maville.test",
    )
    (attached,) = attached_messages(parse(raw))
    assert attached.form == "tnef"
    found = classify(parse(raw), CONTEXT)
    assert (found.transfer.value, found.reason) == ("forward", None)
    (original,) = found.messages
    assert original.author.addr_spec == "jeanne.dupont@citizen.test"
    assert (original.subject, original.message_id) == ("Demande embarquée", "<embedded.1@citizen.test>")
    assert original.date.year == 2025
    assert original.text.strip() == "Texte du citoyen"
    assert [each.content() for each in original.attachments] == [b"%PDF"]


def test_exchange_name_is_no_address():
    hidden = EMBEDDED.replace(wide("jeanne.dupont@citizen.test"), wide("jeanne.dupont citizen.test"))
    raw = mail(
        tnef(
            attribute(2, 0x9002, b"\0" * 14),
            attribute(2, 0x9005, properties((0x0D, 0x3701, IMESSAGE + hidden))),
        ),
        sender="al@maville.test",
    )
    (original,) = classify(parse(raw), CONTEXT).messages
    assert original.author is None


@pytest.mark.parametrize(
    "octets",
    [b"", b"x", SIGNATURE, SIGNATURE + b"\0" * 7, SIGNATURE + b"\xff" * 500, SIGNATURE + b"\0" * 100_000],
)
def test_damaged_tnef_stays_a_file(octets):
    message = parse(mail(octets))
    assert len(message.attachments) in (0, 1)
    assert message.text is not None


def test_counts_of_tnef_are_not_believed():
    hostile = tnef(attribute(1, 0x9003, struct.pack("<I", 0xFFFFFFFF) + b"\x02\0\x01\0" * 10))
    assert read_tnef(hostile) is not None
    assert read_tnef(tnef(attribute(1, 0x9003, struct.pack("<IHHI", 1, 0x1002, 5, 0xFFFFFFFF)))) is not None
    many = tnef(*[attribute(1, 0x8004, b"x")] * 200_000)
    assert read_tnef(many).subject == "x"


def test_nested_tnef_ends():
    inner = EMBEDDED
    for _ in range(40):
        inner = tnef(
            attribute(2, 0x9002, b"\0" * 14),
            attribute(2, 0x9005, properties((0x0D, 0x3701, IMESSAGE + inner))),
        )
    depth, found = 0, read_tnef(inner)
    while found is not None and found.files and found.files[0].message is not None:
        depth, found = depth + 1, found.files[0].message
    assert depth <= 6


def test_mutations_of_tnef_never_raise():
    chance = random.Random(1)
    whole = tnef(
        file("a", b"b"),
        attribute(2, 0x9002, b"\0" * 14),
        attribute(2, 0x9005, properties((0x0D, 0x3701, IMESSAGE + WINMAIL))),
    )
    for _ in range(3000):
        octets = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            octets[chance.randrange(4, len(octets))] = chance.randrange(256)
        if chance.random() < 0.3:
            del octets[chance.randrange(len(octets)) :]
        parse(mail(bytes(octets))).attachments  # noqa: B018
        read_tnef(bytes(octets))


# .msg

MSG = msg(
    {
        0x0037: "Demande en .msg é",
        0x1000: "Texte du citoyen\r\n",
        0x0C1A: "Jeanne Dupont",
        0x5D01: "jeanne.dupont@citizen.test",
        0x1035: "<msg.1@citizen.test>",
    },
    [("plan.pdf", "application/pdf", b"%PDF-msg" * 1000)],
)


def test_msg_is_read_as_a_message_and_kept_as_it_came():
    message = parse(MSG)
    assert message.media_type == "application/vnd.ms-outlook"
    assert (message.author.display_name, message.author.addr_spec) == (
        "Jeanne Dupont",
        "jeanne.dupont@citizen.test",
    )
    assert (message.subject, message.message_id) == ("Demande en .msg é", "<msg.1@citizen.test>")
    assert message.text.strip() == "Texte du citoyen"
    assert [(each.filename, each.content()) for each in message.attachments] == [
        ("plan.pdf", b"%PDF-msg" * 1000)
    ]
    kept = BytesIO()
    message.copy_to(kept)
    assert kept.getvalue() == MSG


def test_headers_of_the_transport_win():
    headers = "From: Real <real@citizen.test>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0100\r\nContent-Type: text/plain\r\n"
    message = parse(msg({0x007D: headers, 0x5D01: "other@citizen.test", 0x1000: "x"}, []))
    assert message.author.addr_spec == "real@citizen.test"
    assert message.date.isoformat() == "2026-11-16T09:00:00+01:00"


@pytest.mark.parametrize(
    ("name", "kind"), [("Demande.msg", "application/octet-stream"), ("x", "application/vnd.ms-outlook")]
)
def test_attached_msg_is_a_forward(name, kind):
    found = classify(parse(mail(MSG, name, kind, sender="al@maville.test")), CONTEXT)
    assert (found.transfer.value, found.reason) == ("forward", None)
    assert found.messages[0].author.addr_spec == "jeanne.dupont@citizen.test"
    assert found.evidence[1].saw == "outlook-msg"
    kept = BytesIO()
    found.messages[0].source.copy_to(kept)
    assert kept.getvalue() == MSG


def test_word_document_is_no_message():
    assert attached_messages(parse(mail(MSG[:8] + b"\0" * 600, "lettre.doc", "application/msword"))) == ()
    assert msg_to_rfc5322(MSG[:8] + b"\0" * 5000) is None
    assert parse(MSG[:8] + b"\0" * 5000).defect == "unreadable"


def test_mutations_of_msg_never_raise():
    chance = random.Random(2)
    for _ in range(300):
        octets = bytearray(MSG)
        for _ in range(chance.randint(1, 10)):
            octets[chance.randrange(8, len(octets))] = chance.randrange(256)
        msg_to_rfc5322(bytes(octets[: chance.randrange(8, len(octets))] if chance.random() < 0.3 else octets))


# RTF, uuencode, yEnc, calendars


def test_rtf_is_text():
    assert text_of(RTF).startswith("Bonjour")
    raw = b"From: a@citizen.test\nContent-Type: text/rtf\n\n" + RTF
    assert parse(raw).text.startswith("Bonjour")


@pytest.mark.parametrize(
    "octets",
    [b"", b"x" * 20, struct.pack("<IIII", 12, 0xFFFFFFF0, 0x75465A4C, 0), compressed_rtf.compress(RTF)[:30]],
)
def test_damaged_rtf_gives_nothing_or_a_part(octets):
    assert isinstance(decompressed(octets), bytes)
    assert isinstance(text_of(b"{\\rtf" + b"{" * 10_000), str)


def uuencoded(content):
    lines = [binascii.b2a_uu(content[start : start + 45]) for start in range(0, len(content), 45)]
    return b"begin 644 plan.bin\n" + b"".join(lines) + b"`\nend\n"


def test_uuencode_in_the_text_is_a_file():
    content = bytes(range(256)) * 3
    message = parse(b"From: a@citizen.test\n\nBonjour\n\n" + uuencoded(content) + b"\nFin\n")
    assert [(each.filename, each.content()) for each in message.attachments] == [("plan.bin", content)]
    assert message.text.split() == ["Bonjour", "Fin"]


@pytest.mark.parametrize(
    "text",
    [
        "begin 644 nothing\nend\n",
        "begin the day\nend\n",
        "=ybegin line=128 size=3 name=x\nabc\n=yend size=3\n",
    ],
)
def test_what_is_no_uuencode_stays_text(text):
    message = parse(f"From: a@citizen.test\n\n{text}".encode())
    assert message.attachments == ()
    assert message.text.strip() == text.strip()


CALENDAR = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T090000Z\r\n"
    "SUMMARY:Réunion\r\nLOCATION:Maison communale\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_invitation_is_kept_with_its_summary():
    raw = (
        "From: a@citizen.test\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n"
        f"--b\nContent-Type: text/calendar; charset=utf-8\n\n{CALENDAR}--b--\n"
    )
    message = parse(raw.encode())
    (invitation,) = message.invitations
    assert (invitation.summary, invitation.place, invitation.method) == (
        "Réunion",
        "Maison communale",
        "REQUEST",
    )
    assert invitation.start.isoformat() == "2026-12-01T09:00:00+00:00"
    assert [each.content_type for each in message.attachments] == ["text/calendar"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BEGIN:VCALENDAR",
        "BEGIN:" * 1000,
        CALENDAR.replace("20261201T090000Z", "yesterday"),
        "x" * 300_000,
    ],
)
def test_damaged_calendar_says_nothing_or_less(text):
    raw = f"From: a@citizen.test\nContent-Type: text/calendar\n\n{text}".encode()
    assert len(parse(raw).invitations) <= 1


def test_crafted_links_and_fonts_of_rtf_cost_no_time():
    """Where this is not guarded it does not end; the run as a whole is bounded."""
    links = b"{\\rtf1 " + b"{\\field{\\*\\fldinst{HYPERLINK " * 6_000
    fonts = b"{\\rtf1{\\fonttbl" + b"\\f1" * 100_000 + b"}x}"
    for octets in (links, links.replace(b"fldinst", b"FldInst"), fonts):
        assert isinstance(text_of(octets), str)


def test_msg_whose_streams_claim_more_than_there_is_is_not_opened():
    name = "__substg1.0_37010102".encode("utf-16-le").ljust(64, b"\0")
    entry = MSG.index(name)
    claimed = MSG[: entry + 120] + struct.pack("<Q", 40_000_000) + MSG[entry + 128 :]
    assert msg_to_rfc5322(MSG) is not None
    assert msg_to_rfc5322(claimed) is None
