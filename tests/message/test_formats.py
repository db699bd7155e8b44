"""Outlook's formats and other forms of files in mail are opened within bounds, and never stop the parser."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.outlook.msg_file import read_msg
from imio.mailbridge.message.outlook.rtf import decompressed
from imio.mailbridge.message.outlook.rtf import text_of
from imio.mailbridge.message.outlook.tnef import read_tnef
from imio.mailbridge.message.outlook.tnef import SIGNATURE
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.rendition.prepare import outline_and_html
from imio.mailbridge.message.syntax.limits import TooComplex
from io import BytesIO
from tests.message.compound_file import msg
from tests.message.outlook_message import MSG
import base64
import binascii
import compressed_rtf
import hashlib
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


def nested(depth):
    inner = EMBEDDED
    for _ in range(depth):
        inner = tnef(
            attribute(2, 0x9002, b"\0" * 14),
            attribute(2, 0x9005, properties((0x0D, 0x3701, IMESSAGE + inner))),
        )
    return inner


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(tnef(*[attribute(1, 0x8004, b"x")] * 200_000), id="attributes"),
        pytest.param(tnef(*[file("x", b"y")] * 1000), id="files"),
        pytest.param(nested(40), id="depth"),
        pytest.param(
            tnef(
                attribute(
                    1, 0x9003, properties((0x102, 0x1009, struct.pack("<II", 12, 1 << 30) + b"LZFu1234"))
                )
            ),
            id="rtf that says 1 GB",
        ),
        pytest.param(
            tnef(
                attribute(
                    1,
                    0x9003,
                    properties((0x102, 0x1009, struct.pack("<II", 12, 12) + b"LZFu" + b"x" * 3_000_000)),
                )
            ),
            id="rtf that becomes 25 MB",
        ),
    ],
)
def test_too_much_in_winmail_dat_is_too_complex(octets):
    message = parse(mail(octets))
    assert (message.defect, message.author.addr_spec) == ("too-complex", "jeanne@citizen.test")
    assert classify(message, CONTEXT).reason == "too-complex"


def test_messages_inside_each_other_stay_attached():
    message = parse(mail(nested(3)))
    assert message.defect is None
    for _ in range(2):
        (message,) = [each.message for each in attached_messages(message)]
    assert [each.filename for each in message.attachments] == ["Demande embarquée.eml"]


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


# .msg


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
    assert read_msg(MSG[:8] + b"\0" * 5000) is None
    assert parse(MSG[:8] + b"\0" * 5000).defect == "unreadable"


def test_mutations_of_msg_never_raise():
    chance = random.Random(2)
    for _ in range(300):
        octets = bytearray(MSG)
        for _ in range(chance.randint(1, 10)):
            octets[chance.randrange(8, len(octets))] = chance.randrange(256)
        cut = chance.randrange(8, len(octets)) if chance.random() < 0.3 else len(octets)
        parse(bytes(octets[:cut])).attachments  # noqa: B018


def test_author_of_msg_is_not_who_sent_it_for_the_author():
    boss = {0x0042: "Boss", 0x0065: "/o=ExchangeLabs/cn=boss", 0x5D02: "boss@maville.test"}
    clerk = {0x0C1A: "Clerk", 0x0C1F: "/o=ExchangeLabs/cn=clerk", 0x5D01: "clerk@maville.test"}
    assert parse(msg(boss | clerk)).author.addr_spec == "boss@maville.test"
    assert parse(msg(clerk)).author.addr_spec == "clerk@maville.test"
    hidden = {name: value for name, value in boss.items() if name != 0x5D02}
    assert parse(msg(hidden | clerk)).author is None
    assert parse(msg(hidden)).header("from") == "Boss"


def test_name_in_msg_is_no_second_address():
    message = parse(msg({0x0C1A: 'x" <boss@maville.test>, "\r\nBcc: y', 0x5D01: "jeanne@citizen.test"}))
    assert [each.addr_spec for each in message.authors] == ["jeanne@citizen.test"]
    assert message.header("bcc") is None


@pytest.mark.parametrize(
    "more", [">, <boss@maville.test", ", boss@maville.test", "\r\nFrom: boss@maville.test"]
)
def test_address_in_msg_is_one_address(more):
    message = parse(msg({0x0C1A: "Jeanne", 0x5D01: f"jeanne@citizen.test{more}"}))
    assert len(message.authors) == 1
    assert message.headers("from") == (str(message.author),)


def test_recipients_and_times_of_msg():
    message = parse(
        msg(
            {0x5D01: "jeanne@citizen.test", 0x1042: "<before@maville.test>"},
            recipients=[
                (1, {0x3001: "Ville", 0x39FE: "info@maville.test"}),
                (1, {0x3001: "Interne", 0x3003: "/o=ExchangeLabs/cn=x"}),
                (2, {0x3001: "Ami", 0x3003: "ami@citizen.test"}),
                (3, {0x3003: "secret@citizen.test"}),
            ],
            numbers={0x0E06: 134_000_000_000_000_000},
        )
    )
    assert [each.addr_spec for each in message.to] == ["info@maville.test"]
    assert [each.addr_spec for each in message.cc] == ["ami@citizen.test"]
    assert b"secret" not in message.raw
    assert message.date.isoformat() == "2025-08-18T14:13:20+00:00"
    assert message.in_reply_to == ("<before@maville.test>",)


def test_msg_of_old_outlook_in_a_code_page():
    message = parse(
        msg(
            {
                0x0037: "Łódź".encode("cp1250"),
                0x1000: "Łódź".encode("cp1250"),
                0x5D01: b"a@citizen.test",
            },
            numbers={0x3FFD: 1250},
        )
    )
    assert (message.subject, message.text.strip()) == (
        "Łódź",
        "Łódź",
    )


def test_msg_with_html_and_its_image():
    html = "<p>Voilà <img src='cid:logo@x'></p>"
    message = parse(
        msg(
            {0x5D01: "a@citizen.test"},
            [("logo.png", "image/png", b"\x89PNG", "logo@x"), ("plan.pdf", "application/pdf", b"%PDF")],
            binaries={0x1013: html.encode("cp1252")},
            numbers={0x3FDE: 1252},
        )
    )
    assert (message.text, message.html.strip()) == (None, html)
    assert [each.filename for each in message.inline_images] == ["logo.png"]
    assert [each.filename for each in message.attachments] == ["plan.pdf"]


def test_large_msg_is_opened():
    """Above 7 MB the allocation table does not fit the header."""
    content = random.Random(7).randbytes(20_000_000)
    message = parse(msg({0x5D01: "a@citizen.test"}, [("film.mp4", "video/mp4", content)]))
    assert [each.sha256 for each in message.attachments] == [hashlib.sha256(content).hexdigest()]


def test_msg_with_rtf_only():
    message = parse(msg({0x5D01: "a@citizen.test"}, binaries={0x1009: compressed_rtf.compress(RTF)}))
    assert message.text.startswith("Bonjour")


def test_message_embedded_in_msg_is_attached_to_it():
    inner = (
        {0x0037: "Dedans", 0x5D01: "b@citizen.test", 0x1000: "texte"},
        [("x.pdf", "application/pdf", b"%PDF")],
    )
    message = parse(msg({0x0037: "Dehors", 0x5D01: "a@citizen.test"}, embedded=[inner]))
    assert [each.filename for each in message.attachments] == ["Dedans.eml"]
    (attached,) = attached_messages(message)
    assert (attached.message.author.addr_spec, attached.message.text.strip()) == ("b@citizen.test", "texte")
    assert [each.content() for each in attached.message.attachments] == [b"%PDF"]


def test_signed_msg_is_opened():
    signed = (
        b"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nBonjour\r\n--s\r\n"
        b"Content-Type: application/pkcs7-signature\r\n\r\nx\r\n--s--\r\n"
    )
    texts = {0x001A: "IPM.Note.SMIME.MultipartSigned", 0x5D01: "a@citizen.test"}
    message = parse(msg(texts, [("smime.p7m", "multipart/signed", signed)]))
    assert (message.text, message.attachments) == ("Bonjour", ())


def test_encrypted_msg_is_known_as_such():
    der = bytes.fromhex("308006092a864886f70d010703a0803080") + b"x" * 100
    message = parse(msg({0x001A: "IPM.Note.SMIME", 0x5D01: "a@citizen.test"}, [("smime.p7m", "", der)]))
    assert message.is_encrypted


def test_contact_of_outlook_is_no_message():
    raw = mail(msg({0x001A: "IPM.Contact", 0x0037: "Jeanne"}), "Jeanne.msg", "application/octet-stream")
    assert attached_messages(parse(raw)) == ()
    assert [each.filename for each in parse(raw).attachments] == ["Jeanne.msg"]


def test_headers_of_an_old_transport_have_a_title():
    headers = "Microsoft Mail Internet Headers Version 2.0\r\nFrom: a@citizen.test\r\nSubject: =?utf-8?Q?=C3=A9?=\r\n x\r\n"
    message = parse(msg({0x007D: headers, 0x1000: "x"}))
    assert (message.author.addr_spec, message.subject) == ("a@citizen.test", "é x")


def deep(depth):
    arguments = ({0x0037: "x"},)
    for _ in range(depth):
        arguments = ({0x0037: "x"}, (), (), [arguments])
    return msg(*arguments)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(msg({0x5D01: "a@citizen.test"}, [(f"{n}", "", b"x") for n in range(501)]), id="files"),
        pytest.param(deep(8), id="depth"),
        pytest.param(
            msg({0x007D: "".join(f"X-{n}: y\r\n" for n in range(5000)), 0x5D01: "a@citizen.test"}),
            id="headers",
        ),
        pytest.param(
            msg({0x5D01: "a@x.test"}, binaries={0x1009: struct.pack("<II", 12, 1 << 30) + b"LZFu1234"}),
            id="rtf",
        ),
    ],
)
def test_too_much_in_a_msg_is_too_complex(octets):
    message = parse(octets)
    assert message.defect == "too-complex"
    found = classify(parse(mail(octets, "x.msg", sender="al@maville.test")), CONTEXT)
    assert (found.transfer.value, found.reason) == ("forward", "too-complex")


def test_streams_of_a_msg_that_share_sectors_are_counted():
    octets = bytearray(msg({0x5D01: "a@x.test"}, [(f"{n}", "", bytes([n]) * 5000) for n in range(100)]))
    name = "__substg1.0_37010102".encode("utf-16-le")
    first = octets.find(name)
    position, size = first, len(octets)
    while position >= 0:
        octets[position + 116 : position + 124] = struct.pack("<II", 0, 300_000)
        position = octets.find(name, position + 128)
    for table in range(0, len(octets), 512):  # every chain leads to the next sector
        if octets[table : table + 4] == b"\1\0\0\0":
            octets[table : table + 512] = b"".join(struct.pack("<I", (n + 1) % 128) for n in range(128))
    assert size < 1_500_000
    with pytest.raises(TooComplex):
        read_msg(bytes(octets))


@pytest.mark.parametrize(
    ("offset", "value"), [(44, 0x7FFFFFFF), (64, 0x7FFFFFFF), (30, 0x00060020), (30, 0x00200009)]
)
def test_counts_of_msg_are_not_believed(offset, value):
    octets = bytearray(MSG)
    octets[offset : offset + 4] = struct.pack("<I", value)
    assert parse(bytes(octets)).defect == "unreadable"


# RTF, uuencode, yEnc, calendars


def test_rtf_is_text():
    assert text_of(RTF).startswith("Bonjour")


@pytest.mark.parametrize("kind", ["text/rtf", "application/rtf", "text/plain"])
def test_rtf_alone_gives_text(kind):
    raw = f"From: a@citizen.test\nContent-Type: {kind}\n\n".encode() + RTF
    assert parse(raw).text.startswith("Bonjour")


def test_rtf_that_is_read_is_kept_as_a_file():
    raw = b"From: a@citizen.test\nContent-Type: application/rtf; name=lettre.rtf\n\n" + RTF
    assert [(each.filename, each.content()) for each in parse(raw).attachments] == [("lettre.rtf", RTF)]


def test_rtf_beside_a_text_is_a_file_only():
    message = parse(mail(RTF, "lettre.rtf", "application/rtf", body="Voir la lettre"))
    assert message.text.strip() == "Voir la lettre"


@pytest.mark.parametrize("octets", [b"", b"\0" * 20, compressed_rtf.compress(RTF)[:30]])
def test_damaged_compressed_rtf_gives_nothing(octets):
    assert decompressed(octets) == b""


@pytest.mark.parametrize(
    "unit",
    [b"{", b"}", b"{}", b"\\par ", b"\\'e9", b"{\\pict", b"{\\fonttbl\\f1\\fcharset", b'{\\field{\\*\\fldinst{HYPERLINK "',
     b'{\\field{\\*\\fldinst{HYPERLINK "x"}}{\\fldrslt{'],
)  # fmt: skip
def test_no_rtf_takes_long(unit):
    assert isinstance(text_of(b"{\\rtf1 " + unit * (500_000 // len(unit))), str)


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
    (invitation,) = outline_and_html(message)[0].invitations
    assert (invitation.summary, invitation.place, invitation.method) == (
        "Réunion",
        "Maison communale",
        "REQUEST",
    )
    assert invitation.start.isoformat() == "2026-12-01T09:00:00+00:00"
    assert [each.content_type for each in message.attachments] == ["text/calendar"]


def test_calendar_file_is_read_once_beside_the_same_part():
    raw = (
        "From: a@citizen.test\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: text/calendar; charset=utf-8\n\n{CALENDAR}"
        f"--b\nContent-Type: application/octet-stream; name=invite.ics\n\n{CALENDAR}--b--\n"
    )
    assert [each.summary for each in outline_and_html(parse(raw.encode()))[0].invitations] == ["Réunion"]


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
    assert len(outline_and_html(parse(raw))[0].invitations) <= 1


def test_crafted_links_and_fonts_of_rtf_cost_no_time():
    """Without the guards this would take hours."""
    links = b"{\\rtf1 " + b"{\\field{\\*\\fldinst{HYPERLINK " * 6_000
    fonts = b"{\\rtf1{\\fonttbl" + b"\\f1" * 100_000 + b"}x}"
    for octets in (links, links.replace(b"fldinst", b"FldInst"), fonts):
        assert isinstance(text_of(octets), str)


def test_msg_whose_streams_claim_more_than_there_is_is_not_opened():
    name = "__substg1.0_37010102".encode("utf-16-le").ljust(64, b"\0")
    entry = MSG.index(name)
    claimed = MSG[: entry + 120] + struct.pack("<Q", 40_000_000) + MSG[entry + 128 :]
    assert read_msg(MSG) is not None
    with pytest.raises(TooComplex):
        read_msg(claimed)
    assert parse(claimed).defect == "too-complex"


@pytest.mark.parametrize(
    ("summary", "name"),
    [
        (
            "SUMMARY;LANGUAGE=fr:R\u00e9union\\, salle\\n des\r\n  f\u00eates",
            "R\u00e9union, salle des f\u00eates.ics",
        ),
        ("SUMMARY:../../etc/passwd", "passwd.ics"),
        ("SUMMARY:", "attachment.ics"),
        ("DESCRIPTION:SUMMARY:x", "attachment.ics"),
    ],
)
def test_appointment_without_a_name_is_named_after_what_it_is_about(summary, name):
    text = f"From: a@citizen.test\r\nContent-Type: text/calendar; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n{summary}\r\n"
    (found,) = parse(text.encode()).attachments
    assert found.filename == name
