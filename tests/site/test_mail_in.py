"""``@@mail-in`` and ``@mail-in``: what a pipe is told, what is kept, what is filed, and who may do what."""

from datetime import timedelta
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound.flood import MAX_REPLIES
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.pipe import mailbridge_pipe
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.blobs import is_readable
from imio.mailbridge.taskqueue import queue as queues
from pathlib import Path
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from ZODB.POSException import ConflictError
import hashlib
import pytest
import subprocess
import transaction


PIPE = Path(mailbridge_pipe.__file__).with_name("mailbridge-pipe")


def items(answer):
    return [site_object(item) for item in inbox().get(answer.json()["id"]).items]


def site_object(uid):
    return uuidToObject(uid, unrestricted=True)


def original(item):
    (main,) = [child for child in item.objectValues() if child.portal_type == "dmsmainfile"]
    return main.file.data


@pytest.mark.parametrize("path", ["/@@mail-in", "/@mail-in"])
def test_redirect_is_filed(site, path):
    raw = redirected()
    answer = site.mail_in(raw, path=path)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["state"], body["transfer"], body["reason"]) == ("filed", "redirect", None)
    assert body["sha256"] == hashlib.sha256(raw).hexdigest()
    assert set(body) == {"@id", "id", "sha256", "state", "transfer", "reason", "items"}
    (listed,) = body["items"]
    assert listed["@type"] == "dmsincoming_email"
    assert listed["title"] == "Une véranda é"
    (item,) = items(answer)
    assert item.absolute_url() == listed["@id"]
    assert item.aq_parent.aq_parent.getId() == "incoming-mail"
    assert item.orig_sender_email == '"Jeanne Dupont" <jeanne.dupont@citizen.test>'
    assert [relation.to_object.Title() for relation in item.sender] == ["Jeanne Dupont"]
    assert item.original_mail_date.isoformat() == "2026-11-16"
    assert item.mail_type == "email"
    assert item.assigned_user is None
    assert original(item) == raw
    (appendix,) = [child for child in item.objectValues() if child.portal_type == "dmsappendixfile"]
    assert (appendix.file.filename, appendix.file.data) == ("plan.pdf", b"%PDF-1.4\0plan")
    assert appendix.file.contentType == "application/pdf"


def test_any_accept_header_will_do(site):
    for accept in ("*/*", "text/html, application/json", "text/plain"):
        answer = site.mail_in(redirected(**{"Message-ID": f"<{len(accept)}@c.test>"}), Accept=accept)
        assert answer.status_code == 201
        assert answer.json()["state"] == "filed"


def test_forward_with_two_messages_is_two_items(site):
    first, second = citizen("Un"), citizen("Deux")
    answer = site.mail_in(forwarded(first, second))
    assert answer.status_code == 201, answer.text
    assert answer.json()["transfer"] == "forward"
    filed = items(answer)
    assert [item.title for item in filed] == ["Un", "Deux"]
    assert {item.assigned_user for item in filed} == {"agent"}
    assert [original(item) for item in filed] == [first.as_bytes(), second.as_bytes()]


def test_services_come_from_address_and_mailbox(site):
    services = {
        brain.Title: brain.UID for brain in api.content.find(portal_type="organization", unrestricted=True)
    }
    stored_settings().mailin_addresses = [
        {"address": "in@bridge.test", "service": services["Administration générale"], "mailbox": None}
    ]
    transaction.commit()
    (item,) = items(site.mail_in(redirected()))
    assert item.treating_groups == services["Administration générale"]
    stored_settings().mailboxes = [{"address": "info@maville.test", "service": services["Urbanisme"]}]
    transaction.commit()
    (item,) = items(site.mail_in(redirected(**{"Message-ID": "<2@c.test>"})))
    assert item.treating_groups == services["Urbanisme"]


@pytest.mark.parametrize(
    ("raw", "headers", "transfer", "reason"),
    [
        (redirected(), {"X-Client-Address": "192.0.2.1"}, "redirect", "unproven-redirect"),
        (redirected(), {"X-Client-Address": ""}, "redirect", "unproven-redirect"),
        (redirected(), {"X-Client-Address": "127.0.0.1, 192.0.2.1"}, "redirect", "unproven-redirect"),
        (redirected(**{"Resent-From": "x@other.test", "To": "y@other.test"}), {}, "redirect", "undeclared-mailbox"),
        (forwarded(citizen()), {"X-Client-Address": "192.0.2.1"}, "forward", "unproven-agent"),
        (TEXT_FORWARD, {}, "inline-forward", "inline-forward"),
        (citizen(To="in@bridge.test").as_bytes(), {}, "direct", "direct"),
        (forwarded(citizen(), sender="x@stranger.test"), {}, "direct", "direct"),
        (b"\0\1\2 this is no message", {}, "direct", "unreadable"),
        (b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\nbody", {}, "direct", "too-complex"),
    ],
)  # fmt: skip
def test_what_is_not_filed_is_kept_with_a_reason(site, raw, headers, transfer, reason):
    answer = site.mail_in(raw, **headers)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["state"], answer.json()["transfer"], answer.json()["reason"]) == (
        "quarantined",
        transfer,
        reason,
    )
    assert answer.json()["items"] == []
    one = site.get(f"/@mail-in/{answer.json()['id']}", "chef").json()
    assert one["explanation"]
    assert one["remedy"]
    source = site.get(f"/@mail-in/{one['id']}/source", "chef")
    assert source.content == raw
    assert source.headers["Content-Type"].startswith("message/rfc822")


def test_nul_in_the_subject_is_filed_without_it(site):
    raw = redirected().replace(b"Subject: Une", b"Subject: U\0ne")
    answer = site.mail_in(raw)
    assert answer.status_code == 201, answer.text
    (item,) = items(answer)
    assert "\0" not in item.title
    assert original(item) == raw


def test_secret_tag_is_a_proof_for_its_mailbox_only(site):
    tagged = "in+h7qm4tvx2kpzabcdefghj@bridge.test"
    stored_settings().mailboxes = [
        {"address": f"{name}@maville.test", "service": None} for name in ("info", "urbanisme")
    ]
    stored_settings().mailin_addresses = [
        {"address": "in@bridge.test", "service": None, "mailbox": None},
        {"address": tagged, "service": None, "mailbox": "info@maville.test"},
    ]
    transaction.commit()
    untrusted = {"X-Client-Address": "192.0.2.1"}
    assert (
        site.mail_in(redirected(), **untrusted, **{"X-Envelope-Recipient": tagged}).json()["state"] == "filed"
    )
    guessed = {"X-Envelope-Recipient": "in+guess-guess-guess@bridge.test"}
    assert site.mail_in(redirected(), **untrusted, **guessed).json()["reason"] == "unproven-redirect"


@pytest.mark.parametrize(
    "label",
    [
        "label",
        "administration",
        "service-population-et-etat-civil",
        "urbanetcadastrecentre",  # the length and the letters of a secret part
        "urbanetcadastrecentr2",
        "h7qm4tvx2kpzabcdefgh",
        "h7qm4tvx2kpzabcdefghjk",
        "h7qm4tvx2lpzabcdefghj",
    ],
)
def test_label_that_somebody_chose_is_an_address_and_no_proof(site, label):
    address = f"in+{label}@bridge.test"
    patched = {"mailin_addresses": [{"address": address, "service": None, "mailbox": None}]}
    assert site.request("PATCH", "/@controlpanels/mailbridge", "admin", json=patched).status_code == 204
    record = site.receive(redirected(), **{"X-Client-Address": "192.0.2.1", "X-Envelope-Recipient": address})
    assert (record.reason, record.proof) == ("unproven-redirect", "")
    assert not is_secret(address)
    assert masked(address) == address


def test_same_bytes_again_is_the_same_record(site):
    first = site.mail_in(redirected())
    again = site.mail_in(redirected(), **{"X-Client-Address": "192.0.2.1"})
    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(inbox()) == 1
    other = site.mail_in(redirected(), **{"X-Envelope-Recipient": "in+other@bridge.test"})
    assert other.json()["id"] != first.json()["id"]


def test_recipient_may_be_missing_when_there_is_one_address(site):
    first = site.mail_in(redirected(), **{"X-Envelope-Recipient": ""})
    assert first.json()["state"] == "filed"
    assert site.mail_in(redirected()).status_code == 200, "the same recipient, told or not"
    stored_settings().mailin_addresses = [
        {"address": f"{name}@bridge.test", "service": None, "mailbox": None} for name in "ab"
    ]
    transaction.commit()
    answer = site.mail_in(redirected(**{"Message-ID": "<2@c.test>"}), **{"X-Envelope-Recipient": ""})
    assert (answer.status_code, answer.json()["reason"]) == (202, "no-recipient")


def test_unknown_recipient_is_final_and_keeps_nothing(site):
    assert site.mail_in(redirected(), **{"X-Envelope-Recipient": "out@bridge.test"}).status_code == 422
    assert len(inbox()) == 0


def test_removed_address_is_quarantined_for_a_while(site):
    site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"mailin_addresses": [
        {"address": "new@bridge.test", "service": None, "mailbox": None}]})  # fmt: skip
    answer = site.mail_in(redirected())
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (
        202,
        "quarantined",
        "no-recipient",
    )
    inbox().retired["in@bridge.test"] -= timedelta(days=31)
    transaction.commit()
    assert site.mail_in(redirected(**{"Message-ID": "<2@c.test>"})).status_code == 422


def test_unconfigured_bridge_asks_to_try_later(site):
    stored_settings().mailin_addresses = []
    inbox().retired.clear()
    transaction.commit()
    assert site.mail_in(redirected()).status_code == 503


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("message/rfc822", b"", 400),
        ("message/rfc822; charset=x", b"", 400),
        ("text/plain", b"From: a@b.be\n\nx", 415),
        ("application/x-www-form-urlencoded", b"From: a@b.be\n\nx", 415),
        ("application/x-www-form-urlencoded", b"x" * 2_000_000, 415),
        ("multipart/form-data; boundary=x", b"x" * 2_000_000, 415),
        ("", b"From: a@b.be\n\nx", 415),
        ("message/rfc822", b"From: a@b.be\n\n" + b"x" * 45_000_000, 413),
    ],
)
def test_refusals(site, content_type, body, status):
    for path in ("/@@mail-in", "/@mail-in"):
        answer = site.mail_in(body, path=path, **{"Content-Type": content_type})
        assert answer.status_code == status, answer.text
        assert answer.json()["message"]
        assert len(inbox()) == 0


def test_get_on_the_view(site):
    assert site.get("/@@mail-in", "gateway").status_code == 405


@pytest.mark.parametrize("path", ["/@@mail-in", "/@mail-in"])
@pytest.mark.parametrize(
    ("user", "status"),
    [(None, 401), ("nobody", 401), ("agent", 403), ("chef", 403), ("gateway", 201), ("admin", 201)],
)
def test_who_delivers(site, path, user, status):
    assert site.mail_in(redirected(), user, path).status_code == status
    assert len(inbox()) == (1 if status == 201 else 0)


@pytest.mark.parametrize(
    ("user", "status"), [(None, 401), ("agent", 401), ("gateway", 401), ("chef", 200), ("admin", 200)]
)
def test_who_reads(site, user, status):
    id = site.mail_in(redirected()).json()["id"]
    for path in ("/@mail-in", f"/@mail-in/{id}", f"/@mail-in/{id}/source"):
        assert site.get(path, user).status_code == status, path


@pytest.mark.parametrize("action", ["replay", "accept", "discard", "restore"])
@pytest.mark.parametrize(("user", "status"), [(None, 401), ("agent", 403), ("gateway", 403), ("chef", 200)])
def test_who_decides(site, action, user, status):
    id = site.mail_in(redirected(), **{"X-Client-Address": ""}).json()["id"]
    before = "discarded" if action == "restore" else "quarantined"
    if action == "restore":
        site.post(f"/@mail-in/{id}/discard", "chef", json={})
    assert site.post(f"/@mail-in/{id}/{action}", user, json={}).status_code == status
    if status != 200:
        assert inbox().get(id).state == before


def test_list_is_a_batch_with_filters(site):
    for number in range(3):
        site.mail_in(redirected(**{"Message-ID": f"<{number}@c.test>"}))
    site.mail_in(TEXT_FORWARD)
    listing = site.get("/@mail-in?state=filed&b_size=2", "chef").json()
    assert (listing["items_total"], len(listing["items"])) == (3, 2)
    assert listing["items"][0]["from"] == '"Jeanne Dupont" <jeanne.dupont@citizen.test>'
    assert [
        each["state"] for each in site.get("/@mail-in?transfer=inline-forward", "chef").json()["items"]
    ] == ["quarantined"]
    assert site.get("/@mail-in?state=nonsense", "chef").json()["items"] == []
    assert site.get("/@mail-in/unknown", "chef").status_code == 404
    assert site.post("/@mail-in/unknown/replay", "chef", json={}).status_code == 404


def test_replay_follows_the_rules_of_today(site):
    answer = site.mail_in(redirected(), **{"X-Client-Address": "192.0.2.1"})
    path = f"/@mail-in/{answer.json()['id']}"
    assert site.post(f"{path}/replay", "chef", json={}).json()["reason"] == "unproven-redirect"
    stored_settings().trusted_gateways = ["192.0.2.0/24"]
    transaction.commit()
    replayed = site.post(f"{path}/replay", "chef", json={})
    assert replayed.json()["state"] == "filed"
    assert [line["state"] for line in replayed.json()["history"]][-2:] == ["received", "filed"]
    assert replayed.json()["history"][-2]["by"] == "chef"
    assert site.post(f"{path}/replay", "chef", json={}).status_code == 409
    assert site.post(f"{path}/accept", "chef", json={}).status_code == 409


def test_accept_files_what_a_person_says(site):
    urbanisme = next(
        b.UID for b in api.content.find(portal_type="organization", Title="Urbanisme", unrestricted=True)
    )
    path = f"/@mail-in/{site.mail_in(TEXT_FORWARD).json()['id']}"
    data = {
        "sender": "Jean Dupont <jean@citizen.test>",
        "date": "2026-11-15T10:00:00+01:00",
        "service": urbanisme,
    }
    accepted = site.post(f"{path}/accept", "chef", json=data)
    assert accepted.json()["state"] == "filed", accepted.text
    (item,) = [site_object(uid) for uid in inbox().get(accepted.json()["id"]).items]
    assert item.orig_sender_email == '"Jean Dupont" <jean@citizen.test>'
    assert item.original_mail_date.isoformat() == "2026-11-15"
    assert item.treating_groups == urbanisme
    assert item.title == "Demande en texte"
    assert original(item) == TEXT_FORWARD


def test_a_document_is_no_service(site):
    path = f"/@mail-in/{site.mail_in(TEXT_FORWARD).json()['id']}"
    for uid in (site.portal["incoming-mail"]["demande-de-permis"].UID(), "x", 1, ["x"]):
        answer = site.post(f"{path}/accept", "chef", json={"service": uid})
        assert [answer.status_code, answer.json()["message"]] == [400, "There is no such service."], uid


def test_accept_as_proposal_or_direct(site):
    proposal = site.mail_in(TEXT_FORWARD).json()["id"]
    site.post(f"/@mail-in/{proposal}/accept", "chef", json={})
    direct = site.mail_in(TEXT_FORWARD + b"\n").json()["id"]
    site.post(f"/@mail-in/{direct}/accept", "chef", json={"as": "direct"})
    senders = [site_object(inbox().get(id).items[0]).orig_sender_email for id in (proposal, direct)]
    assert senders == ['"Jeanne Dupont" <jeanne.dupont@citizen.test>', '"Al Bert" <al.bert@maville.test>']


@pytest.mark.parametrize(
    "data",
    [{"sender": "x"}, {"sender": ["a@b.be"]}, {"sender": "a@b.be\nx"}, {"date": "yesterday"}, {"date": 1}, {"service": "0" * 32},
     {"service": ["x"]}, {"as": "other"}, [], "text"],
)  # fmt: skip
def test_accept_refuses_what_cannot_be(site, data):
    id = site.mail_in(TEXT_FORWARD).json()["id"]
    answer = site.post(f"/@mail-in/{id}/accept", "chef", json=data)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]
    assert inbox().get(id).state == "quarantined"


def test_restore_takes_a_discarded_message_back(site):
    answer = site.mail_in(TEXT_FORWARD).json()
    path = f"/@mail-in/{answer['id']}"
    assert site.post(f"{path}/restore", "chef", json={}).status_code == 409, "it was not discarded"
    assert site.post(f"{path}/discard", "chef", json={"why": "not-ours"}).json()["state"] == "discarded"
    back = site.post(f"{path}/restore", "chef", json={}).json()
    assert [back["state"], back["reason"]] == ["quarantined", "inline-forward"]
    assert site.post(f"{path}/accept", "chef", json={}).json()["state"] == "filed"


def test_discard_keeps_the_bytes(site):
    id = site.mail_in(TEXT_FORWARD).json()["id"]
    answer = site.post(f"/@mail-in/{id}/discard", "chef", json={"reason": "publicité"})
    assert answer.json()["state"] == "discarded"
    assert answer.json()["history"][-1]["text"] == "publicité"
    assert site.get(f"/@mail-in/{id}/source", "chef").content == TEXT_FORWARD
    assert site.mail_in(TEXT_FORWARD).json()["state"] == "discarded"


def test_inline_forward_can_be_filed_from_its_text(site):
    stored_settings().inline_forward = "file-proposal"
    transaction.commit()
    (item,) = items(site.mail_in(TEXT_FORWARD))
    assert item.orig_sender_email == '"Jeanne Dupont" <jeanne.dupont@citizen.test>'
    assert item.assigned_user == "agent"


def test_date_in_a_forwarded_text_is_of_the_town(site):
    """Late in the evening: read as UTC it would be the next day."""
    api.portal.set_registry_record("plone.portal_timezone", "Europe/Brussels")
    stored_settings().inline_forward = "file-proposal"
    transaction.commit()
    (item,) = items(site.mail_in(TEXT_FORWARD.replace(b"09:12", b"23:30")))
    assert item.original_mail_date.isoformat() == "2026-11-16"


def test_asynchronous_delivery_is_kept_and_filed_by_a_task(site):
    answer = site.mail_in(redirected(), Prefer="respond-async")
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    id = answer.json()["id"]
    assert site.task("@@mailbridge-process", id=id) == 204
    assert inbox().get(id).state == "filed"
    assert len(inbox().get(id).items) == 1
    site.task("@@mailbridge-process", id=id)
    assert len(api.content.find(portal_type="dmsincoming_email", Title="véranda", unrestricted=True)) == 1


def test_failed_filing_is_kept_with_its_exception_and_replayed(site, monkeypatch):
    from imio.mailbridge.iadocs.filing import Filer

    def broken(self, filing):
        api.content.create(site.portal, "Folder", "half")
        raise RuntimeError("disk on fire")

    with monkeypatch.context() as context:
        context.setattr(Filer, "file", broken)
        answer = site.mail_in(redirected())
    assert (answer.status_code, answer.json()["state"]) == (202, "failed")
    assert "half" not in site.portal.objectIds()
    one = site.get(f"/@mail-in/{answer.json()['id']}", "chef").json()
    assert "disk on fire" in one["error"]
    assert one["reason"] == "filing-error"
    assert site.mail_in(redirected()).json()["state"] == "failed"
    assert site.post(f"/@mail-in/{one['id']}/replay", "chef", json={}).json()["state"] == "filed"


def test_error_in_classifying_is_a_state_too(site, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(processing, "decide", lambda *args: 1 / 0)
        answer = site.mail_in(redirected())
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (
        202,
        "failed",
        "filing-error",
    )
    assert site.post(f"/@mail-in/{answer.json()['id']}/replay", "chef", json={}).json()["state"] == "filed"


def test_service_that_is_gone_is_explained(site):
    (urbanisme,) = api.content.find(portal_type="organization", Title="Urbanisme", unrestricted=True)
    stored_settings().mailboxes = [{"address": "info@maville.test", "service": urbanisme.UID}]
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(site_object(urbanisme.UID), check_linkintegrity=False)
    transaction.commit()
    answer = site.mail_in(redirected())
    assert (answer.json()["state"], answer.json()["reason"]) == ("quarantined", "filing-error")


def test_conflict_while_filing_makes_one_item(site, monkeypatch):
    apply, tries = processing.apply, []

    def conflicting(record, *args, **kwargs):
        apply(record, *args, **kwargs)
        tries.append(record.id)
        if len(tries) < 3:
            raise ConflictError

    monkeypatch.setattr(processing, "apply", conflicting)
    answer = site.mail_in(redirected())
    assert (answer.status_code, answer.json()["state"]) == (201, "filed")
    assert len(tries) == 3
    assert len(inbox()) == 1
    assert len(api.content.find(portal_type="dmsincoming_email", Title="véranda", unrestricted=True)) == 1


def test_unfinished_record_is_resumed_by_the_next_delivery(site, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr("imio.mailbridge.inbound.receive.process", lambda record: 1 / 0)
        assert site.mail_in(redirected()).status_code == 500
    assert inbox().counts() == {"received": 1}, "stored first"
    assert site.mail_in(redirected()).status_code == 201
    assert inbox().counts() == {"filed": 1}


@pytest.mark.parametrize("headers", [{}, {"Prefer": "respond-async"}])
def test_bytes_that_cannot_be_read_back_are_not_taken(site, monkeypatch, headers):
    with monkeypatch.context() as context:
        context.setattr("imio.mailbridge.inbound.receive.is_readable", lambda blob: False)
        assert site.mail_in(redirected(), **headers).status_code == 503
    assert site.mail_in(redirected()).status_code == 201


def test_lost_bytes_are_mended_by_the_next_delivery(site):
    record = inbox().get(site.mail_in(redirected()).json()["id"])
    Path(record.raw.committed()).unlink()
    transaction.commit()
    record.raw._p_invalidate()
    assert not is_readable(record.raw)
    assert site.mail_in(redirected()).status_code == 200
    transaction.begin()
    with record.raw.open("r") as stream:
        assert stream.read() == redirected()
    assert len(inbox()) == 1


def test_unfinished_record_is_found_by_the_sweep(site):
    site.mail_in(redirected(), Prefer="respond-async")
    queue = queues.get_queue(queues.FILING).huey
    queue.storage.flush_all()
    site.task("@@mailbridge-sweep-inbox")
    assert queue.pending_count() == 0, "its own request has time"
    (record,) = [inbox().get(id) for id in inbox().newest_ids()]
    inbox().remove(record)
    record.created -= timedelta(minutes=5)
    inbox().add(record)
    transaction.commit()
    site.task("@@mailbridge-sweep-inbox")
    assert queue.dequeue().args[1] == "/plone/@@mailbridge-process"
    site.task("@@mailbridge-process", id=record.id)
    assert inbox().counts() == {"filed": 1}


def test_reply_is_filed_and_linked(site, sent):
    message = sent()
    raw = citizen(**{"In-Reply-To": message.message_id, "To": "in@bridge.test"}).as_bytes()
    answer = site.mail_in(raw, **{"X-Client-Address": "192.0.2.1"})
    assert (answer.status_code, answer.json()["transfer"]) == (201, "reply")
    (item,) = items(answer)
    assert [relation.to_object.getId() for relation in item.reply_to] == ["permis-durbanisme"]
    assert message.state == "replied"
    forged = citizen(
        **{"In-Reply-To": message.message_id.replace("mailbridge.", "mailbridge.0"), "To": "in@bridge.test"}
    ).as_bytes()
    assert site.mail_in(forged).json()["transfer"] == "direct"


def reply(message, name, sender, number=0):
    fields = {"In-Reply-To": message.message_id, "To": "in@bridge.test", "Message-ID": f"<{number}@c.test>"}
    return citizen(f"Réponse {name}", From=sender, **fields).as_bytes()


UNTRUSTED = {"X-Client-Address": "192.0.2.1"}


def test_replies_to_one_message_are_limited_whatever_their_names(site, sent):
    message = sent()
    limit = MAX_REPLIES + len(message.recipients)
    states = [
        site.mail_in(reply(message, number, f"x{number}@citizen.test", number), **UNTRUSTED).json()["state"]
        for number in range(limit + 3)
    ]
    assert states == ["filed"] * limit + ["quarantined"] * 3
    (record,) = {inbox().records[id].reason for id in inbox().newest_ids("quarantined")}
    assert record == "too-many-replies"
    # a person who replays it is not counted, and an hour later there is room
    id = next(iter(inbox().newest_ids("quarantined")))
    assert site.post(f"/@mail-in/{id}/replay", "chef", json={}).json()["state"] == "filed"
    key = f"reply:{message.id}"
    inbox().recent[key] = tuple(time - 3601 for time in inbox().recent[key])
    transaction.commit()
    assert (
        site.mail_in(reply(message, "x", "x@citizen.test", "later"), **UNTRUSTED).json()["state"] == "filed"
    )


@pytest.mark.parametrize(
    ("sender", "headers", "is_related"),
    [
        ("al.bert@maville.test", UNTRUSTED, False),
        ("al.bert@maville.test", {}, True),  # a trusted server handed it over
        ("jeanne.dupont@citizen.test", UNTRUSTED, True),
    ],
)
def test_reply_in_an_agents_name_needs_the_agents_proof(site, sent, sender, headers, is_related):
    answer = site.mail_in(reply(sent(), "x", sender), **headers)
    assert (answer.json()["state"], answer.json()["transfer"]) == ("filed", "reply")
    (item,) = items(answer)
    assert bool(item.sender) is is_related
    assert sender in item.orig_sender_email


BOUNCE = """From: MAILER-DAEMON@mx.citizen.test
To: administration@maville.test
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.citizen.test

Final-Recipient: rfc822; jeanne.dupont@citizen.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: message/rfc822

Message-ID: {id}
Subject: Votre permis

x
--b--
"""


def test_bounce_is_recorded_on_its_message_and_is_no_item(site, sent):
    message = sent()
    answer = site.mail_in(BOUNCE.format(id=message.message_id).encode())
    assert (answer.status_code, answer.json()["state"], answer.json()["transfer"]) == (
        201,
        "recorded",
        "bounce",
    )
    assert message.state == "bounced"
    assert "5.1.1" in message.history[-1]["text"]
    unmatched = site.mail_in(BOUNCE.format(id="<mailbridge.guess@maville.test>").encode())
    assert (unmatched.status_code, unmatched.json()["reason"]) == (202, "unmatched-report")


@pytest.mark.parametrize("state", ["queued", "deferred", "held"])
def test_mail_from_outside_never_ends_what_still_waits(site, sent, state):
    message = sent()
    outbox().update(message, {"jeanne.dupont@citizen.test": state})
    transaction.commit()
    site.mail_in(BOUNCE.format(id=message.message_id).encode())
    site.mail_in(citizen(**{"In-Reply-To": message.message_id}).as_bytes())
    assert message.state == state
    assert len(message.history) == 3


def test_out_of_office_is_recorded(site, sent):
    message = sent()
    raw = citizen(**{"Auto-Submitted": "auto-replied", "In-Reply-To": message.message_id}).as_bytes()
    answer = site.mail_in(raw)
    assert (answer.json()["state"], answer.json()["transfer"]) == ("recorded", "auto-reply")
    assert message.state == "sent"
    assert len(message.history) > 1


def test_self_test_of_the_pipe_against_the_site(site):
    def selftest(user, recipient="in@bridge.test"):
        command = [PIPE, "--selftest", "--url", site.url, "--recipient", recipient]
        environment = {"PATH": "/usr/bin:/bin", "MAILBRIDGE_TOKEN": f"{user}:{PASSWORD}"}
        return subprocess.run(
            command, input=b"", env=environment, capture_output=True, timeout=60, check=False
        )

    passed = selftest("gateway")
    assert passed.returncode == 0, passed.stdout
    assert f"message_size_limit = {stored_settings().max_size}" in passed.stdout.decode()
    assert b"role Mail Gateway" in selftest("agent").stdout
    assert b"user and password" in selftest("nobody").stdout
    assert b"is not a mail-in address" in selftest("gateway", "x@bridge.test").stdout
    assert len(inbox()) == 0
