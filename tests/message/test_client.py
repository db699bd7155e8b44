"""The program that wrote a message, and whether a program may answer it."""

from imio.mailbridge.message.classification.answerable import bulk_marks
from imio.mailbridge.message.classification.answerable import may_be_answered
from imio.mailbridge.message.classification.client import client_of
from imio.mailbridge.message.classification.client import CLIENTS
from imio.mailbridge.message.parsing.parse import parse
import pytest


SEEN = [
    ("k9", "User-Agent: K-9 Mail for Android"),
    ("thunderbird", "User-Agent: Mozilla Thunderbird"),
    ("thunderbird", "X-Mailer: Thunderbird 128"),
    ("roundcube", "User-Agent: Roundcube Webmail/1.6.9"),
    ("outlook-mac", "User-Agent: Microsoft-MacOutlook/16.80"),
    ("outlook-mobile", "X-Mailer: Outlook for iOS"),
    ("outlook", "X-Mailer: Microsoft Outlook 16.0"),
    ("apple-ios", "X-Mailer: iPhone Mail (22B83)"),
    ("apple", "X-Mailer: Apple Mail (2.3774.300.61)"),
    ("apple-ios", "Mime-Version: 1.0 (1.0)"),
    ("apple-ios", "Content-Type: multipart/mixed; boundary=Apple-Mail-6C1A2B3D-0E4F-4A5B-8C6D-7E8F9A0B1C2D"),
    ("apple", "Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.300.61.1.2\\))"),
    (
        "apple",
        'Content-Type: multipart/alternative;\n boundary="Apple-Mail=_1F2E3D4C-5B6A-4798-8695-A4B3C2D1E0F9"',
    ),
    ("samsung", "X-Mailer: SamsungEmail"),
    ("samsung", 'Content-Type: multipart/mixed; boundary="--_com.samsung.android.email_1763284321234560"'),
    ("samsung", "Message-ID: <x.1@email.android.com>"),
    ("zimbra", "X-Mailer: Zimbra 8.8.15_GA"),
    ("bluemind", "X-BM-Milter-Handled: 5698"),
    ("notes", "X-Mailer: HCL Notes Release 12.0.2"),
    ("yahoo", "X-Mailer: WebService/1.1.20 YMailNorrin"),
    ("gmail", "Message-ID: <CAxyz@mail.gmail.com>"),
    ("outlook-web", "Message-ID: <AM0PR05@AM0PR05MB4961.eurprd05.prod.outlook.com>"),
    ("outlook-web", "X-MS-Has-Attach: yes"),
    ("", "Mime-Version: 1.0"),
    ("", "X-Mailer: Something else"),
    ("", "Subject: Thunderbird"),
]


@pytest.mark.parametrize(("name", "line"), SEEN)
def test_client(name, line):
    assert client_of(parse(f"From: a@maville.be\n{line}\n\n".encode())) == name


WORD = '<html><head><meta name="Generator" content="Microsoft Word 15 (filtered medium)"></head><body><p>x</p></body></html>'
NEW = '<html><body><div class="elementToProof">x</div><div id="appendonsend"></div>{}</body></html>'
MOBILE = '<html><body><div id="ms-outlook-mobile-body-separator-line">x</div>{}</body></html>'


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("outlook", WORD),
        ("outlook", '<div class="WordSection1">x</div>'),
        ("outlook-web", NEW.format("")),
        ("outlook-web", NEW.format(WORD)),
        ("outlook-web", '<div id="appendonsend"></div>'),
        ("outlook-mobile", MOBILE.format(NEW.format(WORD))),
        ("outlook-web", "<p>x</p>"),
    ],
)
def test_which_outlook(name, html):
    head = "From: a@maville.be\nMessage-ID: <x@AM0PR05MB4961.eurprd05.prod.outlook.com>\nContent-Type: text/html\n\n"
    assert client_of(parse(f"{head}{html}".encode())) == name


def test_every_client_is_seen():
    assert {name for name, _header, _pattern in CLIENTS} == {name for name, _line in SEEN if name}


@pytest.mark.parametrize(
    "head", ["", "Auto-Submitted: no\n", "X-Auto-Response-Suppress: DR, RN\n", "Precedence: normal\n"]
)
def test_a_person_may_be_answered(head):
    assert may_be_answered(parse(f"From: a@maville.be\nSubject: x\n{head}\n".encode()))


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-generated\n",
        "Auto-Submitted: auto-replied; owner-email=x\n",
        "Precedence: list\n",
        "List-Id: <x.y>\n",
        "List-Unsubscribe: <mailto:x@y.test>\n",
        "Feedback-ID: 1:2\n",
        "X-Auto-Response-Suppress: OOF, AutoReply\n",
        "Return-Path: <>\n",
        "Content-Type: multipart/report; boundary=b\n",
    ],
)
def test_a_program_or_list_may_not(head):
    assert not may_be_answered(parse(f"From: a@maville.be\nSubject: x\n{head}\n".encode()))


@pytest.mark.parametrize(
    "author",
    ["no-reply@x.test", "noreply+1@x.test", "MAILER-DAEMON@x.test", "bounces-7@x.test", "postmaster@x.test"],
)
def test_an_address_that_nobody_reads_may_not(author):
    assert not may_be_answered(parse(f"From: {author}\nSubject: x\n\n".encode()))


def test_null_sender_and_no_author_may_not():
    assert not may_be_answered(parse(b"From: a@maville.be\n\n"), null_sender=True)
    assert not may_be_answered(parse(b"Subject: x\n\n"))
    assert bulk_marks(parse(b"From: a@b.test\nPrecedence: JUNK\n\n")) == (("precedence", "junk"),)
