"""Delivery against a real SMTP server: what is told is what the server said."""

from datetime import timedelta
from email import message_from_bytes
from imio.mailbridge.delivery import deliver as delivery
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.smtp import SmtpConnection
from plone import api
from tests.servers.certificates import Certificates
from unittest.mock import Mock
from ZODB.POSException import ConflictError
import pytest
import transaction


DOCUMENT = "/outgoing-mail/permis-durbanisme"
JEANNE = "jeanne.dupont@citizen.test"


@pytest.fixture
def send(caught, send):
    """Send to a server that takes everything."""
    return send


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def document(site):
    return site.portal.unrestrictedTraverse(DOCUMENT.lstrip("/"))


def states(record):
    return dict(record.recipients)


def test_sent(site, send, caught):
    assert document(site).email_status in (None, "")
    record = send(JEANNE, bcc=["secret@citizen.test"])
    assert record.state == "sent"
    assert len(caught.messages) == 1
    message = caught.messages[0]
    assert message.mail_from == "administration@maville.test"
    assert message.rcpt_tos == [JEANNE, "secret@citizen.test"]
    read = message_from_bytes(message.content)
    assert read["From"] == '"Al Bert" <administration@maville.test>'
    assert read["Reply-To"] == '"Al Bert" <al.bert@maville.test>'
    assert read["Message-ID"] == record.message_id
    assert b"secret" not in message.content
    assert document(site).email_status.endswith("1 recipient of 1")
    assert api.content.get_state(document(site)) == "sent"


def test_nothing_is_told_before_the_server_answered(site, send):
    record = send(run=False)
    assert record.state == "queued"
    assert not document(site).email_status
    assert api.content.get_state(document(site)) != "sent"


def test_refused_recipient_fails_and_the_document_stays_open(site, send, caught):
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    record = send(JEANNE, "bad@citizen.test")
    assert states(record) == {JEANNE: "sent", "bad@citizen.test": "failed"}
    assert record.state == "failed"
    line = next(line for line in record.history if line["recipient"] == "bad@citizen.test")
    assert (line["state"], line["code"], line["text"]) == ("failed", 550, "5.1.1 no such user")
    assert "does not exist" in line["explanation"]
    assert "1" in document(site).email_status
    assert api.content.get_state(document(site)) != "sent"


def test_all_refused_writes_no_status(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    assert send().state == "failed"
    assert not document(site).email_status


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_temporary_answer_is_tried_again(send, caught, stage):
    caught.answers[stage] = ["451 4.7.1 greylisted", None]
    record = send()
    assert record.state == "deferred"
    assert now() < record.next_try <= now() + timedelta(minutes=1)
    assert not caught.messages
    deliver()
    assert record.state == "deferred", "not before its time"
    outbox().try_at(record, now() - timedelta(seconds=1))
    transaction.commit()
    sweep()
    transaction.begin()
    assert record.state == "sent"
    assert len(caught.messages) == 1
    assert message_from_bytes(caught.messages[0].content)["Message-ID"] == record.message_id


def test_deferred_beside_failed_is_not_forgotten(send, caught):
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    caught.answers[f"rcpt:{JEANNE}"] = ["450 4.2.0 later", None]
    record = send(JEANNE, "bad@citizen.test")
    assert states(record) == {JEANNE: "deferred", "bad@citizen.test": "failed"}
    outbox().try_at(record, now())
    transaction.commit()
    sweep()
    transaction.begin()
    assert states(record) == {JEANNE: "sent", "bad@citizen.test": "failed"}


def test_no_connection_is_deferred(send, caught):
    caught.stop()
    record = send()
    assert record.state == "deferred"
    assert "could not be reached" in record.history[-1]["explanation"]


def test_given_up_after_two_days(send, caught):
    caught.answers["rcpt"] = "451 4.7.1 later"
    record = send(run=False)
    record.trying_since -= timedelta(hours=49)
    transaction.commit()
    deliver(record.id)
    transaction.begin()
    assert record.state == "failed"


def test_failed_can_be_retried_by_a_person(site, send, caught):
    caught.answers["rcpt"] = ["550 5.2.2 full", None]
    record = send()
    assert record.state == "failed"
    assert site.post(f"/@outbox/{record.id}/retry", "agent").json()["state"] == "queued"
    deliver(record.id)
    transaction.begin()
    assert record.state == "sent"


def test_cancelled_is_not_sent(site, send, caught):
    record = send(run=False)
    site.post(f"/@outbox/{record.id}/cancel", "agent")
    deliver(record.id)
    sweep()
    assert not caught.messages
    transaction.begin()
    assert record.state == "cancelled"


def test_refused_login_holds_the_account_and_a_probe_releases_it(
    site, caught, catcher_factory, send, certificates
):
    server = catcher_factory(login="bridge", password="right", security="starttls", certificates=certificates)
    change(
        smtp_host="localhost", smtp_port=server.port, smtp_login="bridge", smtp_security="starttls",
        smtp_ca_file=str(certificates.ca_file),
    )  # fmt: skip
    password.write("wrong")
    transaction.commit()
    first, second = send(run=False), send(run=False)
    deliver(first.id)
    deliver(second.id)
    transaction.begin()
    assert [first.state, second.state] == ["held", "held"]
    assert (
        "login" in site.get("/@mailbridge-status", "chef", headers={"Accept-Language": "en"}).json()["held"]
    )
    sweep()
    transaction.begin()
    assert first.state == "held"
    password.write("right")
    outbox().retry_held()
    transaction.commit()
    sweep()
    transaction.begin()
    assert not outbox().holds
    deliver()
    transaction.begin()
    assert [first.state, second.state] == ["sent", "sent"]
    assert len(server.messages) == 2


def test_time_on_hold_is_not_the_messages(send, caught):
    caught.answers["mail"] = ["530 5.7.0 login first", "451 4.7.1 greylisted", None]
    record = send()
    assert record.state == "held"
    record.trying_since -= timedelta(hours=72)
    transaction.commit()
    sweep()
    deliver()
    transaction.begin()
    assert record.state == "deferred"


def test_another_account_starts_without_refusals(site):
    send_as.learn("default", "al.bert@maville.test", allowed=False)
    change(close_on_send=False)
    assert not send_as.verdict("default", "al.bert@maville.test").allowed
    change(smtp_login="other")
    assert send_as.verdict("default", "al.bert@maville.test") is None


def test_password_file_that_is_gone_holds_the_account(monkeypatch, send, caught, tmp_path):
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MAILBRIDGE_SMTP_SECURITY", "none")
    monkeypatch.setenv(password.FILE, str(tmp_path / "gone"))
    change(smtp_login="bridge")
    record = send()
    assert record.state == "held"
    assert "gone" in record.history[-1]["text"]
    assert outbox().hold_of()["remedy"] == answer_named("secret-unreadable").remedy
    monkeypatch.delenv(password.FILE)
    change(smtp_login=None)
    sweep()
    deliver()
    transaction.begin()
    assert record.state == "sent"


def test_password_of_the_environment_does_not_follow_a_changed_server(monkeypatch, send, catcher_factory):
    server = catcher_factory(login="bridge", password="given")
    monkeypatch.setenv(password.ENVIRONMENT, "given")
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "smtp.maville.test")
    monkeypatch.setenv("MAILBRIDGE_SMTP_SECURITY", "none")
    change(smtp_port=server.port, smtp_login="bridge")
    record = send()
    assert record.state == "held"
    assert outbox().hold_of()["remedy"] == answer_named("secret-for-another").remedy
    assert server.received["ehlo"] == 0
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "127.0.0.1")
    sweep()
    deliver()
    transaction.begin()
    assert record.state == "sent"


def test_password_that_smtp_cannot_carry(send, catcher_factory):
    change(smtp_port=catcher_factory(login="bridge", password="x").port, smtp_login="bridge")
    password.write("mot de passe é")
    transaction.commit()
    assert send().state == "held"


def test_certificate_is_verified(send, catcher_factory, certificates):
    for security in ("starttls", "tls"):
        server = catcher_factory(security=security, certificates=certificates)
        change(smtp_host="localhost", smtp_port=server.port, smtp_security=security, smtp_ca_file=None)
        record = send()
        assert record.state == "held", security
        assert not server.messages
        outbox().holds.clear()
        change(smtp_ca_file=str(certificates.ca_file))
        assert send().state == "sent"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_certificate_of_another_server_holds_the_account(send, catcher_factory, tmp_path, security):
    certificates = Certificates(tmp_path, "mail.other.test")
    server = catcher_factory(security=security, certificates=certificates)
    change(
        smtp_host="localhost", smtp_port=server.port, smtp_security=security,
        smtp_ca_file=str(certificates.ca_file),
    )  # fmt: skip
    record = send()
    line = record.history[-1]
    assert (record.state, line["answer"]) == ("held", "certificate")
    assert "not valid for 'localhost'" in line["text"]
    hold = outbox().hold_of("default")
    assert hold["remedy"] == answer_named("certificate").remedy
    assert not server.messages


def test_encryption_that_is_not_offered_is_not_done_without(send, caught):
    change(smtp_security="starttls")
    record = send()
    assert record.state == "held"
    assert not caught.messages


def test_send_as(send, caught):
    change(sender_policy="send_as")
    send()
    assert caught.messages[0].mail_from == "al.bert@maville.test"
    read = message_from_bytes(caught.messages[0].content)
    assert read["From"] == '"Al Bert" <al.bert@maville.test>'
    assert read["Reply-To"] is None


def may_send_as(site):
    from imio.mailbridge.ports.directory import IDirectory
    from plone.app.uuid.utils import uuidToObject

    (identity,) = IDirectory(site.portal).identities("agent", ())
    with api.env.adopt_roles(["Manager"]):
        uuidToObject(identity.uid).may_send_as = True
    transaction.commit()


@pytest.mark.parametrize(
    ("stage", "refusal"),
    [
        (
            "mail:al.bert@maville.test",
            "553 5.7.1 <al.bert@maville.test>: Sender address rejected: not owned by user x",
        ),
        ("rcpt", ["553 5.7.1 <al.bert@maville.test>: Sender address rejected: not owned by user x", None]),
        (
            "data:al.bert@maville.test",
            "554 5.2.252 SendAsDenied; x not allowed to send as al.bert@maville.test",
        ),
        (
            "data:al.bert@maville.test",
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        ),
    ],
)
def test_auto_falls_back_to_login_once_and_remembers(site, send, caught, stage, refusal):
    change(sender_policy="auto")
    may_send_as(site)
    caught.answers[stage] = refusal
    record = send()
    assert record.state == "sent"
    assert [message.mail_from for message in caught.messages] == ["administration@maville.test"]
    read = message_from_bytes(caught.messages[0].content)
    assert read["From"] == '"Al Bert" <administration@maville.test>'
    assert read["Reply-To"] == '"Al Bert" <al.bert@maville.test>'
    assert read["Message-ID"] == record.message_id
    assert [line["state"] for line in record.history] == ["queued", "queued", "sent"]
    assert "login address" in record.history[1]["explanation"]
    assert not send_as.verdict("default", "al.bert@maville.test").allowed
    before = caught.received["mail"]
    send()
    assert caught.received["mail"] == before + 1, "a known refusal is not asked for again"


def test_send_as_that_is_refused_fails_with_the_remedy(send, caught):
    change(sender_policy="send_as")
    caught.answers["rcpt"] = "553 5.7.1 <al.bert@maville.test>: Sender address rejected: not owned by user x"
    record = send()
    assert record.state == "failed"
    assert "Send As" in record.history[-1]["explanation"]


def test_auto_without_declaration_uses_the_login(send, caught):
    change(sender_policy="auto")
    send()
    assert caught.messages[0].mail_from == "administration@maville.test"


def test_one_connection_for_a_batch(send, caught):
    first = send(run=False)
    for _ in range(4):
        send(run=False)
    deliver(first.id)
    assert len(caught.messages) == 5
    assert caught.received["ehlo"] == 1


def test_a_conflict_after_the_250_does_not_send_again(monkeypatch, send, caught):
    record = send(run=False)
    settle, conflicts = delivery.settle, iter([ConflictError(), ConflictError()])

    def conflicting(*args):
        settle(*args)
        if (error := next(conflicts, None)) is not None:
            raise error

    monkeypatch.setattr(delivery, "settle", conflicting)
    deliver(record.id)
    transaction.begin()
    assert record.state == "sent"
    assert len(caught.messages) == 1


def test_a_document_that_cannot_be_written_hides_nothing(monkeypatch, site, send, caught):
    from imio.mailbridge.iadocs.sending import OutgoingMailSendingContext

    with monkeypatch.context() as broken:
        broken.setattr(OutgoingMailSendingContext, "write_status", lambda *args: 1 / 0)
        record = send()
        assert record.state == "sent"
    assert not document(site).email_status
    sweep()
    transaction.begin()
    assert document(site).email_status
    assert len(caught.messages) == 1


def test_a_dead_worker_is_followed_by_the_sweep(send, caught):
    record = send(run=False)
    account = settings().default_account
    delivery._claim(account, [record.id])
    transaction.commit()
    sweep()
    transaction.begin()
    assert record.state == "sending", "another worker may still hold it"
    assert delivery._claim(account, [record.id]) is None
    record.lease_until = now()
    transaction.commit()
    sweep()
    transaction.begin()
    assert record.state == "sent"
    assert len(caught.messages) == 1


def test_deleted_document_or_attachment_changes_nothing_for_what_is_queued(site, send, caught):
    uids = [api.content.get_uuid(item) for item in document(site).objectValues()]
    record = send(run=False, attachments=uids)
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(document(site), check_linkintegrity=False)
    transaction.commit()
    deliver(record.id)
    transaction.begin()
    assert record.state == "sent"
    names = [part.get_filename() for part in message_from_bytes(caught.messages[0].content).walk()]
    assert "Permis PU-2026-114.pdf" in names
    assert not outbox().to_write()


def test_size_over_the_announced_limit_fails_at_once(send, catcher_factory):
    server = catcher_factory(max_size=500)
    change(smtp_port=server.port)
    record = send(body="<p>" + "x" * 2000 + "</p>")
    assert record.state == "failed"
    assert "500" in record.history[-1]["text"]


def test_close_can_be_switched_off(site, send):
    change(close_on_send=False)
    send()
    assert document(site).email_status
    assert api.content.get_state(document(site)) != "sent"


def test_message_whose_bytes_are_gone_fails(send, caught):
    record = send(run=False)
    record.body = None
    transaction.commit()
    deliver(record.id)
    transaction.begin()
    assert (record.state, record.history[-1]["answer"]) == ("failed", "bytes-lost")
    assert not caught.received["mail"]


def test_poison_message_is_tried_again_and_keeps_nobody_waiting(send, caught, caplog):
    poison, good = send(run=False), send(run=False)
    poison.recipients = {f"a@{'é' * 70}.test": "queued"}  # no domain that SMTP can carry
    transaction.commit()
    deliver(poison.id)
    transaction.begin()
    assert (poison.state, good.state) == ("deferred", "sent")
    line = poison.history[-1]
    assert (line["answer"], line["code"]) == ("error", None)
    assert line["follows"] == "iA.docs tries again by itself."
    assert poison.next_try > now()
    assert poison.lease_until is None
    assert poison.id in caplog.text
    assert len(caught.messages) == 1
    assert caught.received["ehlo"] == 2, "what the error left of the dialogue is not used"


@pytest.mark.parametrize("error", [AttributeError("open"), OSError("no"), KeyError("x")])
def test_error_of_the_mailer_is_not_taken_for_lost_bytes(monkeypatch, send, caught, error):
    with monkeypatch.context() as broken:
        broken.setattr(SmtpConnection, "_recipients", Mock(side_effect=error))
        record = send()
    assert (record.state, record.history[-1]["answer"]) == ("deferred", "error")
    outbox().try_at(record, None)
    transaction.commit()
    sweep()
    transaction.begin()
    assert record.state == "sent"
