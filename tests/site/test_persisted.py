"""Everything that our code puts into a database stands in the lists of ``persisted``; values come back from it as they were."""

from dataclasses import replace
from datetime import timedelta
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.returned import Shown
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.filing import Filer
from imio.mailbridge.inbound import cases
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.forwarding.check import start
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox import plain
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.draft_files import add_file
from imio.mailbridge.outbox.mail_templates import Content
from imio.mailbridge.outbox.mail_templates import save as save_template
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import Written
from imio.mailbridge.outbox.saved_drafts import save_draft
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.mailin import IMailboxRow
from imio.mailbridge.settings.mailin import IMailinAddressRow
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import SCHEMA
from io import BytesIO
from persistent import Persistent
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.mails import TRUSTED
from tests.site.panel import act
from tests.site.panel import SEND_AS
from tests.site.persisted import is_ours
from tests.site.persisted import names
from tests.site.persisted import PARTS
from tests.site.persisted import PLACED
from tests.site.persisted import PLAIN
from tests.site.persisted import reachable
from tests.site.persisted import STORED
from ZODB.serialize import ObjectWriter
from zope.annotation.interfaces import IAnnotations
from zope.schema import getFields
import pytest
import transaction


#: What an uninstalled bridge leaves, as it holds something: content, and what became of messages.
LEFT = {
    "imio.mailbridge.iadocs.content.Directory",
    "imio.mailbridge.iadocs.content.DmsFile",
    "imio.mailbridge.iadocs.content.Document",
    "imio.mailbridge.iadocs.content.HeldPosition",
    "imio.mailbridge.iadocs.content.Organization",
    "imio.mailbridge.iadocs.content.Person",
    "imio.mailbridge.iadocs.rendition.Rendition",
    "imio.mailbridge.inbound.inbox.InboundMessage",
    "imio.mailbridge.inbound.inbox.Inbox",
    "imio.mailbridge.outbox.draft_files.DraftFile",
    "imio.mailbridge.outbox.draft_files.DraftFiles",
    "imio.mailbridge.outbox.record.Outbox",
    "imio.mailbridge.outbox.record.OutgoingMessage",
    "imio.mailbridge.outbox.record.Written",
    "imio.mailbridge.store.listing.Listing",
    "imio.mailbridge.store.words.Words",
    "imio.mailbridge.outbox.saved_drafts.SavedDraft",
    "imio.mailbridge.outbox.saved_drafts.SavedDrafts",
}

#: Annotation of the site: the MailHost of Plone while ours stands in its place.
PLONES_MAILHOST = "imio.mailbridge.mailhost"

JEANNE = "jeanne.dupont@citizen.test"
AL = "al.bert@maville.test"


@pytest.fixture
def mail_in(site):
    """``mail_in(raw, **headers)`` hands a message over as the mail host does; return its record."""

    def mail_in(raw, **headers):
        answer = site.post("/@@mail-in", "gateway", data=raw, headers={**TRUSTED, **headers})
        assert answer.status_code in (200, 201, 202), answer.text
        return inbox().get(answer.json()["id"])

    return mail_in


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def row(schema, **values):
    return {name: field.default for name, field in getFields(schema).items()} | values


# each writes what the others do not


def send_with_every_outcome(site, send, caught):
    """Return a message that was sent."""
    attachment = IUUID(site.portal.unrestrictedTraverse("outgoing-mail/permis-durbanisme/permis"))
    sent = send(f"Zoë Ça <{JEANNE}>", cc=["b@citizen.test"], bcc=["c@citizen.test"], attachments=[attachment])
    caught.answers["rcpt"] = ["451 4.3.0 later", "550 5.1.1 no such user"]
    deferred, failed = send(), send()
    later = send(run=False, send_at=(now() + timedelta(days=1)).isoformat(), undo=True)
    change(sender_policy="auto", envelope_sender="bounce")
    act(site, SEND_AS, account="default", address=AL, **{"try": "1"})
    caught.answers["data"] = ["550 5.7.60 SendAsDenied"]
    refused = send()
    caught.answers["mail"] = ["530 5.7.0 authentication required"]
    held = send()
    states = [record.state for record in (sent, deferred, failed, later, refused, held)]
    assert states == ["sent", "deferred", "failed", "scheduled", "sent", "held"]
    assert any(record.origin == "notice" for record in outbox().records.values()), "the alarm"
    for record, action in ((failed, "retry"), (deferred, "cancel"), (later, "send-now")):
        assert site.post(f"/@outbox/{record.id}/{action}", "agent").status_code == 200
    sweep()
    transaction.begin()
    assert not outbox().holds
    return sent


def report_on(sent, mail_in):
    """An absence, an answer, an error report."""
    head = f"From: {JEANNE}\nTo: in@bridge.test\nSubject: Absence\nAuto-Submitted: auto-replied\n"
    mail_in(f"{head}In-Reply-To: {sent.message_id}\n\nEn congé".encode(), **{"X-Envelope-Sender": "<>"})
    mail_in(citizen("Re: Votre permis", **{"In-Reply-To": sent.message_id}).as_bytes())
    status = f"Final-Recipient: rfc822; {JEANNE}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no"
    body = f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n{status}\n\n--b\n"
    body += f"Content-Type: text/rfc822-headers\n\nMessage-ID: {sent.message_id}\n\n--b--\n"
    head = 'From: m@mx.test\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
    mail_in((head + body).encode(), **{"X-Envelope-Sender": "<>"})
    assert sent.recipients[JEANNE] == "bounced"
    assert "replied" in [line["state"] for line in sent.history]


def receive_every_state(site, mail_in, monkeypatch):
    change(iemail_routing=[row(IRoutingRow, user_value="_empty_", tg_value="_empty_", recipient_pat="in@.*")])
    filed = mail_in(redirected(**{"DKIM-Signature": "v=1; d=other.test; s=x; h=from; bh=x; b=x"}))
    for uid in filed.items:
        file = uuidToObject(uid, unrestricted=True)["mail"]
        assert site.task("mailbridge-render", uid=IUUID(file)) in (200, 204)
    assert site.task("mailbridge-verify", id=filed.id) in (200, 204)
    mail_in(forwarded(citizen(), citizen("Une autre")))
    accepted = mail_in(TEXT_FORWARD)
    discarded = mail_in(citizen("Direct", To="in@bridge.test").as_bytes())
    with monkeypatch.context() as context:
        context.setattr(Filer, "file", lambda self, filing: 1 / 0)
        failed = mail_in(redirected("Raté"))
    assert (filed.state, accepted.state, failed.state) == ("filed", "quarantined", "failed")
    choice = {"sender": "Zoë <z@citizen.test>", "date": "2026-11-15T10:00+01:00", "as": "proposal"}
    for record, action, data in (
        (accepted, "accept", choice),
        (discarded, "discard", {"reason": "réclame"}),
        (failed, "replay", {}),
    ):
        assert site.post(f"/@mail-in/{record.id}/{action}", "chef", json=data).status_code == 200
    assert len(filed.items) == 1


def check_a_mailbox(site, caught, mail_in):
    start("info@maville.test")
    transaction.commit()
    deliver()
    (message,) = [each for each in caught.messages if each.rcpt_tos == ["info@maville.test"]]
    mail_in(b"Resent-From: info@maville.test\r\n" + message.content)
    assert forwardings()["info@maville.test"].results[0]["outcome"] == "redirect"


def read_a_mailbox(site):
    """Of a server that does not answer: what is known of it holds a problem."""
    values = {"name": "boite", "role": "mail-in", "address": "in@bridge.test", "host": "127.0.0.1", "port": 9}
    change(imap_mailboxes=[row(IImapMailboxRow, security="tls", auth="password", login="x", **values)])
    secrets.write("s3cret", "imap:boite")
    transaction.commit()
    assert site.task("mailbridge-fetch", name="boite") in (200, 204)
    assert status_of("boite").problem["stage"] == "connect"


def save_a_draft():
    save_draft("agent", "a-document", {"to": "zoë", "sender": ["uid"], "subject": "Été"})
    add_file("agent", "a-document", "zoë.pdf", BytesIO(b"%PDF-"))
    save_template(Content("template", "Reçu", "uid", "Été", "<p>{today}</p>"), "chef")
    transaction.commit()


def keep_a_case(site):
    cases.keep("Zoë", redirected(), Envelope("in@bridge.test", "", "127.0.0.1"))
    transaction.commit()


def remember_dns():
    shown = Shown(
        "maville.test", ("maville.test",), "mx.test", "maville.test", "pass", (("pass", "maville.test"),)
    )
    knowledge.keep_answers({("maville.test", "TXT"): ["v=spf1 -all"]})
    knowledge.keep_returned("smtp.test", shown, "citizen.test")
    knowledge.keep_agent("smtp.test", "maville.test")
    transaction.commit()


def set_everything(site):
    """Rows of all tables, and secrets."""
    account = {"name": "cpas", "host": "127.0.0.1", "port": 9, "security": "none", "senders": ["cpas.test"]}
    change(
        smtp_accounts=[row(ISmtpAccountRow, sender_policy="login", auth="password", **account)],
        mailin_addresses=[row(IMailinAddressRow, address="in@bridge.test")],
        mailboxes=[row(IMailboxRow, address="info@maville.test")],
    )
    secrets.write("s3cret")
    secrets.write("s3cret", "cpas", "client_secret")
    transaction.commit()


def send_mail_of_the_site(site):
    change(whole_site=True)
    mailhost = api.portal.get_tool("MailHost")
    mailhost.send(
        "Été", mto="Zoë <z@citizen.test>", mfrom="Al <al@maville.test>", subject="Été", charset="utf-8"
    )
    transaction.commit()
    assert any(record.origin == "site" for record in outbox().records.values())


def test_every_class_is_listed(site, send, caught, mail_in, monkeypatch):
    sent = send_with_every_outcome(site, send, caught)
    report_on(sent, mail_in)
    receive_every_state(site, mail_in, monkeypatch)
    check_a_mailbox(site, caught, mail_in)
    keep_a_case(site)
    save_a_draft()
    remember_dns()
    set_everything(site)
    read_a_mailbox(site)
    send_mail_of_the_site(site)
    connection = site.portal._p_jar
    found = {oid: names(data) for oid, data in reachable(connection) if b"imio.mailbridge." in data}
    assert {name for each in found.values() for name in each if is_ours(name)} == STORED | PLACED
    roots = [oid for oid, (own, *_others) in found.items() if own.endswith(".Rendition")]
    for key, value in IAnnotations(site.portal).items():
        if key.startswith("imio.mailbridge") and key != PLONES_MAILHOST:
            assert isinstance(value, bytes | str | Persistent), key
            roots += [value._p_oid] if isinstance(value, Persistent) else []
    held = {name for _oid, data in reachable(connection, *roots) for name in names(data)}
    assert held - PARTS == STORED | PLAIN
    site.portal.portal_setup.runAllImportStepsFromProfile("profile-imio.mailbridge:uninstall")
    transaction.commit()
    left = {name for _oid, data in reachable(connection) for name in names(data) if is_ours(name)}
    assert left == LEFT


def test_a_class_that_must_not_be_stored_is_seen(site, sent):
    record = sent()
    record.sender_as_it_was = record.sender  # never committed
    found = names(ObjectWriter(record).serialize(record))
    assert found[0] == "imio.mailbridge.outbox.record.OutgoingMessage"
    assert {name for name in found if is_ours(name)} - STORED == {
        "imio.mailbridge.message.address.Address",
        "imio.mailbridge.message.composition.sender_policy.Sender",
    }
    transaction.abort()


def test_the_stores_say_which_layout_they_have(site):
    assert (outbox().schema, inbox().schema) == (SCHEMA, SCHEMA)


ADDRESSES = [Address("", "a@b.test"), Address("Zoë “Ça” <x>", "zoë@é.test"), Address('"', "")]
SENDERS = [
    Sender("login", ADDRESSES[1], None, ""),
    Sender("send_as", ADDRESSES[0], ADDRESSES[1], "in+b.1@b.test"),
    Sender("login", ADDRESSES[2], ADDRESSES[0], "é@b.test"),
]


@pytest.mark.parametrize("sender", SENDERS)
def test_senders_come_back(sender):
    stored = plain.plain_sender(sender)
    assert plain.read_sender(stored) == sender
    assert plain.read_fallback(plain.plain_fallback(sender)) == sender
    assert all(type(value) in (str, tuple, type(None)) for value in stored.values())


def test_no_fallback_comes_back():
    assert plain.read_fallback(plain.plain_fallback(None)) is None


@pytest.mark.parametrize("addresses", [(), tuple(ADDRESSES)])
def test_addresses_come_back(addresses):
    assert plain.read_addresses(plain.plain_addresses(addresses)) == addresses


class Text(str):
    """A string that is more than one, as msgids and header values are."""


def test_only_text_is_stored_of_what_is_more(site, sent):
    record = sent()
    address = Address(Text("Zoë"), Text("z@b.test"))
    record.to = (address,)
    record.sender = replace(record.sender, author=address, envelope_sender=Text("e@b.test"))
    assert (record.to, record.sender.author) == ((address,), address)
    record.note(None, "sent", text=Text("x"), explanation=_("Sent again on request."), items=[Text("1")])
    outbox().hold("cpas", 535, Text("x"), _("y"), _("z"))
    send_as.learn(Text("cpas"), Text("al@b.test"), True, Text("250"))
    record.written = Written({"to": [Text("a@b.test")], "subject": Text("x")})
    transaction.commit()
    line, hold = record.history[-1], outbox().holds["cpas"]
    texts = [
        line["text"],
        line["explanation"],
        *line["items"],
        hold["text"],
        hold["explanation"],
        hold["remedy"],
    ]
    texts += [*record.plain_to[0], record.plain_sender["envelope_sender"], *record.plain_sender["author"]]
    texts += [*record.written.data["to"], record.written.data["subject"]]
    ((account, name), verdict), *_others = send_as.store().items()
    texts += [account, name, verdict["text"]]
    assert {type(text) for text in texts} == {str}
