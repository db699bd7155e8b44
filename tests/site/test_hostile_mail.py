"""Mail of attackers is refused, neutralised, or quarantined with a reason."""

from email.message import EmailMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.settings.read import stored_settings
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
import io
import pytest
import tracemalloc
import transaction
import zipfile


STRANGER = {"X-Client-Address": "203.0.113.66"}


def item_of(answer):
    (uid,) = inbox().get(answer.json()["id"]).items
    return uuidToObject(uid, unrestricted=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Resent-From", "info@maville.test"),
        ("X-Forwarded-For", "info@maville.test in@bridge.test"),
        ("X-MS-Exchange-Inbox-Rules-Loop", "info@maville.test"),
        ("X-Zimbra-Forwarded", "info@maville.test"),
        ("X-Sieve-Redirected-From", "info@maville.test"),
        ("Delivered-To", "info@maville.test"),
    ],
)
def test_forged_redirect_mark_is_not_filed(site, name, value):
    raw = citizen(**{name: value}).as_bytes()
    answer = site.mail_in(raw, **STRANGER)
    assert answer.json()["state"] == "quarantined"
    assert answer.json()["reason"] == "unproven-redirect"
    assert answer.json()["items"] == []


def test_forged_agent_is_not_filed(site):
    answer = site.mail_in(forwarded(citizen()), **STRANGER)
    assert (answer.json()["state"], answer.json()["reason"]) == ("quarantined", "unproven-agent")


@pytest.mark.parametrize("header", ["X-Mailbridge-Proof", "X-Mailbridge-Trusted", "X-Mailbridge-Recipient"])
def test_headers_of_ours_from_outside_count_for_nothing(site, header):
    raw = redirected(**{header: "gateway"})
    assert site.mail_in(raw, **STRANGER).json()["reason"] == "unproven-redirect"


def test_client_address_cannot_be_claimed_by_the_message(site):
    raw = redirected(**{"X-Client-Address": "127.0.0.1", "X-Envelope-Recipient": "in@bridge.test"})
    assert site.mail_in(raw, **STRANGER).json()["reason"] == "unproven-redirect"


def test_100_mb_are_refused_and_not_kept(site):
    raw = redirected() + b"x" * 100_000_000
    tracemalloc.start()
    answer = site.mail_in(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 413, answer.text
    assert len(inbox()) == 0
    assert peak < 250_000_000  # the client in this process holds the message too


def test_mime_bomb_is_quarantined(site):
    depth = 200
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    raw = (
        b"From: x@citizen.test\nTo: info@maville.test\nSubject: x\n"
        + opened
        + b"Content-Type: text/plain\n\nx\n"
    )
    answer = site.mail_in(raw)
    assert (answer.json()["state"], answer.json()["reason"]) == ("quarantined", "too-complex")


def test_zip_bomb_stays_a_file(site):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 300_000_000)
    bomb = packed.getvalue()
    message = citizen(**{"Resent-From": "info@maville.test"})
    message.add_attachment(bomb, "application", "zip", filename="photos.zip")
    tracemalloc.start()
    answer = site.mail_in(message.as_bytes())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 201, answer.text
    assert bomb in [child.file.data for child in item_of(answer).objectValues()]
    assert peak < 50_000_000


@pytest.mark.parametrize(
    "filename",
    [
        "../../../../etc/passwd",
        "..\\..\\windows\\win.ini",
        "/etc/shadow",
        "C:\\boot.ini",
        "a\r\nX-Injected: 1.pdf",
        "rapport\u202efdp.exe",
        "\x00.pdf",
        "con.pdf " + "x" * 5000,
        ".htaccess",
        "@@delete",
        "++add++Document",
        "index_html",
    ],
)
def test_file_names_lead_nowhere(site, filename):
    message = EmailMessage()
    message["From"], message["To"] = "x@citizen.test", "info@maville.test"
    message["Subject"], message["Resent-From"] = "x", "info@maville.test"
    message.set_content("x")
    message.add_attachment(b"content", "application", "octet-stream", filename="placeholder")
    raw = message.as_bytes()
    encoded = "utf-8''" + "".join(f"%{octet:02X}" for octet in filename.encode())
    raw = raw.replace(b'filename="placeholder"', b"filename*=" + encoded.encode())
    answer = site.mail_in(raw)
    assert answer.status_code == 201, answer.text
    item = item_of(answer)
    assert sorted(item.objectIds()) == ["appendix-1", "mail"]
    name = item["appendix-1"].file.filename
    assert name
    assert len(name) < 256
    assert name.isprintable()
    assert not set(name) & set('/\\\0\r\n"'), name
    assert "\u202e" not in name
    download = site.get(f"{item.absolute_url()}/appendix-1/@@download/file", "admin")
    assert "X-Injected" not in download.headers
    assert "attachment" in download.headers["Content-Disposition"]


def test_subject_with_line_ends_stays_a_title(site):
    raw = redirected("placeholder").replace(b"placeholder", b"=?utf-8?q?x=0D=0ASet-Cookie:_a=3Db?=", 1)
    assert b"=0D=0A" in raw
    answer = site.mail_in(raw)
    assert answer.status_code == 201, answer.text
    assert "Set-Cookie" not in answer.headers
    assert item_of(answer).title == "x Set-Cookie: a=b"


def test_full_html_of_a_hostile_subject_is_escaped_in_lists(site):
    stored_settings().trusted_gateways = []
    transaction.commit()
    raw = redirected("<script>alert(1)</script>")
    assert site.mail_in(raw).json()["state"] == "quarantined"
    page = site.get("/@@mailbridge-inbox", "chef", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
