"""The conversation around a document, in both directions, and the pages of what was sent."""

from imio.mailbridge.desk import conversation
from imio.mailbridge.outbox.record import outbox
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.site.compose import HTML
from tests.site.compose import shown
import os
import pytest
import re
import transaction


PERMIT = "/outgoing-mail/permis-durbanisme"
QUESTION = "/incoming-mail/demande-de-permis"
SENT = "/@@mailbridge-sent-message"


@pytest.fixture
def send(caught, send):
    """Send to a server that takes everything."""
    return send


def lines(site, path, user="agent"):
    text = site.get(f"{path}/@@mailbridge-messages", user, headers=HTML).text
    return [
        shown(each)
        for each in re.findall(
            r"(?s)(?:<summary class=.card-header|<p class=.border).*?</(?:summary|p)>", text
        )
    ]


def answer_to(site, record, subject="Re: Votre permis"):
    raw = citizen(subject, To="administration@maville.test", **{"In-Reply-To": record.message_id}).as_bytes()
    filed = site.receive(raw)
    assert filed.transfer == "reply", filed.reason
    return uuidToObject(filed.items[0], unrestricted=True)


def test_in_order_of_time_on_both_sides(site, send):
    send(path=QUESTION, subject="Un accusé")
    record = send(subject="Votre permis")
    answer = answer_to(site, record)
    last = answer.absolute_url().removeprefix(site.url)
    expected = ["Demande de permis", "Un accusé", "Votre permis", "Re: Votre permis"]
    for path, own in ((QUESTION, 0), (PERMIT, None), (last, 3)):
        found = lines(site, path)
        assert len(found) == 4, found
        for number, (line, subject) in enumerate(zip(found, expected, strict=True)):
            assert ("this e-mail" if number == own else subject) in line, (path, line)
    assert "sent Un accusé Al Bert → jeanne.dupont@citizen.test" in lines(site, QUESTION)[1]
    assert lines(site, PERMIT)[2].startswith("answered Votre permis")


def test_what_one_may_not_see_is_neither_shown_nor_counted(site, send):
    send(path=QUESTION, subject="Un accusé")
    send(subject="Votre permis")
    permit = site.portal["outgoing-mail"]["permis-durbanisme"]
    permit.manage_permission("View", ["Manager"])
    transaction.commit()
    found = lines(site, QUESTION, "agent2")
    assert len(found) == 2, found
    assert "permis" not in found[1]
    assert site.get(f"{PERMIT}/@@mailbridge-messages", "agent2", headers=HTML).status_code != 200


def test_mail_that_answers_and_was_not_sent_from_here(site):
    (line, _question) = sorted(lines(site, QUESTION), key=lambda line: "this e-mail" in line)
    assert "Permis d'urbanisme de Madame Dupont" in line
    assert "not sent from here" in line


def test_twenty_messages_are_lines(site, sent):
    for _number in range(20):
        record = sent()
    text = site.get(f"{PERMIT}/view", "agent", headers=HTML).text
    assert text.count("data-state=") == 21
    assert "mailbridge-recipients" not in text, "each is fetched when it is opened"
    for _number in range(4):
        sent(state="failed")
    text = site.get(f"{PERMIT}/view", "agent", headers=HTML).text
    assert text.count("mailbridge-recipients") == 3, "what needs an eye is open, the newest"
    assert f"{SENT}?id={record.id}" in text


def test_what_is_left_out_is_said(site, sent, monkeypatch):
    said = "Only the newest e-mails are shown"
    for _number in range(3):
        sent()
    assert said not in site.get(f"{PERMIT}/view", "agent", headers=HTML).text
    monkeypatch.setattr(conversation, "MAX_LINES", 2)
    page = site.get(f"{PERMIT}/view", "agent", headers=HTML).text
    assert said in page
    assert page.count('<details class="card mb-2"') == 2


def test_blind_copies(site, send):
    record = send(bcc=["secret@citizen.test"])
    for user, sees in (("agent", True), ("agent2", False), ("chef", True)):
        for path in (f"{PERMIT}/view", f"{SENT}?id={record.id}"):
            answer = site.get(path, user, headers=HTML)
            assert answer.status_code == 200
            assert ("secret@citizen.test" in answer.text) is sees, (user, path)
            assert "+1" not in answer.text


def test_sent_message_is_read_again(site, send):
    permit = site.portal["outgoing-mail"]["permis-durbanisme"]
    record = send(
        subject="<b>Votre permis</b>",
        body="<p>Bonjour <b>Jeanne</b></p><img src='https://track.test/x.gif'>",
        attachments=[permit["permis"].UID()],
    )
    text = site.get(f"{SENT}?id={record.id}", "agent", headers=HTML).text
    assert "<b>Votre" not in text
    assert "&lt;b&gt;Votre permis&lt;/b&gt;" in text
    assert 'From "Al Bert" <administration@maville.test> Reply to "Al Bert" <al.bert@maville.test>' in shown(
        text
    )
    assert "Permis PU-2026-114.pdf PDF" in shown(text)
    frame = site.get(f"/@@mailbridge-sent-text?id={record.id}", "agent", headers=HTML)
    assert "Bonjour <b>Jeanne</b>" in frame.text
    assert "track.test" not in frame.text
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    file = site.get(f"/@@mailbridge-sent-file?id={record.id}&part=0", "agent", headers=HTML)
    assert file.content == permit["permis"].file.data
    assert file.headers["Content-Disposition"].startswith("attachment")
    for part in ("1", "-1", "x", "", "99999"):
        answer = site.get(f"/@@mailbridge-sent-file?id={record.id}&part={part}", "agent", headers=HTML)
        assert answer.status_code == 404, part
    assert f'href="{site.url}{SENT}?id={record.id}"' in site.get("/@@my-emails", "agent", headers=HTML).text


@pytest.mark.parametrize("view", ["sent-message", "sent-text", "sent-file"])
def test_roles(site, send, view):
    permit = site.portal["outgoing-mail"]["permis-durbanisme"]
    record = send(attachments=[permit["permis"].UID()])
    path = f"/@@mailbridge-{view}?part=0&id="
    for user, status in ((None, 302), ("gateway", 404), ("agent", 200), ("agent2", 200), ("chef", 200)):
        assert site.get(f"{path}{record.id}", user, headers=HTML).status_code == status, user
    permit.manage_permission("View", ["Manager"])
    transaction.commit()
    for user, status in (("agent", 200), ("agent2", 404), ("chef", 200)):
        assert site.get(f"{path}{record.id}", user, headers=HTML).status_code == status, user
    for id in ("unknown", ""):
        assert site.get(f"{path}{id}", "agent2", headers=HTML).status_code == 404
    assert site.get(f"{path}unknown", None, headers=HTML).status_code == 302, "as for one that exists"


@pytest.mark.parametrize("gone", ["deleted", "lost"])
def test_what_is_gone_is_said(site, send, gone):
    record = send()
    if gone == "deleted":
        outbox().delete_bytes(record)
        transaction.commit()
    else:
        os.remove(record.body.committed())
    text = site.get(f"{SENT}?id={record.id}", "agent", headers=HTML).text
    assert {"deleted": "were deleted at the end of the retention period", "lost": "is lost"}[gone] in text
    assert "mailbridge-frame" not in text
    assert site.get(f"/@@mailbridge-sent-text?id={record.id}", "agent", headers=HTML).status_code == 404
