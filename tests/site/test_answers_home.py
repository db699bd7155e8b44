"""Answers come home: what is sent to the reply address of one message is filed as its answer, and the agent gets a copy."""

from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery.accounts import move
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.iadocs import answer as answering
from imio.mailbridge.inbound.apply import NOT_A_RECIPIENT
from imio.mailbridge.inbound.flood import MAX_REPLIES
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reports import BY_OTHER
from imio.mailbridge.inbound.reports import COPIED
from imio.mailbridge.message.composition.reply_address import is_reply_address
from imio.mailbridge.message.composition.reply_address import MAX_BARE
from imio.mailbridge.message.composition.reply_address import reply_address
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from pathlib import Path
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import dsn
from tests.mails import forwarded
from tests.site.panel import EDIT
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.panel import SETTINGS
from tests.site.rows import row
import pytest
import transaction


JEANNE, PAUL, STRANGER = "jeanne.dupont@citizen.test", "paul.petit@citizen.test", "voisin@voisin.example"
LOGIN, AGENT = "administration@maville.test", "al.bert@maville.test"
MESSAGES = Path(__file__).parents[1] / "messages"
PANEL = "/@controlpanels/mailbridge"


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


@pytest.fixture(autouse=True)
def home(site):
    """Each message has a reply address of its own."""
    change(own_reply_address=True)


@pytest.fixture
def hand_over(site):
    """Hand a message over as the mail host does; return its record, or the answer where none was kept."""

    def hand_over(raw, recipient, sender=JEANNE):
        raw = raw if isinstance(raw, bytes) else raw.as_bytes()
        answer = site.mail_in(raw, **{"X-Envelope-Recipient": recipient, "X-Envelope-Sender": sender})
        transaction.begin()
        return inbox().get(answer.json()["id"]) if answer.status_code < 300 else answer

    return hand_over


def own(record):
    return record.sender.reply_to.addr_spec


def written_to(address, subject="Voici les plans", **headers):
    """Return what a citizen writes to an address without naming the message that it answers."""
    return citizen(subject, **{"To": f'"Al Bert" <{address}>', **headers})


def answers_of(record):
    """Return the uids of what the document of an incoming record answers."""
    (document,) = [uuidToObject(uid, unrestricted=True) for uid in record.items]
    return [relation.to_object.UID() for relation in document.reply_to]


def by_origin(origin):
    return [record for record in outbox().records.values() if record.origin == origin]


def explanations(record):
    return [line["explanation"] for line in record.history]


# on sending


def test_off_by_default(sent):
    change(own_reply_address=False)
    assert own(sent()) == AGENT


@pytest.mark.parametrize(("sender_policy", "author"), [("login", LOGIN), ("send_as", AGENT)])
def test_reply_to_of_both_policies(send, caught, sender_policy, author):
    change(sender_policy=sender_policy)
    record, other = send(), send()
    parsed = message_from_bytes(caught.messages[0].content, policy=policy.default)
    (reply_to,) = parsed["reply-to"].addresses
    assert (reply_to.display_name, reply_to.addr_spec) == ("Al Bert", own(record))
    assert is_reply_address(own(record))
    assert own(record).startswith("in+r.")
    assert own(record) != own(other)
    assert parsed["from"].addresses[0].addr_spec == record.sender.author.addr_spec == author


@pytest.mark.parametrize("address", [None, f"{'x' * (MAX_BARE + 1)}@bridge.test"])
def test_ordinary_reply_to_where_there_is_no_room(sent, address):
    change(mailin_addresses=[{"address": address, "service": None, "mailbox": None}] if address else [])
    assert own(sent()) == AGENT


def test_account_of_its_own(site, sent):
    change(
        own_reply_address=False,
        smtp_accounts=[row(senders=["maville.test"], login_address=LOGIN, own_reply_address=True)],
    )
    assert is_reply_address(own(sent()))


def test_message_that_goes_to_another_account_keeps_its_agent(sent):
    record = sent(state="queued")
    change(own_reply_address=False)
    assert move(record)
    assert own(record) == AGENT


def test_line_above_the_form_and_preview(site):
    text = site.get("/outgoing-mail/permis-durbanisme/@@send-email", "agent", headers=HTML).text
    assert "answers come to iA.docs, and you get a copy" in text
    data = {"to": [JEANNE], "subject": "x", "body": "<p>x</p>", "dry_run": True}
    answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
    assert "<in+r." in answer.json()["reply_to"]


# what comes to it


def test_answer_that_names_no_message_is_filed_and_copied_once(site, caught, sent, hand_over):
    record, other = sent(), sent()
    answer = hand_over(written_to(own(record)), own(record))
    assert (answer.transfer, answer.state, answer.about) == ("reply", "filed", record.id)
    assert answers_of(answer) == [record.document]
    assert (record.state, other.state) == ("replied", "sent")
    assert hand_over(written_to(own(record)), own(record)) is answer, "the same record"
    again = hand_over(written_to(own(record)), "in@bridge.test")
    assert again.items == answer.items, "by two ways, one document"
    deliver()
    (copy,) = caught.messages
    parsed = message_from_bytes(copy.content, policy=policy.default)
    assert copy.rcpt_tos == [AGENT]
    assert (parsed["reply-to"].addresses[0].addr_spec, parsed["subject"]) == (JEANNE, "Voici les plans")
    assert parsed["from"].addresses[0].addr_spec == LOGIN
    assert parsed["auto-submitted"] == "auto-generated"
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["plan.pdf"]
    assert explanations(record).count(COPIED) == 1
    assert by_origin("notice") == []
    loop = hand_over(copy.content, own(record), sender=AGENT)
    assert (loop.state, loop.reason) == ("quarantined", "loop"), "the copy is no answer"


def test_capitals_and_a_rewritten_envelope_sender(sent, hand_over):
    record = sent()
    srs = "SRS0=ab12=7K=citizen.test=jeanne.dupont@forwarder.example"
    long = " ".join(f"<{number}.{'x' * 60}@list.example>" for number in range(60))
    answer = hand_over(written_to(own(record).upper(), References=long), own(record).upper(), sender=srs)
    assert (answer.transfer, answer.about, record.state) == ("reply", record.id, "replied")


@pytest.mark.parametrize("field", ["To", "Cc"])
def test_mailbox_that_is_read_knows_no_envelope_recipient(sent, hand_over, field):
    record = sent()
    mail = written_to(own(record)) if field == "To" else written_to("x@y.test", Cc=own(record).upper())
    answer = hand_over(mail, "in@bridge.test")
    assert (answer.transfer, answer.about, record.state) == ("reply", record.id, "replied")
    assert len(by_origin("copy")) == 1


@pytest.mark.parametrize("to", [(JEANNE,), (JEANNE, PAUL)])
def test_address_that_was_passed_on(site, sent, hand_over, to):
    record = sent(*to)
    answer = hand_over(written_to(own(record), From=STRANGER), own(record), sender=STRANGER)
    assert (answer.state, answers_of(answer)) == ("filed", [record.document])
    assert set(record.recipients.values()) == {"sent"}, "who did not answer did not answer"
    assert BY_OTHER in explanations(record)
    assert NOT_A_RECIPIENT in {name for name, _saw, _strength in answer.evidence}
    assert (record.told, by_origin("copy")) == (("by-other",), [])
    assert [each.subject for each in by_origin("notice")] == [f"Answered by somebody else: {record.subject}"]
    (document,) = [uuidToObject(uid, unrestricted=True) for uid in answer.items]
    path = "/".join(document.getPhysicalPath()[2:])
    assert (
        "not from the address of one of its recipients"
        in site.get(f"/{path}/view", "chef", headers=HTML).text
    )


def test_one_of_several_recipients(sent, hand_over):
    record = sent(JEANNE, PAUL)
    hand_over(written_to(own(record)), own(record))
    assert dict(record.recipients) == {JEANNE: "replied", PAUL: "sent"}


def test_answer_from_another_address_that_names_the_message(sent, hand_over):
    """As anywhere: a plain answer to the only recipient's mail is that recipient's, by another address."""
    record = sent()
    mail = written_to(own(record), "Re: Votre permis", From=STRANGER, **{"In-Reply-To": record.message_id})
    hand_over(mail, own(record), sender=STRANGER)
    assert record.state == "replied"


@pytest.mark.parametrize("by", ["signature", "key", "bounce"])
def test_forged_address_is_an_unknown_recipient(sent, hand_over, by):
    change(envelope_sender="bounce")
    record = sent()
    head, _, signature = own(record).partition("@")[0].rpartition(".")
    forged = {
        "signature": f"{head}.{signature[1:]}{signature[0]}@bridge.test",
        "key": reply_address("in@bridge.test", record.id, b"guessed"),
        "bounce": record.sender.envelope_sender.replace("+b.", "+r."),
    }[by]
    assert hand_over(written_to(forged), forged).status_code == 422
    in_header = hand_over(written_to(forged), "in@bridge.test")
    assert (in_header.transfer, in_header.state, in_header.about) == ("direct", "quarantined", "")
    assert (record.state, len(record.history)) == ("sent", 1)


def test_reply_address_is_no_bounce_address(sent, hand_over):
    record = sent()
    report = hand_over(dsn().encode(), own(record), sender="<>")
    assert (report.state, report.reason, record.state) == ("quarantined", "unmatched-report", "sent")
    assert hand_over(dsn().encode(), own(record).replace("+r.", "+b."), sender="<>").status_code == 422


def test_message_that_is_gone(sent, hand_over):
    record = sent()
    address = own(record)
    outbox().remove(record)
    transaction.commit()
    answer = hand_over(written_to(address), address)
    assert (answer.transfer, answer.reason) == ("direct", "direct")


def test_mailin_address_that_left_the_settings(sent, hand_over):
    record = sent()
    change(mailin_addresses=[{"address": "other@bridge.test", "service": None, "mailbox": None}])
    answer = hand_over(written_to(own(record)), own(record))
    assert (answer.state, answer.reason, answer.transfer) == ("quarantined", "no-recipient", "reply")


@pytest.mark.parametrize(
    ("mail", "sender", "transfer"),
    [
        (citizen("Absente", **{"Auto-Submitted": "auto-replied"}), "<>", "auto-reply"),
        (citizen("Bonjour"), "<>", "auto-reply"),
        (dsn(message_id="{}").encode(), "<>", "bounce"),
    ],
)
def test_what_programs_write_is_recorded(sent, hand_over, mail, sender, transfer):
    record = sent()
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    answer = hand_over(raw.replace(b"{}", record.message_id.encode()), own(record), sender=sender)
    assert (answer.transfer, answer.state, answer.items) == (transfer, "recorded", ())
    assert answer.about == record.id
    assert record.state == ("bounced" if transfer == "bounce" else "sent")
    assert by_origin("copy") == []


def test_agents_are_judged_as_anywhere(sent, hand_over):
    record = sent()
    new = hand_over(written_to(own(record), From=f"Chef <{AGENT}>"), own(record), sender=AGENT)
    assert (new.transfer, new.state) == ("direct", "quarantined")
    inner = citizen("Autre chose")
    passed_on = hand_over(forwarded(inner), own(record), sender=AGENT)
    assert (passed_on.transfer, passed_on.state, answers_of(passed_on)) == ("forward", "filed", [])
    assert (record.state, by_origin("copy")) == ("sent", [])


def test_flood_by_one_address(sent, hand_over):
    record = sent()
    kept = [
        hand_over(written_to(own(record), f"Mail {number}", From=f"x{number}@citizen.test"), own(record))
        for number in range(MAX_REPLIES + 2)
    ]
    assert [each.state for each in kept] == ["filed"] * (MAX_REPLIES + 1) + ["quarantined"]
    assert kept[-1].reason == "too-many-replies"


def test_no_copy_where_the_agent_has_the_answer_already(sent, hand_over):
    record = sent()
    hand_over(written_to(own(record), Cc=AGENT), own(record))
    assert (by_origin("copy"), record.told) == ([], ("replied",))


def test_no_copy_for_an_agent_without_an_address(sent, hand_over):
    record = sent()
    for identity in identities("agent", settings()):
        uuidToObject(identity.uid, unrestricted=True).email = None
    api.user.get("agent").setMemberProperties({"email": ""})
    transaction.commit()
    answer = hand_over(written_to(own(record)), own(record))
    assert (answer.state, by_origin("copy"), by_origin("notice")) == ("filed", [], [])
    assert is_reply_address(own(sent())), "who has no address can be answered all the same"


@pytest.mark.parametrize(
    "name",
    [
        "near-miss-reply-quotes-gmail",
        "near-miss-reply-outlook-block",
        "near-miss-reply-quotes-de",
        "near-miss-quoted-answer",
    ],
)
def test_answers_that_programs_wrote(sent, hand_over, name):
    """Each names no message of ours, for instance since a web mailer left In-Reply-To out."""
    mail = message_from_bytes((MESSAGES / f"{name}.eml").read_bytes())
    for header in ("To", "Cc", "From", "Resent-From", "Auto-Submitted"):
        del mail[header]
    record = sent()
    mail["To"], mail["From"] = own(record), JEANNE
    answer = hand_over(mail, own(record))
    assert (answer.transfer, answer.state, answer.about) == ("reply", "filed", record.id)
    assert record.state == "replied"


def test_account_without_a_login_address(sent, hand_over):
    change(sender_policy="send_as", login_address=None, smtp_login=None)
    record = sent()
    hand_over(written_to(own(record)), own(record))
    (copy,) = by_origin("copy")
    assert (copy.sender.author.addr_spec, copy.sender.author.display_name) == (
        AGENT,
        "Jeanne Dupont (iA.docs)",
    )


def test_answer_to_all_leaves_our_address_out(site, sent, hand_over):
    record = sent()
    answer = hand_over(written_to(own(record), Cc=PAUL), own(record))
    (document,) = [uuidToObject(uid, unrestricted=True) for uid in answer.items]
    people = answering.people(document, answering.ALL, {"in@bridge.test", AGENT})
    assert [each.addr_spec for each in (*people.to, *people.cc)] == [JEANNE, PAUL]


# the settings


@pytest.mark.parametrize(("path", "name"), [(SETTINGS, "the main account"), (EDIT, "another account")])
def test_form_refuses_it_without_a_mail_in_address(site, path, name):
    change(own_reply_address=False, mailin_addresses=[], smtp_accounts=[row()])
    values = fields(page(site, path)) | {"form.widgets.own_reply_address:list": "selected"}
    answer = site.post(path, "admin", data={**values, "form.buttons.save": "x"}, headers=HTML)
    assert "Answers need a mail-in address to come to" in answer.text, name
    assert not stored_settings().own_reply_address
    assert not stored_settings().smtp_accounts[0]["own_reply_address"]
    change(mailin_addresses=[{"address": "in@bridge.test", "service": None, "mailbox": None}])
    values = fields(page(site, path)) | {"form.widgets.own_reply_address:list": "selected"}
    answer = site.post(path, "admin", data={**values, "form.buttons.save": "x"}, headers=HTML)
    assert answer.status_code == 302, answer.text
    transaction.begin()
    kept = settings().default_account if path == SETTINGS else settings().accounts["cpas"]
    assert kept.own_reply_address


def test_rest_refuses_it_without_a_mail_in_address(site):
    change(own_reply_address=False)
    for values, named in (
        ({"own_reply_address": True, "mailin_addresses": []}, "mail-in address"),
        (
            {
                "own_reply_address": True,
                "mailin_addresses": [
                    {"address": f"{'x' * 29}@bridge.test", "service": None, "mailbox": None}
                ],
            },
            "28 characters",
        ),
        ({"smtp_accounts": [row(own_reply_address=True)], "mailin_addresses": []}, "Account cpas"),
    ):
        answer = site.request("PATCH", PANEL, "admin", json=values, headers={"Accept-Language": "en"})
        assert answer.status_code == 400, values
        assert named in answer.text, answer.text
    assert not stored_settings().own_reply_address
    good = {"own_reply_address": True}
    assert site.request("PATCH", PANEL, "admin", json=good).status_code == 204
    assert stored_settings().own_reply_address
