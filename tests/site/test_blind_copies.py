"""Blind copies: nobody but the sender and managers of mail learns of them, by whatever way."""

from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone import api
from Products.CMFCore.utils import getToolByName
from tests.site.compose import HTML
from tests.site.compose import JEANNE
from tests.site.compose import shown
from tests.site.send_email import DOCUMENT
import csv
import html
import io
import pytest
import re
import transaction


SECRET = "secret@citizen.test"
ALIAS = "cache-reel@ailleurs.example"
REPORT = f"""From: MAILER-DAEMON@mx.citizen.test (Mail Delivery System)
To: administration@maville.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

The mail came back.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.citizen.test

Final-Recipient: rfc822; {ALIAS}
Action: failed
Status: 5.1.1

--=_b
Content-Type: text/rfc822-headers

Message-ID: %s

--=_b--
"""


@pytest.fixture
def send(caught, send):
    """Send to a server that takes everything."""
    return send


def message(site, user):
    (found,) = site.get(f"{DOCUMENT}/@send-email", user).json()["items"]
    return found


def page(site, user):
    """Return the text of the document's page and of each e-mail in its conversation."""
    found = site.get(f"{DOCUMENT}/view", user, headers=HTML).text
    links = re.findall(r'href="([^"]*@@mailbridge-sent-message[^"]*)"', found)
    assert links
    texts = [
        found,
        *(site.get(html.unescape(link).removeprefix(site.url), user, headers=HTML).text for link in links),
    ]
    return " ".join(map(shown, texts))


def status(site):
    return site.portal.unrestrictedTraverse(DOCUMENT.lstrip("/")).email_status


def test_a_report_about_their_alias_is_not_shown_to_others(site, send):
    record = send(JEANNE, bcc=[SECRET])
    answer = site.mail_in(
        (REPORT % record.message_id).encode(),
        **{"X-Envelope-Recipient": "in@bridge.test", "X-Envelope-Sender": "<>"},
    )
    assert answer.json()["state"] == "recorded", answer.text
    said = "A mail server on the way reported about the delivery."
    assert ALIAS in str(message(site, "agent"))
    assert said in page(site, "agent")
    for text in (str(message(site, "agent2")), page(site, "agent2")):
        assert said not in text
        assert ALIAS not in text


def test_their_state_is_not_that_of_the_message_for_others(site, send, caught):
    caught.answers[f"rcpt:{SECRET}"] = "550 5.1.1 no such user"
    send(JEANNE, bcc=[SECRET])
    assert message(site, "agent")["state"] == "failed"
    seen = message(site, "agent2")
    assert seen["state"] == "sent"
    assert {line["state"] for line in seen["timeline"]} == {"queued", "sent"}
    assert "Failed" not in page(site, "agent2")


def test_words_of_the_server_that_name_them_are_not_for_others(site, send, caught):
    caught.answers["data"] = f"550 5.7.1 refused because of <{SECRET}>"
    send(JEANNE, bcc=[SECRET])
    assert f"because of <{SECRET}>" in str(message(site, "agent"))
    assert f"because of <{SECRET}>" in page(site, "agent")
    for text in (str(message(site, "agent2")), page(site, "agent2")):
        assert "because of" not in text
        assert SECRET not in text


def test_when_they_are_tried_again_is_for_those_who_see_them(site, send, caught):
    caught.answers[f"rcpt:{SECRET}"] = "451 4.3.0 later"
    send(JEANNE, bcc=[SECRET])
    assert message(site, "agent")["next_try"]
    assert message(site, "agent2")["next_try"] is None


@pytest.mark.parametrize(
    ("refused", "counted"), [("", "1 recipient of 1"), (SECRET, "1 recipient of 1"), (JEANNE, None)]
)
def test_the_document_counts_those_whom_its_readers_see(site, send, caught, refused, counted):
    caught.answers[f"rcpt:{refused}"] = "550 5.1.1 no such user"
    record = send(JEANNE, bcc=[SECRET])
    assert (status(site) or "").endswith(counted or "")
    assert bool(status(site)) is bool(counted)
    assert (api.content.get_state(site.portal.unrestrictedTraverse(DOCUMENT.lstrip("/"))) == "sent") is (
        not refused
    )
    assert record.id not in outbox().to_write()


def test_the_export_and_the_list_mark_them(site, send):
    send(JEANNE, bcc=[SECRET])
    answer = site.get("/@@mailbridge-outbox.csv", "chef", headers=HTML)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0]["Recipients"] == f"{JEANNE} (sent), {SECRET} (Bcc, sent)"
    assert f"{SECRET} (Bcc)" in shown(site.get("/@@mailbridge-outbox", "chef", headers=HTML).text)


def test_no_field_of_site_mail_names_them(site, caught):
    api.portal.set_registry_record("plone.email_from_address", "info@maville.test")
    stored_settings().whole_site = True
    transaction.commit()
    fields = "".join(
        f"{name}: {SECRET}\n"
        for name in (
            "Bcc",
            "Resent-Bcc",
            "RESENT-BCC",
            "X-Bcc",
            "Apparently-Bcc",
            "X-Bcc-To",
            "Bcc ",
            "X-Bcc\t",
            "Envelope-To",
            "X-Envelope-To",
            "Delivered-To",
            "X-Original-To",
            "X-Rcpt-To",
            "bcc",
        )
    )
    mail = f"From: info@maville.test\nTo: {JEANNE}\n{fields}Subject: Bonjour\n\nA\n"
    getToolByName(site.portal, "MailHost")._send("info@maville.test", [JEANNE, SECRET], mail)
    transaction.commit()
    deliver()
    transaction.begin()
    (left,) = caught.messages
    assert left.rcpt_tos == [JEANNE, SECRET]
    assert SECRET.encode() not in left.content
