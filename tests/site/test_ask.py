"""The answer that explains how to forward: who gets it, how often, and who never does; and the daily summary."""

from email import policy
from email.parser import BytesParser
from imio.mailbridge.inbound import ask as asking
from imio.mailbridge.inbound import summary
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from tests.mails import citizen
from tests.mails import TEXT_FORWARD
import pytest
import transaction


def quarantined(site, raw, **headers):
    record = site.receive(raw, **headers)
    assert record.state == "quarantined"
    return record


def notices():
    return [record for record in outbox().records.values() if record.origin == "notice"]


def sent(caught, site):
    for record in notices():
        site.task("@@mailbridge-deliver", id=record.id)
    return [BytesParser(policy=policy.default).parsebytes(message.content) for message in caught.messages]


def test_agent_gets_the_steps_for_the_own_program(site, caught):
    raw = TEXT_FORWARD.replace(
        b"To: in@", b"Message-ID: <m1@maville.test>\nX-Mailer: Microsoft Outlook 16.0\nTo: in@"
    )
    record = quarantined(site, raw)
    assert record.reason == "inline-forward"
    (notice,) = notices()
    assert list(notice.recipients) == ["al.bert@maville.test"]
    assert record.asked is not None
    (mail,) = sent(caught, site)
    assert mail["In-Reply-To"] == "<m1@maville.test>"
    assert mail["Auto-Submitted"] == "auto-replied"
    text = mail.get_body(("plain",)).get_content()
    assert "Ctrl+Alt+F" in text
    assert "Demande en texte" in text


def test_once_a_day(site, caught):
    quarantined(site, TEXT_FORWARD)
    quarantined(site, TEXT_FORWARD.replace(b"Bonjour", b"Bonsoir"))
    assert len(notices()) == 1
    inbox().asked["al.bert@maville.test"] -= asking.PERIOD
    transaction.commit()
    quarantined(site, TEXT_FORWARD.replace(b"Bonjour", b"Salut"))
    assert len(notices()) == 2


@pytest.mark.parametrize(
    "raw",
    [
        TEXT_FORWARD.replace(b"Al Bert <al.bert@maville.test>\nTo", b"info@maville.test\nTo"),
        b"Auto-Submitted: auto-generated\n" + TEXT_FORWARD,
        b"List-Id: <x.maville.test>\n" + TEXT_FORWARD,
        b"Precedence: bulk\n" + TEXT_FORWARD,
        b"X-Auto-Response-Suppress: All\n" + TEXT_FORWARD,
        TEXT_FORWARD.replace(b"al.bert@maville.test>\nTo", b"no-reply@maville.test>\nTo"),
        citizen(To="in@bridge.test").as_bytes(),
    ],
)
def test_who_is_never_answered(site, caught, raw):
    quarantined(site, raw)
    assert notices() == []


def test_administrator_is_told_once_a_day_that_a_mailbox_forwards_as_text(site, caught):
    stored_settings().alarm_address = "it@maville.test"
    transaction.commit()
    from_mailbox = TEXT_FORWARD.replace(b"Al Bert <al.bert@maville.test>\nTo", b"info@maville.test\nTo")
    for word in (b"Bonjour", b"Bonsoir"):
        quarantined(site, from_mailbox.replace(b"Bonjour", word))
    (alarm,) = notices()
    assert list(alarm.recipients) == ["it@maville.test"]
    assert alarm.subject == "info@maville.test forwards as text: its mail is not filed"


def test_null_sender_is_never_answered(site, caught):
    quarantined(site, TEXT_FORWARD, **{"X-Envelope-Sender": "<>"})
    assert notices() == []


def test_unproven_stranger_is_not_written_to(site, caught):
    raw = TEXT_FORWARD.replace(b"al.bert@maville.test>\nTo", b"not.in.directory@maville.test>\nTo")
    quarantined(site, raw, **{"X-Client-Address": "203.0.113.9"})
    assert notices() == []
    quarantined(site, raw.replace(b"Bonjour", b"Bonsoir"))
    assert len(notices()) == 1, "proven by the gateway"


def test_setting_switches_it_off(site, caught):
    stored_settings().ask_sender = False
    transaction.commit()
    quarantined(site, TEXT_FORWARD)
    assert notices() == []


@pytest.mark.parametrize(
    "subject",
    [
        b"=?utf-8?q?TR:_x=0D=0ABcc:_evil@evil.test?=",
        b"TR: x =?utf-8?q?=0ABcc:_evil@evil.test?=",
        b"TR: \x00\x1b[31mx",
    ],
)
def test_subject_cannot_write_headers_into_the_answer(site, caught, subject):
    quarantined(site, TEXT_FORWARD.replace(b"TR: Demande en texte\nContent", subject + b"\nContent"))
    (mail,) = sent(caught, site)
    assert mail["Bcc"] is None
    assert caught.messages[0].rcpt_tos == ["al.bert@maville.test"]


def test_failure_of_the_answer_keeps_the_quarantine(site, caught, monkeypatch):
    monkeypatch.setattr(asking, "send_notice", lambda *args, **kwargs: 1 / 0)
    assert quarantined(site, TEXT_FORWARD).reason == "inline-forward"
    assert notices() == []


def test_without_account_nothing_is_sent(site):
    stored_settings().smtp_host = None
    stored_settings().login_address = None
    transaction.commit()
    quarantined(site, TEXT_FORWARD)
    assert notices() == []


def test_summary_goes_out_once_a_day(site, caught, monkeypatch):
    monkeypatch.setattr(summary, "HOUR", 0)
    stored_settings().digest_address = "chef@maville.test"
    stored_settings().ask_sender = False
    transaction.commit()
    site.task("@@mailbridge-sweep-inbox")
    assert notices() == []
    inbox().summarised = ""
    transaction.commit()
    quarantined(site, TEXT_FORWARD)
    quarantined(site, citizen(To="in@bridge.test").as_bytes())
    transaction.commit()
    site.task("@@mailbridge-sweep-inbox")
    site.task("@@mailbridge-sweep-inbox")
    (mail,) = sent(caught, site)
    assert mail["To"] == "chef@maville.test"
    assert mail["Subject"].startswith("2 ")
    assert "@@mailbridge-inbox" in mail.get_body(("plain",)).get_content()


def test_summary_is_optional(site, caught, monkeypatch):
    monkeypatch.setattr(summary, "HOUR", 0)
    quarantined(site, citizen(To="in@bridge.test").as_bytes())
    site.task("@@mailbridge-sweep-inbox")
    assert notices() == []
