"""The examples of docs/rest.rst are what the services answer. ``WRITE_EXAMPLES=1`` writes them; else any difference fails."""

from imio.mailbridge.delivery.deliver import deliver
from pathlib import Path
from tests.mails import citizen
from tests.mails import TRUSTED
import json
import os
import pytest
import re


EXAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "examples"
VOLATILE = (
    (r"http://localhost:\d+/plone", "https://ged.maville.be"),
    (r"\b[0-9a-f]{64}\b", lambda found: found[0][:0] + "6f1ed002" * 8),
    (r"mailbridge\.[0-9a-f]{32}@", "mailbridge.0f0e0d0c0b0a09080706050403020100@"),
    (r"\b[0-9a-f]{32}\b", "c0ffee00" * 4),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", "2026-11-23T09:00:00+00:00"),
    (r"/incoming-mail/\d{6}/", "/incoming-mail/202647/"),
    (r"localhost:\d+", "ged.maville.be"),
)


def check(name, method, path, answer, headers=(), body=None):
    lines = [f"{method} {path} HTTP/1.1", *headers, ""]
    if body is not None:
        lines += [body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False), ""]
    lines += [f"HTTP/1.1 {answer.status_code} {answer.reason}", "Content-Type: application/json", ""]
    lines += [json.dumps(answer.json(), indent=2, ensure_ascii=False, sort_keys=True), ""]
    text = "\n".join(lines)
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    target = EXAMPLES / f"{name}.txt"
    if os.environ.get("WRITE_EXAMPLES"):
        target.write_text(text, "utf-8")
    assert target.read_text("utf-8") == text, (
        f"{target.name}: run with WRITE_EXAMPLES=1 and read the difference"
    )


@pytest.fixture
def english(site):
    def request(method, path, user, **kwargs):
        headers = {"Accept-Language": "en", **kwargs.pop("headers", {})}
        return site.request(method, path, user, headers=headers, **kwargs)

    return request


def test_mail_in(english):
    raw = citizen(**{"Resent-From": "info@maville.test"}).as_bytes()
    headers = TRUSTED
    shown = [f"{name}: {value}" for name, value in headers.items()]
    answer = english("POST", "/@@mail-in", "gateway", data=raw, headers=headers)
    check("mail-in", "POST", "/@@mail-in", answer, shown, "(the message, byte for byte)")
    unproven = {**headers, "X-Client-Address": "192.0.2.1"}
    raw = citizen(**{"Resent-From": "info@maville.test", "Message-ID": "<2@citizen.test>"}).as_bytes()
    kept = english("POST", "/@@mail-in", "gateway", data=raw, headers=unproven)
    id = kept.json()["id"]
    check("mail-in-record", "GET", "/@mail-in/<id>", english("GET", f"/@mail-in/{id}", "chef"))
    data = {"sender": "Jeanne Dupont <jeanne.dupont@citizen.test>", "as": "direct"}
    accepted = english("POST", f"/@mail-in/{id}/accept", "chef", json=data)
    check("mail-in-accept", "POST", "/@mail-in/<id>/accept", accepted, (), data)


def test_send_email(english, caught):
    path = "/outgoing-mail/permis-durbanisme/@send-email"
    data = {
        "to": ["Jeanne Dupont <jeanne.dupont@citizen.test>"],
        "subject": "Votre permis",
        "body": "<p>Bonjour</p>",
    }
    sent = english("POST", path, "agent", json=data)
    check("send-email", "POST", path, sent, (), data)
    refused = {"to": ["jeanne"], "subject": ""}
    check("send-email-refused", "POST", path, english("POST", path, "agent", json=refused), (), refused)
    deliver(sent.json()["id"])
    check("send-email-list", "GET", path, english("GET", path, "agent"))


def test_status(english):
    check("status", "GET", "/@mailbridge-status", english("GET", "/@mailbridge-status", "chef"))
