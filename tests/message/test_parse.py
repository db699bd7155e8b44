"""Messages are read alike, however they are written."""

from base64 import b64encode
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import UTC
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.outlook.msg_file import MAGIC as OLE
from imio.mailbridge.message.parsing import disposition
from imio.mailbridge.message.parsing.parse import parse
import io
import pytest


CET = timezone(timedelta(hours=1))


def header(line, name):
    return parse(line.encode("latin-1") + b"\nTo: x@example.org\n\n").header(name)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Subject: plain", "plain"),
        ("Subject: =?utf-8?Q?caf=C3=A9?=", "café"),
        ("Subject: =?UTF-8?B?w6k=?= =?UTF-8?B?w6g=?=", "éè"),
        ("Subject: =?utf-8?Q?a=C3?=\n =?utf-8?Q?=A9b?=", "aéb"),
        ("Subject: =?utf-8?B?w?= =?utf-8?B?6k=?=", "é"),
        ("Subject: =?iso-8859-1?Q?=80uro?=", "€uro"),
        ("Subject: =?utf-8*fr?Q?=C3=A9?=", "é"),
        ("Subject: =?martian?Q?=E9t=E9?=", "été"),
        ("Subject: =?utf-8?Q?a b c?= d", "a b c d"),
        ("Subject: =?utf-8?Q?broken", "=?utf-8?Q?broken"),
        ("Subject: (=?utf-8?Q?=C3=A9?=)", "(é)"),
        ("Subject: a =?utf-8?Q?=C3=A9?= b", "a é b"),
        ("Subject: \xe9t\xe9", "été"),
        ("Subject: \xc3\xa9t\xc3\xa9", "été"),
        ("Subject: one\n two\n\tthree", "one two three"),
        ("Subject: nul\x00 here", "nul  here"),
        ("Subject: =?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        ("Subject: =?utf-8?Q?txt=E2=80=AEexe?=", "txtexe"),
        ("Subject:", ""),
        ("SUBJECT : odd", "odd"),
        ("Subject: =?punycode?Q?abc?=", "abc"),
        ("Subject: first\nSubject: second", "first"),
        ("X: y", None),
    ],
)
def test_subject(line, expected):
    assert header(line, "subject") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@example.org", [Address("", "a@example.org")]),
        ("A B <a@example.org>", [Address("A B", "a@example.org")]),
        ('"Dupont, Jean" <A@Example.org>', [Address("Dupont, Jean", "A@Example.org")]),
        ('"A \\"B\\"" <a@example.org>', [Address('A "B"', "a@example.org")]),
        ("a@example.org (Jean (de) D.)", [Address("Jean (de) D.", "a@example.org")]),
        ("=?utf-8?Q?Dupont=2C_J=C3=A9?= <a@example.org>", [Address("Dupont, Jé", "a@example.org")]),
        ('"=?utf-8?Q?J=C3=A9?=" <a@example.org>', [Address("Jé", "a@example.org")]),
        ("=?utf-8?Q?J=C3=A9_<a@example.org>?=", [Address("Jé", "a@example.org")]),
        ('"boss@maville.be" <x@evil.test>', [Address("boss@maville.be", "x@evil.test")]),
        ("boss@maville.be <x@evil.test>", [Address("boss@maville.be", "x@evil.test")]),
        ("a@example.org, B <b@example.org>", [Address("", "a@example.org"), Address("B", "b@example.org")]),
        ("List: a@example.org, b@example.org;", [Address("", "a@example.org"), Address("", "b@example.org")]),
        ("undisclosed-recipients:;", []),
        ("<mailto:a@example.org>", [Address("", "a@example.org")]),
        ("<@relay.example.org:a@example.org>", [Address("", "a@example.org")]),
        ('"Unclosed <a@example.org>', [Address("Unclosed", "a@example.org")]),
        ("<<a@example.org>>", [Address("", "a@example.org")]),
        ("Jean a@example.org", [Address("Jean", "a@example.org")]),
        ("/o=ExchangeLabs/ou=Exchange/cn=Recipients/cn=jean", []),
        ("=?utf-8?Q?x=0D=0ATo:_y?= <a@example.org>", [Address("x To: y", "a@example.org")]),
        ("root@localhost", [Address("", "root@localhost")]),
        ("Dupont, Jean <a@example.org>", [Address("Dupont, Jean", "a@example.org")]),
        ("=?utf-8?Q?Dupont?=, =?utf-8?Q?J=C3=A9?= <a@example.org>", [Address("Dupont, Jé", "a@example.org")]),
        ("Dupont, Jean a@example.org", [Address("Dupont, Jean", "a@example.org")]),
        (
            "Dupont, Jean <a@example.org>, Petit, Lou <b@example.org>; c@example.org",
            [
                Address("Dupont, Jean", "a@example.org"),
                Address("Petit, Lou", "b@example.org"),
                Address("", "c@example.org"),
            ],
        ),
        (
            "=?utf-8?Q?J=C3=A9_=3Ca=40example.org=3E?=, B <b@example.org>",
            [Address("Jé", "a@example.org"), Address("B", "b@example.org")],
        ),
        ("root, a@example.org", [Address("", "a@example.org")]),
        ("Jean Dupont [a@example.org]", [Address("Jean Dupont", "a@example.org")]),
        ("Jean[a@example.org]", [Address("Jean", "a@example.org")]),
        ("Jean [mailto:a@example.org]", [Address("Jean", "a@example.org")]),
        ("[a@example.org]", [Address("", "a@example.org")]),
        ("a@example.org [Jean Dupont]", [Address("Jean Dupont", "a@example.org")]),
        ("a@[192.0.2.1]", [Address("", "a@[192.0.2.1]")]),
        ("", []),
    ],
)
def test_addresses(value, expected):
    assert list(parse(f"From: {value}\nSubject: x\n\n".encode()).authors) == expected


def test_the_first_author_field_with_an_address_counts():
    message = parse(b"From: \nFrom: a@example.org\nFrom: b@example.org\n\n")
    assert message.author == Address("", "a@example.org")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Mon, 5 Jan 2026 10:11:12 +0100", datetime(2026, 1, 5, 10, 11, 12, tzinfo=CET)),
        ("5 Jan 26 10:11 +0100 (CET)", datetime(2026, 1, 5, 10, 11, tzinfo=CET)),
        ("Mon, 5 Jan 2026 10:11:12 -0000", datetime(2026, 1, 5, 10, 11, 12, tzinfo=UTC)),
        ("Mon, 5 Jan 2026 10:11:12", datetime(2026, 1, 5, 10, 11, 12, tzinfo=CET)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None),
        ("Mon, 45 Foo 2026 99:99 +0100", None),
        ("Mon, 5 Jan 9999 10:11:12 +0100", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("Mon, 5 Jan 2026 10:11:12 +9999", None),
        ("lundi", None),
        ("", None),
    ],
)
def test_date(value, expected):
    assert parse(f"From: a@example.org\nDate: {value}\n\n".encode()).date == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b>", "<a@b>"),
        ("\n <a@b>", "<a@b>"),
        ("<[5f0c]@microsoft.com>", "<[5f0c]@microsoft.com>"),
        ("a@b", "<a@b>"),
        ("<a@b> (comment)", "<a@b>"),
        ("x <a@b>", "<a@b>"),
        ("nothing", None),
        ("", None),
    ],
)
def test_message_id(value, expected):
    assert parse(f"From: a@example.org\nMessage-ID: {value}\n\n".encode()).message_id == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Subject: x\nMESSAGE-id:\n <a@b>\n\nBody", "<a@b>"),
        (b"X-Message-ID: <no@b>\r\n\r\nMessage-ID: <body@b>\r\n", None),
        (b"Message-ID: \xff<a@b>\r\n\r\n", "<a@b>"),
        (b"", None),
        (b"Message-ID: <" + b"x" * 300_000, None),
    ],
)
def test_message_id_is_read_from_the_header_alone(raw, expected):
    assert parse(raw).message_id == expected


def body(content_type, content, encoding="8bit"):
    head = f"From: a@example.org\nContent-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n"
    return parse(head.encode() + content)


@pytest.mark.parametrize(
    ("content_type", "encoding", "content", "expected"),
    [
        ("text/plain; charset=utf-8", "8bit", "été".encode(), "été"),
        ("text/plain; charset=us-ascii", "8bit", "été".encode(), "été"),
        ("text/plain; charset=utf-8", "8bit", "été".encode("latin-1"), "été"),
        ("text/plain; charset=iso-8859-1", "8bit", "5 €".encode("cp1252"), "5 €"),
        ("text/plain; charset=x-martian", "8bit", "été".encode("cp1252"), "été"),
        ("text/plain; charset=hex", "8bit", b"plain", "plain"),
        ("text/plain; charset=utf-16", "base64", b64encode("été".encode("utf-16")), "été"),
        ('text/plain; charset="utf-8"', "QUOTED-Printable (x)", b"=C3=A9t=C3=\n=A9", "été"),
        ("text/plain", ' "base64" ', b64encode("été".encode()), "été"),
        ("text/plain", "base64", b64encode("été!".encode()).rstrip(b"="), "été!"),
        ("text/plain", "base64", b64encode("été!!!".encode()) + b"\nScan : rien.\nMerci\n", "été!!!"),
        ("text/plain", "base64", b"w6l0 w6kh\nISEh", "été!!!!"),
        ("text/plain", "base64", b"w6l0\n! !\n" + b64encode(b"x" * 30), "ét" + "x" * 30),
        ("text/plain", "base64", b"w6l0\x00\nw6k=\n_____________\nlist footer", "été"),
        ("text/plain", "x-unknown", b"as it is", "as it is"),
        ("text", "7bit", b"x\r\ny\rz\x00\x07", "x\ny\nz"),
        ("multipart/mixed; boundary=none", "7bit", b"no part", "no part"),
        ("multipart/mixed", "7bit", b"--x\n\nno boundary", "--x\n\nno boundary"),
    ],
)
def test_text(content_type, encoding, content, expected):
    assert body(content_type, content, encoding).text == expected


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=a b.pdf; size=3", "a b.pdf"),
        ("attachment; filename*=utf-8''%C3%A9t%C3%A9.pdf", "été.pdf"),
        ("attachment; filename*=iso-8859-1'fr'%E9t%E9.pdf; filename=ete.pdf", "été.pdf"),
        ('attachment; filename*0="a"; filename*1="b.pdf"', "ab.pdf"),
        ("attachment; filename*1*=%A9.pdf; filename*0*=utf-8''%C3", "é.pdf"),
        ('attachment; filename="=?utf-8?Q?=C3=A9t=C3=A9=2Epdf?="', "été.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd.pdf"),
        ('attachment; filename="C:\\\\Temp\\\\x.pdf"', "x.pdf"),
        ('attachment; filename="c:x.pdf"', "x.pdf"),
        ("attachment; filename*=utf-8''..%2F..%2Fx.pdf", "x.pdf"),
        ('attachment; filename=".."', "attachment.pdf"),
        ('attachment; filename="/"', "attachment.pdf"),
        ('attachment; filename="   "', "attachment.pdf"),
        ("attachment", "attachment.pdf"),
        ('attachment; filename="a\x00\x1fb.pdf"', "a b.pdf"),
        ("attachment; filename*=utf-8''a%0D%0Ab.pdf", "a b.pdf"),
        ("attachment; filename*=utf-8''a%E2%80%AEfdp.exe", "afdp.exe"),
        ("attachment; filename*=martian''a%E9.pdf", "aé.pdf"),
        (f'attachment; filename="{"x" * 400}.pdf"', "x" * 146 + ".pdf"),
        ("attachment; filename*=utf-8''e%CC%81te%CC%81.pdf", "été.pdf"),
        ("attachment; filename=a;b.pdf", "a;b.pdf"),
        ("attachment filename=a.pdf", "a.pdf"),
        ('attachment, filename="a.pdf", size=3', "a.pdf"),
        ('attachment; filename="Facture 12"', "Facture 12.pdf"),
        ('attachment; filename="Plan v1.2"', "Plan v1.2.pdf"),
        ('attachment; filename="Lettre de M. Dupont"', "Lettre de M. Dupont.pdf"),
        ('attachment; filename="Re: devis?"', "Re devis.pdf"),
        ('attachment; filename="a<b>|c*.pdf"', "a b c.pdf"),
        ('attachment; filename="plan.dwg"', "plan.dwg"),
        ('attachment; filename="%C3%A9t%C3%A9 100%25.pdf"', "été 100%25.pdf"),
        ('attachment; filename="a%E2%80%AEfdp.exe"', "afdp.exe"),
        ('attachment; filename="%C0%AFx.pdf"', "%C0%AFx.pdf"),
        ("attachment; filename='../plan.pdf'", "plan.pdf"),
        ('attachment; filename=".pdf"', "attachment.pdf"),
    ],
)
def test_filename(disposition, expected):
    message = parse(
        f"From: a@example.org\nContent-Type: application/pdf\nContent-Disposition: {disposition}\n\nx".encode()
    )
    assert [attachment.filename for attachment in message.attachments] == [expected]


@pytest.mark.parametrize(
    ("filename", "name", "expected"),
    [
        ("rapport.p", "rapport.pdf", "rapport.pdf"),
        ("rapport.pdf", "rapport.p", "rapport.pdf"),
        ("rapport", "autre.pdf", "rapport.pdf"),
        ("", "rapport.pdf", "rapport.pdf"),
    ],
)
def test_name_that_continues_the_other(filename, name, expected):
    head = f'Content-Type: application/pdf; name="{name}"\nContent-Disposition: attachment; filename="{filename}"\n'
    (file,) = parse(f"From: a@example.org\n{head}\nx".encode()).attachments
    assert file.filename == expected


@pytest.mark.parametrize(
    ("content_type", "content", "expected"),
    [
        ("image/jpg", b"x", "attachment.jpg"),
        ("text/rtf", b"x", "attachment.rtf"),
        ("image/heif", b"x", "attachment.heif"),
        ("text/vcard", b"x", "attachment.vcf"),
        ("application/x-pdf", b"x", "attachment.pdf"),
        ("application/vnd.ms-outlook", b"x", "attachment.msg"),
        ("application/octet-stream", b"%PDF-1.4", "attachment.pdf"),
        ("application/octet-stream", b"\x89PNG\r\n\x1a\n", "attachment.png"),
        ("application/octet-stream", b"\xff\xd8\xff\xe0", "attachment.jpg"),
        ("application/octet-stream", b"\0\0\0\x18ftypheic", "attachment.heic"),
        ("application/octet-stream", b"{\\rtf1", "attachment.rtf"),
        ("application/octet-stream", b"PK\x03\x04\0\0word/document.xml", "attachment.docx"),
        ("application/octet-stream", b"PK\x03\x04\0\0xl/workbook.xml", "attachment.xlsx"),
        (
            "application/octet-stream",
            b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text",
            "attachment.odt",
        ),
        ("application/octet-stream", b"PK\x03\x04\0\0photo", "attachment.zip"),
        ("application/octet-stream", OLE + "__nameid_version1.0".encode("utf-16-le"), "attachment.msg"),
        ("application/octet-stream", b"From: a@b.c\nSubject: x\n\ny", "attachment.eml"),
        ("application/octet-stream", b"nothing known", "attachment"),
        ("application/x-foo", b"%PDF-1.4", "attachment.pdf"),
    ],
)
def test_extension_by_type_and_content(content_type, content, expected):
    head = (
        f"Content-Type: {content_type}\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n"
    )
    (file,) = parse(f"From: a@example.org\n{head}\n".encode() + b64encode(content)).attachments
    assert (file.filename, file.content_type) == (expected, content_type)


@pytest.mark.parametrize(
    ("value", "content_type", "charset"),
    [
        ("text/plain charset=utf-8", "text/plain", "utf-8"),
        ("text/plain, charset=utf-8, format=flowed", "text/plain", "utf-8"),
        ('text/plain; charset="utf-8" format=flowed', "text/plain", "utf-8"),
        ('"text/plain"; charset=utf-8', "text/plain", "utf-8"),
        ("text/plain foo; charset=utf-8", "text/plain", "utf-8"),
        ("text/*; charset=utf-8", "text/plain", "utf-8"),
        ("multipart/*; charset=utf-8", "multipart/mixed", "utf-8"),
        ("multipart; charset=utf-8", "multipart/mixed", "utf-8"),
        ("image/*", "application/octet-stream", ""),
        ('text/plain; name="x charset=y"; charset=utf-8', "text/plain", "utf-8"),
    ],
)
def test_content_type(value, content_type, charset):
    root = parse(f"From: a@example.org\nContent-Type: {value}\n\nx".encode()).root
    assert (root.content_type, root.parameter("charset")) == (content_type, charset)


REST = "To: b@example.org\nSubject: x\n\nBody"


@pytest.mark.parametrize(
    ("head", "author", "subject", "text"),
    [
        (f"Received: from y\nby z; date\nFrom: a@b.c\n{REST}", "a@b.c", "x", "Body"),
        (f" From: a@b.c\n{REST}", "a@b.c", "x", "Body"),
        (f"\tFrom: a@b.c\n{REST}", "a@b.c", "x", "Body"),
        (f"Exported mail:\nFrom: a@b.c\n{REST}", "a@b.c", "x", "Body"),
        (f"=====\nExported\n=====\nFrom: a@b.c\n{REST}", "a@b.c", "x", "Body"),
        ("From: a@b.c\nSubject: one\ntwo\nTo: b@c.d\n\nBody", "a@b.c", "one two", "Body"),
        ("From: a@b.c\nSubject: one\nX Spam: yes\nTo: b@c.d\n\nBody", "a@b.c", "one", "Body"),
        ("From: a@b.c\nSubject: x\nHello\nFrom: d@e.f\nSubject: y\n\nBody", "a@b.c", "x", "Hello\nFrom: d@e.f\nSubject: y\n\nBody"),
        ("From: a@b.c\nSubject: x\nHello\n\nTo: b@c.d", "a@b.c", "x", "Hello\n\nTo: b@c.d"),
        ("From: a@b.c\nSubject: x\nHello\nNote: y\nTo: b@c.d", "a@b.c", "x", "Hello\nNote: y\nTo: b@c.d"),
        (
            "From: a@b.c\nContent-Type: multipart/mixed; boundary=b\nSubject: x\nThis is a multi-part message\n--b\n"
            "Content-Type: text/plain\n\nBody\n--b--\n",
            "a@b.c", "x", "Body",
        ),
    ],
)  # fmt: skip
def test_line_in_the_header_that_is_no_field(head, author, subject, text):
    message = parse(head.encode())
    assert (message.author.addr_spec, message.subject, message.text) == (author, subject, text)


def test_nothing_below_a_damaged_line_marks_or_proves():
    below = "Resent-From: c@d.e\nAuthentication-Results: town.test; dmarc=pass\nX-Forwarded-To: in@bridge.test\nTo: b@c.d\n"
    message = parse(f"From: a@b.c\nhello\nSubject: x\n{below}\nBody".encode())
    assert message.subject == "x"
    assert [field.name for field in message.root.fields] == ["from", "subject", "to"]


def test_text_of_a_part_that_has_no_header_stays_text():
    raw = (
        b"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n--b\nDear all,\nSubject: a hole\n--b--\n"
    )
    assert parse(raw).text == "Dear all,\nSubject: a hole"


@pytest.mark.parametrize("delimiter", ["--b", "--'b'"])
def test_boundary_in_single_quotes(delimiter):
    head = b"From: a@b.test\nContent-Type: multipart/mixed; boundary='b'\n\n"
    message = parse(head + f"{delimiter}\n\ntext\n{delimiter}--\n".encode())
    assert (message.text, message.is_truncated) == ("text", False)


def test_cr_alone_as_line_end():
    raw = b"From: a@b.c\rSubject: x\rContent-Type: multipart/mixed; boundary=b\r\r--b\r\rBody\r--b--\r"
    message = parse(raw)
    assert (message.author.addr_spec, message.subject, message.text) == ("a@b.c", "x", "Body")
    assert message.media_type == "message/rfc822"
    assert message.open().read() == raw


RELATED = b"""From: a@example.org
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html

<img src="cid:One%40x"><img src='logo.png'>
--r
Content-Type: image/png; name=one.png
Content-ID: <one@x>

1
--r
Content-Type: application/octet-stream; name=two.png
Content-Location: logo.png

GIF89a
--r
Content-Type: image/png; name=three.png
Content-ID: <three@x>

3
--r
Content-Type: application/pdf; name=four.pdf
Content-ID: <one@x>

4
--r--
"""


@pytest.mark.parametrize(
    ("encoding", "html", "inline"),
    [
        ("base64", "<img src=cid:1><img src=cid:2>", ["1.png", "2.png"]),
        ("8bit", "<img src=cid:1><img src=cid:2>", ["1.png"]),
        ("base64", "<img src=cid:1><img src=cid:1><img src=cid:2>", ["1.png"]),
    ],
)
def test_images_beyond_what_can_be_shown_are_attachments(monkeypatch, encoding, html, inline):
    monkeypatch.setattr(disposition, "MAX_IMAGES", 250)
    images = "".join(
        f"--r\nContent-Type: image/png; name={number}.png\nContent-ID: <{number}>\n"
        f"Content-Transfer-Encoding: {encoding}\n\n{'QUJD' * 25}\n"
        for number in (1, 2)
    )
    head = "From: a@b.test\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n"
    message = parse(f"{head}{html}\n{images}--r--\n".encode())
    assert [image.filename for image in message.inline_images] == inline
    assert {file.filename for file in message.attachments} == {"1.png", "2.png"} - set(inline)


def test_only_images_that_the_html_shows_are_inline():
    message = parse(RELATED)
    assert [image.filename for image in message.inline_images] == ["one.png", "two.png"]
    assert [attachment.filename for attachment in message.attachments] == ["three.png", "four.pdf"]
    assert [attachment.content() for attachment in message.attachments] == [b"3", b"4"]
    assert message.text is None


def test_invitation_beside_the_text_is_no_attachment_but_a_file_is():
    message = parse(
        b"From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n--m\n"
        b"Content-Type: multipart/alternative; boundary=a\n\n--a\n\ntext\n--a\nContent-Type: text/calendar\n\nX\n--a--\n"
        b"--m\nContent-Type: application/ics; name=invite.ics\n\nX\n--m--\n"
    )
    assert [attachment.filename for attachment in message.attachments] == ["invite.ics"]
    assert message.text == "text"


def test_uuencoded_attachment():
    content = b"begin 644 x.txt\n#0V%T\n`\nend\n"
    message = body("application/octet-stream; name=x.txt", content, "x-uuencode")
    assert message.attachments[0].content() == b"Cat"


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"\0" * 100, b"hello\nworld\n", b"note: milk\n\n", b"%PDF-1.4\n: x\n"]
)
def test_unreadable(raw):
    assert parse(raw).defect == "unreadable"


@pytest.mark.parametrize(
    "raw", [b"From: a@b.be\n\n", b"Subject: x", b"\n\xef\xbb\xbf\nReceived: y\n\n", b"From x\nTo: y\n\n"]
)
def test_readable(raw):
    assert parse(raw).defect is None


def test_from_an_open_file():
    assert parse(io.BytesIO(b"Subject: x\n\n")).subject == "x"
