"""Reports and replies: matched by what nobody can guess, noted on the message, and told to its agent."""

from email import message_from_bytes
from email.policy import default
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.composition.verp import is_verp
from imio.mailbridge.message.composition.verp import verp_address
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import dsn
from tests.site.send_email import DOCUMENT
import pytest
import transaction


JEANNE = "jeanne.dupont@citizen.test"
PAUL = "paul.petit@citizen.test"
LOGIN = "administration@maville.test"


@pytest.fixture
def sent(sent):
    """A message from the demo document that a server took for all, with error reports to the bridge."""
    send = sent

    def sent(*to, state="sent", envelope_sender="bounce"):
        stored_settings().envelope_sender = envelope_sender
        transaction.commit()
        return send(*to, state=state)

    return sent


@pytest.fixture
def hand_over(site):
    """Hand a message over as the mail host does; return the answer."""

    def hand_over(raw, recipient="in@bridge.test", sender="<>"):
        raw = raw if isinstance(raw, bytes) else raw.encode()
        return site.mail_in(raw, **{"X-Envelope-Recipient": recipient, "X-Envelope-Sender": sender})

    return hand_over


def notices():
    return [record for record in outbox().records.values() if record.origin == "notice"]


def last(record):
    return record.history[-1]


def test_envelope_sender_is_of_this_message_alone(sent):
    first, second = sent().sender.envelope_sender, sent().sender.envelope_sender
    assert is_verp(first)
    assert first.startswith("in+b.")
    assert first != second
    assert not is_verp(sent(envelope_sender="login").sender.envelope_sender)


@pytest.mark.parametrize("by", ["message_id", "envelope_id", "address"])
def test_bounce_finds_its_message(sent, hand_over, by):
    record, other = sent(), sent()
    named = {"message_id": record.message_id, "envelope_id": record.id}
    raw = dsn(**{by: named[by]}) if by in named else dsn()
    answer = hand_over(raw, record.sender.envelope_sender if by == "address" else "in@bridge.test")
    assert (answer.status_code, answer.json()["state"], answer.json()["transfer"]) == (
        201,
        "recorded",
        "bounce",
    )
    assert inbox().get(answer.json()["id"]).about == record.id
    assert (record.state, other.state) == ("bounced", "sent")
    line = last(record)
    assert (line["recipient"], line["code"], line["text"]) == (JEANNE, 550, "5.1.1 no such user")
    assert (line["answer"], "does not exist" in line["explanation"]) == ("no-such-address", True)
    assert [notice.to[0].addr_spec for notice in notices()] == ["al.bert@maville.test"]


def test_address_of_a_message_in_capitals_and_after_the_setting_changed(sent, hand_over):
    record = sent()
    stored_settings().mailin_addresses = [{"address": "other@bridge.test", "service": None, "mailbox": None}]
    transaction.commit()
    assert hand_over(dsn(), record.sender.envelope_sender.upper()).json()["state"] == "recorded"
    assert record.state == "bounced"


def test_report_of_one_recipient_leaves_the_others(sent, hand_over):
    record = sent(JEANNE, PAUL)
    hand_over(dsn(PAUL, message_id=record.message_id))
    assert dict(record.recipients) == {JEANNE: "sent", PAUL: "bounced"}


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"Status": "5.2.2", "Diagnostic_Code": "smtp; 552 5.2.2 mailbox full"}, "mailbox-full"),
        ({"Status": "5.7.1", "Diagnostic_Code": "smtp; 550 5.7.1 This looks like spam"}, "content-refused"),
        ({"Status": "5.3.4", "Diagnostic_Code": "smtp; 552 5.3.4 Message size exceeds"}, "too-large"),
        (
            {"Status": "5.4.4", "Diagnostic_Code": "X-Postfix; Host or domain name not found."},
            "no-such-domain",
        ),
        ({"Status": "4.4.1", "Diagnostic_Code": "X-Postfix; connect to mx: Connection timed out"}, "expired"),
        ({"Status": "4.2.2", "Diagnostic_Code": "smtp; 452 4.2.2 over quota"}, "mailbox-full"),
        ({"Status": "5.7.60", "Diagnostic_Code": "smtp; 550 5.7.60 SendAsDenied"}, "returned"),
        ({"Status": "5.0.0", "Diagnostic_Code": ""}, "returned"),
    ],
)
def test_why_it_came_back(sent, hand_over, fields, answer):
    record = sent()
    hand_over(dsn(message_id=record.message_id, **fields))
    assert (record.state, last(record)["answer"]) == ("bounced", answer)
    assert last(record)["explanation"]


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded", "delivered", "surprised"])
def test_what_is_no_failure_changes_no_state(sent, hand_over, action):
    record = sent()
    hand_over(dsn(message_id=record.message_id, Action=action, Status="4.4.1"))
    assert record.state == "sent"
    assert len(record.history) == 2
    assert last(record)["explanation"]
    assert not notices()


def test_unknown_language_at_the_address_of_a_message(sent, hand_over):
    raw = (
        f"From: posta@citizen.test\nSubject: Viesti palautettiin\n\nViesti palautettiin:\n\n"
        f"<{JEANNE}>\n550 5.1.1 tuntematon\n"
    )
    record, one = sent(), sent()
    assert hand_over(raw, record.sender.envelope_sender).json()["transfer"] == "bounce"
    assert record.state == "bounced"
    assert hand_over(raw, one.sender.envelope_sender, sender="").json()["transfer"] == "bounce"
    assert hand_over(raw, sent().sender.envelope_sender, sender=None).json()["transfer"] == "direct", (
        "unknown"
    )
    assert hand_over(raw, sent().sender.envelope_sender, sender=JEANNE).json()["transfer"] == "direct"
    other = sent()
    raw = raw.replace("550 5.1.1", "")
    assert hand_over(raw, other.sender.envelope_sender).json()["state"] == "recorded"
    assert (other.state, len(other.history)) == ("sent", 2), "noted, and nothing made of it"


def test_automatic_answer_at_the_address_of_a_message(sent, hand_over):
    record = sent()
    raw = citizen(**{"Auto-Submitted": "auto-replied"}).as_bytes()
    answer = hand_over(raw, record.sender.envelope_sender)
    assert (answer.json()["transfer"], answer.json()["state"]) == ("auto-reply", "recorded")
    assert (record.state, len(record.history)) == ("sent", 2)
    assert not notices()


def test_person_who_writes_to_the_address_of_a_message_is_not_lost(sent, hand_over):
    record = sent()
    address = record.sender.envelope_sender
    direct = hand_over(citizen(To=address).as_bytes(), address, sender=JEANNE)
    assert (direct.json()["transfer"], direct.json()["state"]) == ("direct", "quarantined")
    assert record.state == "sent"
    reply = hand_over(
        citizen("Re: permis", **{"In-Reply-To": record.message_id}).as_bytes(), address, sender=JEANNE
    )
    assert (reply.json()["transfer"], reply.json()["state"]) == ("reply", "filed")
    assert record.state == "replied"


def test_address_of_a_message_is_no_proof(sent, hand_over, site):
    """Every recipient sees it: it does not make a redirect believable."""
    record = sent()
    stored_settings().trusted_gateways = []
    transaction.commit()
    raw = citizen(**{"Resent-From": "info@maville.test"}).as_bytes()
    answer = hand_over(raw, record.sender.envelope_sender, sender=JEANNE)
    assert answer.json()["reason"] == "unproven-redirect"


def test_answer_tells_the_agent_and_names_its_document(sent, hand_over):
    record = sent()
    reply = citizen("Re: Votre permis", **{"In-Reply-To": record.message_id, "To": "in@bridge.test"})
    answer = hand_over(reply.as_bytes(), sender=JEANNE)
    (item,) = inbox().get(answer.json()["id"]).items
    assert last(record)["items"] == (item,)
    assert record.told == ("replied",)
    (notice,) = notices()
    with notice.body.open("r") as body:
        text = body.read()
    assert uuidToObject(item, unrestricted=True).getId().encode() in text.replace(b"=\r\n", b"")


# what is forged, or comes from outside, changes nothing


def wrong_tag(address):
    """Return the address with another signature of the right form."""
    head, _, signature = address.partition("@")[0].rpartition(".")
    return f"{head}.{signature[1:]}{signature[0]}@bridge.test"


def test_wrong_signature_is_an_unknown_recipient(sent, hand_over):
    record = sent()
    own = record.sender.envelope_sender
    for forged in (wrong_tag(own), verp_address("in@bridge.test", record.id, b"guessed")):
        answer = hand_over(dsn(message_id="<x@y.test>"), forged)
        assert answer.status_code == 422, forged
    assert (record.state, len(record.history)) == ("sent", 1)
    assert len(inbox()) == 0


def test_signature_for_a_message_that_is_not_there(sent, hand_over):
    record = sent()
    address = record.sender.envelope_sender
    outbox().remove(record)
    transaction.commit()
    assert hand_over(dsn(), address).status_code == 422


@pytest.mark.parametrize("by", ["message_id", "envelope_id"])
def test_guessed_token(sent, hand_over, by):
    record = sent()
    token = record.message_id.partition("@")[0].rpartition(".")[2]
    guess = {
        "message_id": record.message_id.replace(token, token[::-1]),
        "envelope_id": record.id[::-1],
    }[by]
    answer = hand_over(dsn(**{by: guess}))
    assert (answer.status_code, answer.json()["reason"]) == (202, "unmatched-report")
    reply = hand_over(
        citizen(**{"In-Reply-To": record.message_id.replace(token, token[::-1])}).as_bytes(), sender=JEANNE
    )
    assert reply.json()["transfer"] != "reply"
    assert (record.state, len(record.history), notices()) == ("sent", 1, [])


@pytest.mark.parametrize("to", [(JEANNE,), (JEANNE, PAUL)])
def test_bounce_about_somebody_else_changes_no_state(sent, hand_over, to):
    record = sent(*to)
    hand_over(dsn("stranger@elsewhere.test", message_id=record.message_id))
    assert record.state == "sent"
    assert last(record)["text"] == "stranger@elsewhere.test"
    assert not notices()


def test_other_name_in_the_domain_of_the_only_recipient_is_that_recipient(sent, hand_over):
    record = sent()
    hand_over(dsn("mbx0042@citizen.test", message_id=record.message_id))
    assert dict(record.recipients) == {JEANNE: "bounced"}


@pytest.mark.parametrize("by", ["message_id", "envelope_id", "address"])
def test_report_of_one_recipient_cannot_mark_another(sent, hand_over, by):
    record = sent(JEANNE, PAUL)
    named = {"message_id": record.message_id, "envelope_id": record.id}
    raw = dsn(PAUL, **{by: named[by]} if by in named else {}, Original_Recipient=f"rfc822; {JEANNE}")
    hand_over(raw, record.sender.envelope_sender if by == "address" else "in@bridge.test")
    assert dict(record.recipients) == {JEANNE: "bounced", PAUL: "sent"}


DAEMON = "MAILER-DAEMON@mx.citizen.test"
UNPROVEN = (
    "A report says that this recipient did not get the message. It is not proven, so nothing was changed."
)


@pytest.mark.parametrize(
    ("author", "sender", "to", "state"),
    [
        # what servers send: the null sender, or none known from a mailbox that is read; some use an address of their own
        (DAEMON, "<>", (JEANNE, PAUL), "bounced"),
        (DAEMON, None, (JEANNE, PAUL), "bounced"),
        ("postmaster@citizen.test", "postmaster@citizen.test", (JEANNE, PAUL), "bounced"),
        (JEANNE, JEANNE, (JEANNE, PAUL), "bounced"),
        # a recipient of the message knows all that is needed to forge one on another recipient
        (PAUL, "<>", (JEANNE, PAUL), "sent"),
        (f"Mail Delivery System <{PAUL.upper()}>", None, (JEANNE, PAUL), "sent"),
        (f"{DAEMON}, {PAUL}", "<>", (JEANNE, PAUL), "sent"),
        (DAEMON, PAUL, (JEANNE, PAUL), "sent"),
        (DAEMON, "anybody@citizen.test", (JEANNE, PAUL), "sent"),
        # the only recipient can say nothing about others
        (JEANNE, JEANNE, (JEANNE,), "bounced"),
        (DAEMON, "anybody@citizen.test", (JEANNE,), "bounced"),
    ],
)
@pytest.mark.parametrize("by", ["message_id", "address"])
def test_who_can_say_that_a_message_came_back(sent, hand_over, author, sender, to, state, by):
    record = sent(*to)
    raw = dsn(message_id=record.message_id if by == "message_id" else "").replace(
        f"From: {DAEMON} (Mail Delivery System)", f"From: {author}"
    )
    assert f"From: {author}" in raw
    answer = hand_over(
        raw, record.sender.envelope_sender if by == "address" else "in@bridge.test", sender=sender
    )
    assert answer.json()["state"] == "recorded"
    assert record.recipients[JEANNE] == state
    assert set(record.recipients.values()) <= {state, "sent"}
    line = last(record)
    assert (line["recipient"], line["code"], line["state"]) == (JEANNE, 550, state)
    assert (line["explanation"] == UNPROVEN) == (state == "sent")
    assert len(notices()) == (state == "bounced")


def test_report_that_names_no_recipient_exactly_marks_none_of_several(sent, hand_over):
    record = sent(JEANNE, PAUL)
    hand_over(dsn("mbx0042@citizen.test"), record.sender.envelope_sender)
    assert dict(record.recipients) == {JEANNE: "sent", PAUL: "sent"}
    assert not notices()


def test_words_of_a_report_are_quoted_bounded_and_one_line(sent, hand_over):
    record = sent()
    words = f"Your account is closed.\u2028Log in at evil.test {'now ' * 500}"
    hand_over(dsn(message_id=record.message_id, Diagnostic_Code=f"smtp; 550 5.1.1 {words}"))
    said = last(record)["text"]
    assert len(said) == 300
    assert len(said.splitlines()) == 1
    (notice,) = notices()
    with notice.body.open("r") as body:
        message = message_from_bytes(body.read(), policy=default)
    text = " ".join(message.get_body(("plain",)).get_content().split())
    assert "A report from the recipient’s mail server says: “550 5.1.1 Your account is closed. Log" in text
    assert text.count("now") < 100


def test_words_of_a_report_are_for_the_sender_and_managers(site, sent, hand_over):
    record = sent()
    private = "jeanne.private@elsewhere.test"
    final = dsn(private, message_id=record.message_id, Original_Recipient=f"rfc822; {JEANNE}")
    hand_over(final.replace("no such user", f"<{private}> no such user"))
    assert record.state == "bounced"
    hand_over(dsn("stranger@elsewhere.test", message_id=record.message_id))
    for user, sees in (("agent", True), ("chef", True), ("agent2", False)):
        page = site.get(f"{DOCUMENT}/view", user, headers={"Accept": "text/html"})
        listing = site.get(f"{DOCUMENT}/@send-email", user)
        assert (page.status_code, listing.status_code) == (200, 200)
        for answer in (page, listing):
            assert "does not exist" in answer.text
            for address in (private, "stranger@elsewhere.test"):
                assert (address in answer.text) == sees, user


@pytest.mark.parametrize(
    "state", ["scheduled", "queued", "sending", "deferred", "held", "failed", "cancelled"]
)
def test_bounce_of_what_no_server_took_changes_no_state(sent, hand_over, state):
    record = sent(state=state)
    hand_over(dsn(), record.sender.envelope_sender)
    assert record.state == state
    assert not notices()


def test_report_about_a_notice_is_recorded_quietly(sent, hand_over):
    record = sent()
    hand_over(dsn(message_id=record.message_id))
    (notice,) = notices()
    outbox().update(notice, {"al.bert@maville.test": "sent"})
    transaction.commit()
    answer = hand_over(dsn("al.bert@maville.test", message_id=notice.message_id))
    assert answer.json()["state"] == "recorded"
    away = citizen(**{"Auto-Submitted": "auto-replied", "In-Reply-To": notice.message_id}).as_bytes()
    assert hand_over(away).json()["state"] == "recorded"
    assert notice.state == "bounced"
    assert notices() == [notice]


# on the way out


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_refused_bounce_address_falls_back_to_the_login_and_is_remembered(sent, caught, stage):
    from imio.mailbridge.delivery.deliver import deliver

    record = sent(state="queued")
    own = record.sender.envelope_sender
    refusal = f"553 5.7.1 <{own}>: Sender address rejected: not owned by user x"
    caught.answers[stage] = (
        (lambda envelope: refusal if envelope.mail_from == own else None)
        if stage == "rcpt"
        else [refusal, None]
    )
    deliver(record.id)
    transaction.begin()
    assert record.state == "sent", record.history[-1]
    assert [message.mail_from for message in caught.messages] == [LOGIN]
    assert "error reports" in record.history[1]["explanation"]
    assert not send_as.verdicts()[("default", send_as.BOUNCE)].allowed
    assert send_as.verdict("default", "al.bert@maville.test") is None
    assert sent().sender.envelope_sender == LOGIN, "a known refusal is not asked for again"


def test_bounce_address_that_is_taken(sent, caught):
    from imio.mailbridge.delivery.deliver import deliver

    record = sent(state="queued")
    deliver(record.id)
    transaction.begin()
    assert [message.mail_from for message in caught.messages] == [record.sender.envelope_sender]
    assert is_verp(caught.messages[0].mail_from)
    assert send_as.verdicts()[("default", send_as.BOUNCE)].allowed
