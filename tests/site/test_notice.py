"""The agent is told what became of a message, in plain words, once, and never about a notice."""

from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.notify import notice as notices_
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import TRUSTED
from ZODB.POSException import ConflictError
import pytest
import transaction


JEANNE = "jeanne.dupont@citizen.test"
BAD = "bad@citizen.test"
AGENT = "al.bert@maville.test"
DOCUMENT = "/outgoing-mail/permis-durbanisme"


@pytest.fixture
def send(caught, send):
    """Send from the demo document and deliver all that is due, notices too; return the record."""
    caught.answers[f"rcpt:{BAD}"] = "550 5.1.1 <bad@citizen.test>: no such user"
    send_one = send

    def send(*to, subject="Votre permis d’urbanisme", **data):
        record = send_one(*to, subject=subject, **data)
        deliver()
        transaction.begin()
        return record

    return send


def notices():
    transaction.begin()
    return [record for record in outbox().records.values() if record.origin == "notice"]


def told(caught):
    """Return the notices that arrived at the agent's."""
    return [
        message_from_bytes(message.content, policy=policy.default)
        for message in caught.messages
        if message.rcpt_tos == [AGENT]
    ]


def text(message):
    return message.get_body(("plain",)).get_content()


def test_failed(site, send, caught):
    record = send(JEANNE, BAD)
    (message,) = told(caught)
    assert message["From"] == '"iA.docs" <administration@maville.test>'
    assert message["To"] == AGENT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["In-Reply-To"] is None
    assert "Votre permis d’urbanisme" in message["Subject"]
    said = text(message)
    assert BAD in said
    assert JEANNE not in said, "who got it is not listed"
    assert "550 5.1.1 <bad@citizen.test>: no such user" in said
    assert f"{site.url}{DOCUMENT}" in said
    assert record.told == ("failed",)


def test_notice_is_no_mail_of_the_agent_and_on_no_document(site, send):
    send(BAD)
    (notice,) = notices()
    assert (notice.userid, notice.document, notice.account) == ("", "", "default")
    assert notice.sender.envelope_sender == "administration@maville.test"
    assert notice.id not in outbox().newest_ids_of_user("agent")
    uid = site.portal.unrestrictedTraverse(DOCUMENT.lstrip("/")).UID()
    assert notice not in outbox().of_document(uid)
    listed = site.get(f"{DOCUMENT}/@send-email", "agent").json()["items"]
    assert notice.id not in [item["id"] for item in listed]
    assert site.get(f"/@outbox/{notice.id}", "agent").status_code in (401, 403, 404)
    assert site.get(f"/@outbox/{notice.id}", "chef").status_code == 200


def test_several_failures_are_one_notice(send, caught):
    caught.answers["rcpt:other@citizen.test"] = ["450 4.2.0 later", "550 5.2.2 mailbox full"]
    record = send(BAD, "other@citizen.test", "third@citizen.test")
    outbox().try_at(record, now())
    transaction.commit()
    sweep()
    transaction.begin()
    assert list(record.recipients.values()) == ["failed", "failed", "sent"]
    assert len(notices()) == 1
    both = send(BAD, "bad2@citizen.test")
    assert both.state == "failed"
    assert len(notices()) == 2


def test_failed_again_after_a_retry_is_news(site, send, caught):
    record = send(BAD)
    assert site.post(f"/@outbox/{record.id}/retry", "agent").status_code == 200
    deliver()
    assert len(notices()) == 2


@pytest.mark.parametrize(("language", "words"), [("fr", "n’"), ("en", "could not be sent")])
def test_in_the_language_of_the_agent(send, caught, language, words):
    with api.env.adopt_roles(["Manager"]):
        api.user.get(userid="agent").setMemberProperties({"language": language})
    transaction.commit()
    send(BAD)
    (message,) = told(caught)
    assert words in text(message)


def test_switched_off(send, caught):
    stored_settings().notify_agent = False
    transaction.commit()
    assert send(BAD).state == "failed"
    assert not notices()


def test_address_of_the_user_when_there_is_no_position(site, send, monkeypatch):
    record = send(JEANNE)
    monkeypatch.setattr(notices_, "IDirectory", lambda site: type("", (), {"identities": lambda *args: ()})())
    with api.env.adopt_roles(["Manager"]):
        api.user.get(userid="agent").setMemberProperties({"email": "home@maville.test"})
    notices_.tell_agent(record, "failed")
    assert [notice.to[0].addr_spec for notice in outbox().records.values() if notice.origin == "notice"] == [
        "home@maville.test"
    ]


@pytest.mark.parametrize("email", ["", "none", "a@b.test\nBcc: x@y.test"])
def test_without_an_address_only_the_timeline_says_it(send, monkeypatch, email):
    record = send(JEANNE)
    monkeypatch.setattr(notices_, "IDirectory", lambda site: type("", (), {"identities": lambda *args: ()})())
    with api.env.adopt_roles(["Manager"]):
        api.user.get(userid="agent").setMemberProperties({"email": email})
    notices_.tell_agent(record, "failed")
    assert not notices()


def test_notice_that_fails_tells_nobody(send, caught):
    caught.answers[f"rcpt:{AGENT}"] = "550 5.1.1 no such user"
    send(BAD)
    (notice,) = notices()
    assert notice.state == "failed"
    assert notice.told == ()


def test_error_in_telling_does_not_hide_what_happened(send, caught, monkeypatch):
    monkeypatch.setattr(notices_, "compose", lambda **options: 1 / 0)
    record = send(BAD)
    assert record.state == "failed"
    assert not notices()
    assert caught.received["data"] == 0


def test_conflict_in_telling_is_tried_again(send, caught, monkeypatch):
    real, conflicts = notices_.compose, iter([ConflictError()])

    def conflicting(**options):
        if (error := next(conflicts, None)) is not None:
            raise error
        return real(**options)

    monkeypatch.setattr(notices_, "compose", conflicting)
    assert send(JEANNE, BAD).told == ("failed",)
    assert len(notices()) == 1
    assert len([message for message in caught.messages if JEANNE in message.rcpt_tos]) == 1, "sent once"


def test_held_account_tells_no_agent(send, caught):
    caught.answers["mail"] = "530 5.7.0 log in first"
    record = send(JEANNE)
    assert record.state == "held"
    assert record.told == ()
    assert not [notice for notice in notices() if notice.to[0].addr_spec == AGENT]


def test_hostile_words_stay_words(send, caught):
    caught.answers[f"rcpt:{BAD}"] = (
        '550 5.1.1 <script>alert(1)</script> ${subject} <a href="http://evil.test">click</a>'
    )
    send(BAD, subject="<b>${author}</b> é =?utf-8?q?=0d=0aBcc:_x=40y.test?=")
    (message,) = told(caught)
    html = message.get_body(("html",)).get_content()
    assert "<script" not in html
    assert '<a href="http://evil.test' not in html
    assert "&lt;b&gt;${author}&lt;/b&gt;" in html
    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == 1


def test_replied(site, send, caught):
    record = send(JEANNE)
    raw = citizen(
        "Re: Votre permis", **{"In-Reply-To": record.message_id, "To": "in@bridge.test",
        "From": '"Jeanne <img src=x> Dupont" <jeanne.dupont@citizen.test>'},
    )  # fmt: skip
    answer = site.post("/@@mail-in", "gateway", data=raw.as_bytes(), headers=TRUSTED)
    assert answer.json()["transfer"] == "reply", answer.text
    deliver()
    (message,) = told(caught)
    (item,) = answer.json()["items"]
    said = text(message)
    assert "jeanne.dupont@citizen.test" in said
    assert item["@id"] in said
    assert f"{site.url}{DOCUMENT}" in said
    assert "<img" not in message.get_body(("html",)).get_content()
    again = citizen("Re: Re: permis", **{"In-Reply-To": record.message_id, "To": "in@bridge.test"})
    site.post("/@@mail-in", "gateway", data=again.as_bytes(), headers=TRUSTED)
    assert len(notices()) == 1, "once for each kind"


def test_links_use_the_address_where_the_agent_saw_the_site(send, caught):
    record = send(JEANNE)
    record.site_url = "https://ged.maville.test"
    notices_.tell_agent(record, "failed")
    transaction.commit()
    deliver()
    (message,) = told(caught)
    assert f"https://ged.maville.test{DOCUMENT}" in text(message)


def test_document_that_is_gone(site, send, caught):
    record = send(JEANNE)
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(uuidToObject(record.document, unrestricted=True))
    notices_.tell_agent(record, "failed")
    transaction.commit()
    deliver()
    assert DOCUMENT not in text(told(caught)[0])
