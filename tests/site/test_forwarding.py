"""The forwarding check: what came back, what it means, what is expected; the canary and the silence of a mailbox."""

from email import message_from_bytes
from email import policy
from email.message import EmailMessage
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.inbound.forwarding import check
from imio.mailbridge.inbound.forwarding import silence
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from tests.mails import citizen
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.site.panel import act
from tests.site.panel import messages
from tests.site.panel import page
import pytest
import transaction


BOX = "info@maville.test"
PAGE = "/@@mailbridge-forwarding"
UNPROVEN = {"Content-Type": "message/rfc822", "X-Envelope-Recipient": "in@bridge.test"}
DAY = silence.DAY


@pytest.fixture
def started(site, caught):
    """Start a check of the mailbox; return the bytes that its server got."""
    assert "is on its way" in messages(site, act(site, PAGE, check=BOX))
    deliver()
    transaction.begin()
    (message,) = caught.messages
    assert message.rcpt_tos == [BOX]
    return message.content


def about():
    transaction.begin()
    return forwardings()[BOX]


def last():
    return about().results[0]


def post(site, raw, headers=TRUSTED):
    answer = site.post("/@@mail-in", "gateway", data=raw, headers=headers)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


def marked(raw, mailbox=BOX):
    return f"Resent-From: {mailbox}\r\n".encode() + raw


def forwarded(raw, **headers):
    outer = EmailMessage()
    for name, value in {"From": BOX, "To": "in@bridge.test", "Subject": "FW: check", **headers}.items():
        outer[name] = value
    outer.set_content("")
    outer.add_attachment(message_from_bytes(raw, policy=policy.default))
    return outer.as_bytes()


def as_text(raw):
    original = message_from_bytes(raw, policy=policy.default)
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = BOX, "in@bridge.test", f"FW: {original['subject']}"
    body = original.get_body(("plain",)).get_content()
    outer.set_content(f"-----Message d'origine-----\nDe : x\nObjet : {original['subject']}\n\n{body}")
    return outer.as_bytes()


def test_redirect_is_good_and_what_is_expected(site, started):
    answer = post(site, marked(started))
    assert (answer["state"], answer["items"]) == ("recorded", [])
    result = last()
    assert (result["outcome"], result["differs"], result["record"]) == ("redirect", False, answer["id"])
    assert about().expected == {
        "form": "unchanged",
        "marks": ("resent-from", "to"),
        "proof": "gateway",
        "arrived": "in@bridge.test",
    }
    text = page(site, PAGE)
    assert "citizens' mail is filed" in text
    assert "trusted mail server" in text
    assert inbox().get(answer["id"]).about == outbox().newest_ids()[0]
    assert about().seen == (), "a check is no mail of a citizen"


@pytest.mark.parametrize(
    ("change", "headers", "outcome"),
    [
        (marked, UNPROVEN, "redirect-unproven"),
        (lambda raw: raw, TRUSTED, "redirect"),  # To names the mailbox
        (lambda raw: raw.replace(b"info@", b"else@"), TRUSTED, "unmarked"),
        (lambda raw: marked(raw, "private@gmail.test"), TRUSTED, "redirect-undeclared"),
        (forwarded, TRUSTED, "attachment"),
        (forwarded, UNPROVEN, "attachment-unproven"),
        (lambda raw: forwarded(raw, From="x@gmail.test"), TRUSTED, "attachment-unproven"),
        (as_text, TRUSTED, "text"),
        (as_text, UNPROVEN, "text"),
    ],
)
def test_what_came_back(site, started, change, headers, outcome):
    answer = post(site, change(started), headers)
    assert answer["state"] == "recorded"
    result = last()
    assert result["outcome"] == outcome
    assert about().running is None
    assert OUTCOMES[outcome].sentence in page(site, PAGE)
    assert OUTCOMES[outcome].remedy in page(site, PAGE)


def test_secret_address_proves_it(site, started):
    secret = "in+h7qm4tvx2kpzabcdefghj@bridge.test"
    stored_settings().mailin_addresses = [
        *stored_settings().mailin_addresses,
        {"address": secret, "service": None, "mailbox": BOX},
    ]
    transaction.commit()
    post(site, started, {**UNPROVEN, "X-Envelope-Recipient": secret})
    assert last()["outcome"] == "redirect"
    assert about().expected["proof"] == "tag"
    assert secret not in page(site, PAGE), "the secret is masked"


def test_it_arrives_otherwise_than_before(site, caught, started):
    post(site, marked(started))
    act(site, PAGE, check=BOX)
    deliver()
    post(site, forwarded(caught.messages[-1].content))
    assert last()["differs"]
    assert about().expected["form"] == "unchanged"
    assert "not as before" in page(site, PAGE)
    act(site, PAGE, accept=BOX)
    assert about().expected["form"] == "attachment"
    assert "not as before" not in page(site, PAGE)


def bounce(raw, words):
    original = message_from_bytes(raw, policy=policy.default)
    return (
        "From: MAILER-DAEMON@maville.test\nTo: administration@maville.test\nSubject: Undelivered\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n'
        f"Content-Type: text/plain\n\n{words}\n\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; {BOX}\nAction: failed\nStatus: 5.7.520\n"
        f"Diagnostic-Code: smtp; {words}\n\n--b\nContent-Type: message/rfc822\n\n"
        f"Message-ID: {original['message-id']}\nSubject: x\n\nx\n--b--\n"
    ).encode()


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (
            "550 5.7.520 Access denied, Your organization does not allow external forwarding. AS(7555)",
            "bounced-external",
        ),
        ("550 5.1.1 no such user", "bounced"),
    ],
)
def test_bounce(site, started, words, outcome):
    post(site, bounce(started, words), {**UNPROVEN, "X-Envelope-Sender": "<>"})
    check.sweep()
    transaction.commit()
    result = last()
    assert result["outcome"] == outcome
    assert words[4:12] in result["text"]
    if outcome == "bounced-external":
        assert "Microsoft 365, Allow external forwarding" in " ".join(page(site, PAGE).split())


def test_not_sent(site, catcher):
    act(site, PAGE, check=BOX)
    record = outbox().get(about().running["id"])
    outbox().update(record, {BOX: "failed"})
    check.sweep()
    transaction.commit()
    assert last()["outcome"] == "not-sent"


def test_lost_after_a_while_and_late_arrival_changes_nothing(site, started):
    check.sweep()
    assert about().running is not None
    about().running = {**about().running, "begun": about().running["begun"] - 2 * check.PATIENCE}
    check.sweep()
    transaction.commit()
    assert last()["outcome"] == "lost"
    assert post(site, marked(started))["state"] == "recorded", "it is still no mail of a citizen"
    assert [each["outcome"] for each in about().results] == ["lost"]


def test_arrives_twice(site, started):
    post(site, marked(started))
    post(site, marked(started) + b"\r\n")
    assert len(about().results) == 1


def test_code_is_needed(site, started):
    for subject in ("iA.docs [ABCDEFGHJKLMNPQR]", "iA.docs", "[]"):
        answer = post(site, redirected(subject))
        assert answer["state"] == "filed"
    assert about().running is not None


def test_one_at_a_time_and_only_declared_mailboxes(site, caught, started):
    assert "is already running" in messages(site, act(site, PAGE, check=BOX))
    assert act(site, PAGE, check="other@maville.test").status_code == 404
    assert site.post(PAGE, "admin", data={"check": BOX}).status_code == 200, "without a token"
    assert site.get(f"{PAGE}?check={BOX}", "admin").status_code == 404
    assert len(caught.messages) == 1


@pytest.mark.parametrize("user", [None, "agent", "chef", "gateway"])
def test_only_admins(site, user):
    assert site.get(PAGE, user, headers={"Accept": "text/html"}).status_code in (302, 401, 403)


def test_without_account_or_mail_in_address(site):
    stored_settings().smtp_host = None
    transaction.commit()
    assert "has no SMTP account" in messages(site, act(site, PAGE, check=BOX))
    stored_settings().mailin_addresses = []
    transaction.commit()
    assert "No mail-in address" in messages(site, act(site, PAGE, check=BOX))
    stored_settings().mailboxes = []
    transaction.commit()
    assert "No source mailbox is declared yet" in page(site, PAGE)


def test_canary_once_a_week_and_its_alarm(site, caught, monkeypatch):
    stored_settings().forwarding_canary = True
    stored_settings().alarm_address = "it@maville.test"
    transaction.commit()
    monkeypatch.setattr(check, "local_time", lambda moment: moment.replace(hour=9))
    check.sweep()
    check.sweep()
    transaction.commit()
    deliver()
    assert [message.rcpt_tos for message in caught.messages] == [[BOX]]
    post(site, as_text(caught.messages[0].content))
    deliver()
    alarm = message_from_bytes(caught.messages[-1].content, policy=policy.default)
    assert caught.messages[-1].rcpt_tos == ["it@maville.test"]
    assert BOX in alarm["subject"]
    assert "redirect" in alarm.get_body(("plain",)).get_content()
    check.sweep()
    assert about().running is None, "not before the week is over"
    record = about()
    record.results = tuple({**each, "at": each["at"] - check.CANARY_EVERY} for each in record.results)
    transaction.commit()
    monkeypatch.setattr(check, "local_time", lambda moment: moment.replace(hour=3))
    check.sweep()
    assert about().running is None, "nobody reads alarms at night"


def test_a_check_by_hand_raises_no_alarm(site, caught, started):
    stored_settings().alarm_address = "it@maville.test"
    transaction.commit()
    post(site, as_text(started))
    deliver()
    assert len(caught.messages) == 1


def test_mailbox_that_left_the_settings_is_forgotten(site, started):
    stored_settings().mailboxes = []
    transaction.commit()
    check.sweep()
    transaction.commit()
    assert BOX not in forwardings()


def test_silence_is_told_once(site, caught):
    stored_settings().alarm_address = "it@maville.test"
    transaction.commit()
    assert post(site, redirected("Vivant"))["state"] == "filed"
    record = about()
    assert len(record.seen) == 1
    end = record.seen[0]
    record.seen = tuple(end - 10 * DAY - number * DAY for number in range(30, -1, -1))
    transaction.commit()
    for _ in range(2):
        check.sweep()
        transaction.commit()
    deliver()
    (alarm,) = caught.messages
    assert BOX in message_from_bytes(alarm.content, policy=policy.default)["subject"]
    assert "silent" in page(site, PAGE)
    post(site, redirected("De retour"))
    assert "silent" not in page(site, PAGE)


def test_silence_alarm_can_be_off(site, caught):
    stored_settings().silence_alarm = False
    post(site, redirected("Vivant"))
    record = about()
    record.seen = tuple(record.seen[0] - 10 * DAY - number * DAY for number in range(30, -1, -1))
    transaction.commit()
    check.sweep()
    transaction.commit()
    deliver()
    assert caught.messages == []


def test_unproven_mail_says_nothing_of_a_mailbox(site):
    post(site, citizen("Forgé", **{"Resent-From": BOX}).as_bytes(), UNPROVEN)
    transaction.begin()
    assert BOX not in forwardings()


@pytest.mark.parametrize(
    ("days", "quiet", "silent"),
    [
        ([0, 1, 2], 30, False),  # too little is known
        (list(range(10)), 30, False),  # not for two weeks yet
        (list(range(20)), 1.9, False),
        (list(range(20)), 2.1, True),
        ([day for day in range(30) if day % 7 < 5], 3.5, False),  # week-ends are usual
        ([day for day in range(30) if day % 7 < 5], 6.5, True),
        ([number / 24 for number in range(24 * 15)], 0.9, False),  # every hour: a day at least
        ([number / 24 for number in range(24 * 15)], 1.1, True),
        ([], 100, False),
    ],
)
def test_is_silent(days, quiet, silent):
    times = tuple(int(1_700_000_000 + day * DAY) for day in days)
    at = (times[-1] if times else 1_700_000_000) + int(quiet * DAY)
    assert silence.is_silent(times, at) is silent


def test_noted_once_an_hour():
    seen = ()
    for at in (0, 10, 3599, 3600, 7300):
        seen = silence.noted(seen, at)
    assert seen == (0, 3600, 7300)
    for at in range(10_000, 10_000 + 600 * 3600, 3600):
        seen = silence.noted(seen, at)
    assert len(seen) == silence.KEPT
