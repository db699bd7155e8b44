"""``@send-email`` and ``@outbox``: the contract, the refusals, and that a refusal stores nothing."""

from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone.uuid.interfaces import IUUID
from tests.site.send_email import DOCUMENT
from tests.site.send_email import GOOD
from tests.site.send_email import send
import pytest
import transaction


def uid(site, path):
    return IUUID(site.portal.unrestrictedTraverse(path.lstrip("/")))


def file_uids(site):
    document = site.portal.unrestrictedTraverse(DOCUMENT.lstrip("/"))
    return [IUUID(item) for item in document.objectValues()]


def test_accepted(site):
    answer = send(
        site, cc=["copie@citizen.test"], bcc=["secret@citizen.test"], attachments=file_uids(site)[:1]
    )
    assert answer.status_code == 202, answer.text
    message = answer.json()
    assert message["from"] == '"Al Bert" <administration@maville.test>'
    assert message["reply_to"] == '"Al Bert" <al.bert@maville.test>'
    assert message["envelope_sender"] == "administration@maville.test"
    assert [(each["address"], each["state"]) for each in message["recipients"]] == [
        ("jeanne.dupont@citizen.test", "queued"),
        ("copie@citizen.test", "queued"),
        ("secret@citizen.test", "queued"),
    ]
    record = outbox().get(message["id"])
    with record.body.open("r") as body:
        raw = body.read()
    assert message["message_id"].encode() in raw
    assert b"secret@citizen.test" not in raw
    assert message["size"] > len(raw)


def test_dry_run_says_the_same_and_keeps_nothing(site):
    answer = send(site, dry_run=True)
    assert answer.status_code == 200
    assert answer.json()["from"] == '"Al Bert" <administration@maville.test>'
    assert answer.json()["id"] is None
    assert answer.json()["recipients"] == [{"address": "jeanne.dupont@citizen.test", "state": None}]
    assert len(outbox()) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": []}, "to"),
        ({"to": "jeanne@citizen.test"}, "to"),
        ({"to": ["jeanne"]}, "to"),
        ({"to": ["a@b.be\r\nBcc: x@y.be"]}, "to"),
        ({"to": ["a@b.be\0"]}, "to"),
        ({"to": [None]}, "to"),
        ({"to": [{"address": "a@b.be"}]}, "to"),
        ({"to": ["x@" + "é" * 60 + ".be"]}, "to"),
        ({"cc": ["a@b.be\nBcc: x@y.be"]}, "cc"),
        ({"bcc": ["@"]}, "bcc"),
        ({"to": [f"a{number}@b.be" for number in range(101)]}, "to"),
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"subject": "a\r\nBcc: x@y.be"}, "subject"),
        ({"subject": "a\0b"}, "subject"),
        ({"subject": "x" * 1000}, "subject"),
        ({"body": ["<p>"]}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"attachments": ["0" * 32]}, "attachments"),
        ({"attachments": "all"}, "attachments"),
        ({"attachments": [1]}, "attachments"),
        ({"sender": "0" * 32}, "sender"),
        ({"sender": 1}, "sender"),
    ],
)
def test_bad_field(site, changes, field):
    answer = send(site, **changes)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert all(error["message"] for error in answer.json()["errors"])
    assert len(outbox()) == 0


def test_what_people_paste_is_understood(site):
    pasted = ["\u200bJeanne\xa0Dupont\u200e <jeanne.dupont@citizen.test>; luc@citizen.test", "", "  "]
    answer = send(site, to=pasted, subject="Objet\xa0: réponse « oui »\u2028suite 👩\u200d🚒")
    assert answer.status_code == 202, answer.text
    assert [each["address"] for each in answer.json()["recipients"]] == [
        "jeanne.dupont@citizen.test",
        "luc@citizen.test",
    ]
    record = outbox().get(answer.json()["id"])
    assert record.to[0].display_name == "Jeanne Dupont"
    assert record.subject == "Objet\xa0: réponse « oui » suite 👩\u200d🚒"


def test_every_error_is_listed(site):
    answer = send(site, to=["x"], cc=["y"], subject="", attachments=["z"])
    assert [error["field"] for error in answer.json()["errors"]] == ["to", "cc", "subject", "attachments"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "1"])
def test_body_that_is_no_json_object(site, body):
    answer = site.post(
        f"{DOCUMENT}/@send-email", "agent", data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert len(outbox()) == 0


def test_attachment_of_another_document_is_refused(site):
    other = uid(site, "/outgoing-mail/invitation")
    assert send(site, attachments=[other]).status_code == 400
    foreign = file_uids(site)[:1]
    assert (
        send(site, path="/outgoing-mail/invitation", attachments=foreign).json()["errors"][0]["field"]
        == "attachments"
    )


def test_position_of_somebody_else_is_refused(site):
    from imio.mailbridge.ports.directory import IDirectory

    (other,) = IDirectory(site.portal).identities("agent2", ())
    assert send(site, sender=other.uid).json()["errors"][0]["field"] == "sender"


def test_service_address_only_where_it_is_allowed(site):
    from imio.mailbridge.ports.directory import IDirectory

    service = uid(site, "/contacts/plonegroup-organization/administration-generale")
    assert send(site, sender=service).status_code == 400
    stored_settings().service_senders = [service, uid(site, "/contacts/plonegroup-organization/urbanisme")]
    transaction.commit()
    names = [
        str(identity.address)
        for identity in IDirectory(site.portal).identities("agent", stored_settings().service_senders)
    ]
    assert names == [
        '"Al Bert" <al.bert@maville.test>',
        '"Administration générale" <administration@maville.test>',
    ]
    assert (
        send(site, sender=service).json()["reply_to"]
        == '"Administration générale" <administration@maville.test>'
    )
    assert send(site, sender=uid(site, "/contacts/plonegroup-organization/urbanisme")).status_code == 400


@pytest.mark.parametrize(
    ("user", "status"), [(None, 401), ("gateway", 401), ("agent", 202), ("chef", 202), ("admin", 400)]
)
def test_who_may_send(site, user, status):
    answer = send(site, user)
    assert answer.status_code == status, answer.text
    assert len(outbox()) == (1 if status == 202 else 0)


def test_a_reader_of_a_document_does_not_send_it(site):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    site.portal["outgoing-mail"].manage_delLocalRoles(["agents"])
    document.manage_setLocalRoles("agent", ["Reader"])
    document.reindexObjectSecurity()
    transaction.commit()
    assert site.get(DOCUMENT, "agent").status_code == 200
    assert send(site).status_code == 401
    assert site.post("/contacts/jeanne-dupont/@send-email", "agent", json=GOOD).status_code == 202


@pytest.mark.parametrize(("user", "status"), [(None, 401), ("gateway", 401), ("agent2", 200)])
def test_who_sees_the_messages_of_a_document(site, user, status):
    send(site)
    assert site.get(f"{DOCUMENT}/@send-email", user).status_code == status


def test_without_an_smtp_server_the_reason_is_given(site):
    stored_settings().smtp_host = None
    transaction.commit()
    answer = send(site)
    assert answer.status_code == 400
    assert "SMTP" in answer.json()["errors"][0]["message"]


def test_without_a_login_address_the_reason_is_given(site):
    stored_settings().login_address = None
    transaction.commit()
    assert send(site).json()["errors"][0]["field"] == "sender"


def test_bcc_is_for_its_sender_and_managers(site):
    send(site, bcc=["secret@citizen.test"])
    for user, sees in [("agent", True), ("agent2", False), ("admin", True)]:
        (message,) = site.get(f"{DOCUMENT}/@send-email", user).json()["items"]
        assert ("secret@citizen.test" in str(message)) is sees, user


def test_outbox_is_a_batch_for_managers(site):
    for _ in range(3):
        send(site)
    listing = site.get("/@outbox?state=queued&b_size=2", "chef").json()
    assert listing["items_total"] == 3
    assert len(listing["items"]) == 2
    assert "next" in listing["batching"]
    assert site.get("/@outbox?state=sent", "chef").json()["items"] == []
    assert site.get("/@outbox", "agent").status_code == 401
    assert site.get("/@outbox").status_code == 401


def test_one_message_is_for_its_sender_and_managers(site):
    id = send(site).json()["id"]
    assert site.get(f"/@outbox/{id}", "agent").json()["state"] == "queued"
    assert site.get(f"/@outbox/{id}", "chef").status_code == 200
    assert site.get(f"/@outbox/{id}", "agent2").status_code == 404
    assert site.get(f"/@outbox/{id}").status_code == 401
    assert site.get("/@outbox/unknown", "chef").status_code == 404


def test_cancel_and_retry(site):
    id = send(site).json()["id"]
    assert site.post(f"/@outbox/{id}/cancel", "agent2").status_code == 404
    assert site.post(f"/@outbox/{id}/cancel").status_code == 401
    assert site.post(f"/@outbox/{id}/retry", "agent").status_code == 409
    cancelled = site.post(f"/@outbox/{id}/cancel", "agent")
    assert cancelled.json()["state"] == "cancelled"
    assert site.post(f"/@outbox/{id}/cancel", "agent").status_code == 409
    assert site.post(f"/@outbox/{id}/burn", "agent").status_code == 404


def test_status(site):
    send(site)
    status = site.get("/@mailbridge-status", "chef").json()
    assert status["outbox"] == {"queued": 1}
    assert status["inbox"] == {}
    assert status["held"] is None
    assert status["oldest_waiting"]
    assert status["worker"]["alive"] is False
    assert site.get("/@mailbridge-status", "gateway").status_code == 401
