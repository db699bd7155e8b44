"""The mailboxes of the settings are read by the worker: a real Dovecot, each message one record; the login mailbox watched."""

from datetime import timedelta
from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.inbound import imap_reading as mailboxes
from imio.mailbridge.inbound import receive
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue.queue import NETWORK
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.imap import Imap
from tests.servers.peer import Peer
from tests.site.panel import page
from zope.schema import getFields
import pytest
import transaction


LOGIN = "administration@maville.test"
SECRET = "in+h7qm4tvx2kpzabcdefghj@bridge.test"


@pytest.fixture(scope="module")
def server(certificates):
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as server:
        yield server


@pytest.fixture
def dovecot(server):
    """The IMAP server, its mailbox empty."""
    with server.client() as client:
        for name in [
            name for _flags, _delimiter, name in client.list_folders() if name.startswith(("INBOX", "iA"))
        ]:
            client.select_folder(name)
            if uids := client.search("ALL"):
                client.delete_messages(uids)
                client.expunge()
    return server


@pytest.fixture
def declared(site, dovecot):
    """Declare the mailbox in the settings; return a function that does."""

    def declare(role="mail-in", address="in@bridge.test", **values):
        row = {name: field.default for name, field in getFields(IImapMailboxRow).items()} | {
            "name": "boite",
            "role": role,
            "address": address,
            "host": "localhost",
            "port": dovecot.port,
            "security": "tls",
            "ca_file": str(dovecot.certificates.ca_file),
            "auth": "password",
            "login": dovecot.LOGIN,
            "folder": "INBOX",
            "done": "move",
            "done_folder": "iA.docs",
            **values,
        }
        stored_settings().imap_mailboxes = [row]
        password.write(dovecot.PASSWORD, secrets_of("boite"))
        transaction.commit()

    return declare


@pytest.fixture
def read(site):
    """Run a pass as the worker does."""

    def read(times=1):
        for _ in range(times):
            assert site.task("@@mailbridge-fetch", name="boite") == 204

    return read


def crlf(raw):
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def here(dovecot, folder="INBOX"):
    with dovecot.client() as client:
        if not client.folder_exists(folder):
            return 0
        client.select_folder(folder, readonly=True)
        return len(client.search("ALL"))


def records():
    box = inbox()
    return [box.records[id] for id in box.newest_ids()]


def reply_to(record, subject="Re: Votre permis", **headers):
    return citizen(subject, **{"To": LOGIN, "In-Reply-To": record.message_id, **headers}).as_bytes()


def test_mail_in_is_filed_and_moved(site, dovecot, declared, read):
    stored_settings().mailin_addresses = [
        *stored_settings().mailin_addresses,
        {"address": SECRET, "service": None, "mailbox": "info@maville.test"},
    ]
    declared(address=SECRET)
    dovecot.append(crlf(redirected("Par IMAP")))
    before = len(records())
    read(2)
    assert len(records()) == before + 1
    record = records()[0]
    assert (record.state, record.transfer, record.proof) == ("filed", "redirect", "tag")
    with record.raw.open() as stream:
        assert stream.read() == crlf(redirected("Par IMAP"))
    assert here(dovecot) == 0
    assert here(dovecot, "iA-docs") == 1
    about = mailboxes.status_of("boite")
    assert (about.counts, about.waiting, about.problem, about.lease_until) == ({"kept": 1}, 0, None, None)


def test_secret_recipient_in_a_header(site, dovecot, declared, read):
    stored_settings().mailin_addresses = [
        *stored_settings().mailin_addresses,
        {"address": SECRET, "service": None, "mailbox": "info@maville.test"},
    ]
    declared(recipient_header="Delivered-To")
    dovecot.append(f"Delivered-To: {SECRET}\r\n".encode() + crlf(redirected("Par IMAP")))
    dovecot.append(b"Delivered-To: in+forged@other.test\r\n" + crlf(redirected("Forgé")))
    read()
    assert [(record.envelope_recipient, record.state) for record in records()[:2]] == [
        ("in@bridge.test", "quarantined"),
        (SECRET, "filed"),
    ]


def test_idle_mailbox_writes_nothing(site, dovecot, declared, read):
    declared()
    read()
    before = transaction.begin() and mailboxes.status_of("boite")._p_serial
    read(3)
    transaction.begin()
    assert mailboxes.status_of("boite")._p_serial == before


def test_sweep_queues_a_pass_for_each_mailbox_that_is_read_from_here(site, declared, monkeypatch):
    queued = []
    monkeypatch.setattr(
        mailboxes, "add", lambda url, method, params, queue: queued.append((url, params, queue))
    )
    declared()
    mailboxes.sweep()
    declared(host=None)
    mailboxes.sweep()
    assert queued == [("/plone/@@mailbridge-fetch", {"name": "boite"}, NETWORK)]


def test_the_task_is_not_on_the_web(site, declared):
    declared()
    for view in ("@@mailbridge-fetch?name=boite", "@@mailbridge-sweep-mailboxes"):
        assert site.get(f"/{view}", "admin").status_code == 404


@pytest.mark.parametrize(
    ("change", "stage"),
    [({"port": 9}, "connect"), ({"ca_file": None}, "tls"), ({"folder": "Nulle part"}, "folder")],
)
def test_problem_is_noted_and_cleared(site, declared, read, change, stage):
    declared(**change)
    read()
    about = mailboxes.status_of("boite")
    assert about.problem["stage"] == stage
    status = site.get("/@mailbridge-status", "chef").json()["mailboxes"]
    assert status[0]["problem"] == imap_answer(stage, about.problem["text"]).explanation
    declared()
    read()
    assert mailboxes.status_of("boite").problem is None


def test_wrong_password_is_not_tried_every_minute(site, declared, read, monkeypatch, dovecot):
    declared()
    password.write("wrong", secrets_of("boite"))
    transaction.commit()
    read()
    about = mailboxes.status_of("boite")
    assert about.problem["stage"] == "login"
    assert dovecot.PASSWORD not in about.problem["text"]
    for pause in (*mailboxes.LOGIN_PAUSES, mailboxes.LOGIN_PAUSES[-1]):
        wait = about.not_before - mailboxes.now()
        assert timedelta(minutes=pause - 1) < wait <= timedelta(minutes=pause)
        read()
    monkeypatch.setattr(mailboxes, "add", lambda *args, **kwargs: pytest.fail("queued"))
    mailboxes.sweep()


def test_admin_is_told_once_when_it_lasts(site, caught, declared, read):
    stored_settings().alarm_address = "it@maville.test"
    declared(port=9)
    read()
    deliver()
    assert not caught.messages
    about = mailboxes.status_of("boite")
    about.problem = {**about.problem, "since": about.problem["since"] - 2 * mailboxes.QUIET}
    transaction.commit()
    read(2)
    deliver()
    (message,) = caught.messages
    text = message_from_bytes(message.content, policy=policy.default).get_body(("plain",)).get_content()
    assert message.rcpt_tos == ["it@maville.test"]
    assert "boite" in message_from_bytes(message.content, policy=policy.default)["subject"]
    assert "@@mailbridge-mailboxes" in text


def test_two_workers_at_once(site, dovecot, declared, read):
    declared()
    dovecot.append(crlf(redirected("Une fois")))
    mailboxes.ensure_status("boite").lease_until = now() + mailboxes.LEASE
    transaction.commit()
    before = len(records())
    read()
    assert len(records()) == before, "the other one has it"
    mailboxes.ensure_status("boite").lease_until = now() - mailboxes.LEASE
    transaction.commit()
    read()
    assert len(records()) == before + 1


def test_conflict_and_error_while_one_is_kept(site, dovecot, declared, read, monkeypatch):
    declared()
    for subject in ("Un", "Deux"):
        dovecot.append(crlf(redirected(subject)))
    real, tried = receive._keep, []

    def keep(*args, **kwargs):
        tried.append(1)
        if len(tried) == 1:
            raise transaction.interfaces.TransientError
        if len(tried) == 2:
            raise OSError(28, "No space left on device")
        return real(*args, **kwargs)

    monkeypatch.setattr(receive, "_keep", keep)
    before = len(records())
    read()
    assert len(records()) == before + 1
    assert here(dovecot) == 1, "what could not be kept stays where it is"


def test_reply_is_filed_to_its_document_and_copied_to_the_agent(site, caught, sent, dovecot, declared, read):
    record = sent("jeanne.dupont@citizen.test")
    declared("login", LOGIN, copy_to_agent=True)
    dovecot.append(crlf(reply_to(record)))
    read()
    (filed,) = [each for each in records() if each.transfer == "reply"]
    assert (filed.state, filed.about) == ("filed", record.id)
    with api.env.adopt_roles(["Manager"]):
        item = uuidToObject(filed.items[0])
        assert [relation.to_object.UID() for relation in item.reply_to] == [record.document]
    assert outbox().get(record.id).state == "replied"
    deliver()
    (copy,) = caught.messages
    parsed = message_from_bytes(copy.content, policy=policy.default)
    assert copy.rcpt_tos == ["al.bert@maville.test"]
    assert copy.mail_from == LOGIN
    assert parsed["from"].addresses[0].addr_spec == LOGIN
    assert "Jeanne Dupont" in parsed["from"].addresses[0].display_name
    assert parsed["reply-to"].addresses[0].addr_spec == "jeanne.dupont@citizen.test"
    assert parsed["subject"] == "Re: Votre permis"
    assert record.message_id not in (parsed["message-id"], None)
    assert parsed.get_body(("plain",)).get_content().strip() == "Bonjour, voici ma demande à traiter."
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["plan.pdf"]
    assert parsed["auto-submitted"] == "auto-generated"


def test_answer_to_a_reply_address_is_known_where_the_mailbox_tells_no_recipient(
    site, sent, dovecot, declared, read
):
    stored_settings().own_reply_address = True
    declared()
    record = sent("jeanne.dupont@citizen.test")
    dovecot.append(crlf(citizen("Mes plans", To=str(record.sender.reply_to).upper()).as_bytes()))
    read()
    newest = records()[0]
    assert (newest.transfer, newest.state, newest.about) == ("reply", "filed", record.id)
    assert newest.envelope_recipient == "in@bridge.test"
    assert [each.origin for each in outbox().records.values() if each.about == record.id] == ["copy"]


def test_copy_for_the_agent_names_no_secret_address(site, caught, sent, dovecot, declared, read):
    record = sent("jeanne.dupont@citizen.test")
    declared("login", LOGIN, copy_to_agent=True)
    answer = message_from_bytes(reply_to(record, f"Re: {SECRET}"), policy=policy.default)
    answer.add_attachment(citizen("Dedans", **{"Delivered-To": SECRET}))
    dovecot.append(crlf(answer.as_bytes()))
    read()
    deliver()
    (copy,) = caught.messages
    assert b"Delivered-To: in+xxxxxxxxxxxxxxxxxxxxx@bridge.test" in copy.content
    assert message_from_bytes(copy.content, policy=policy.default)["subject"] == "Re: in+…@bridge.test"
    assert SECRET.encode() not in copy.content


def test_what_the_citizen_answers_to_the_agents_answer_is_filed_too(
    site, caught, sent, dovecot, declared, read
):
    record = sent("jeanne.dupont@citizen.test")
    declared("login", LOGIN, copy_to_agent=True)
    dovecot.append(crlf(reply_to(record)))
    read()
    deliver()
    parsed = message_from_bytes(caught.messages[0].content, policy=policy.default)
    again = citizen(
        "Re: Re: Votre permis",
        To=LOGIN,
        **{"In-Reply-To": "<agent-wrote-from-outlook@maville.test>", "References": parsed["message-id"]},
    )
    dovecot.append(crlf(again.as_bytes()))
    read()
    newest = records()[0]
    assert (newest.transfer, newest.about) == ("reply", record.id)
    assert len(outbox().get(record.id).history) > 2


def test_no_copy_where_the_agent_has_it_already_or_does_not_want_it(
    site, caught, sent, dovecot, declared, read
):
    record = sent("jeanne.dupont@citizen.test")
    stored_settings().notify_agent = False
    declared("login", LOGIN, copy_to_agent=True)
    dovecot.append(crlf(reply_to(record, Cc="Al Bert <al.bert@maville.test>")))
    read()
    declared("login", LOGIN, copy_to_agent=False)
    dovecot.append(crlf(reply_to(record, "Re: encore")))
    read()
    deliver()
    assert [each.transfer for each in records()[:2]] == ["reply", "reply"]
    assert caught.messages == []


def test_absence_message_is_recorded(site, sent, dovecot, declared, read):
    record = sent("jeanne.dupont@citizen.test")
    declared("login", LOGIN)
    dovecot.append(crlf(reply_to(record, "Absence", **{"Auto-Submitted": "auto-replied"})))
    read()
    newest = records()[0]
    assert (newest.state, newest.transfer, newest.about) == ("recorded", "auto-reply", record.id)
    assert here(dovecot) == 0


def test_bounce_is_recorded_and_told(site, caught, sent, dovecot, declared, read):
    record = sent("jeanne.dupont@citizen.test")
    declared("login", LOGIN, new_mail="leave")
    report = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.test\nTo: administration@maville.test\nSubject: Undelivered\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n'
        "Content-Type: text/plain\n\nno\n\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; jeanne.dupont@citizen.test\nAction: failed\n"
        "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b\nContent-Type: message/rfc822\n\n"
        f"Message-ID: {record.message_id}\nSubject: x\n\nx\n--b--\n"
    )
    dovecot.append(crlf(report.encode()))
    read()
    newest = records()[0]
    assert (newest.state, newest.transfer, newest.about, newest.null_sender) == (
        "recorded",
        "bounce",
        record.id,
        True,
    )
    assert outbox().get(record.id).state == "bounced"
    deliver()
    assert record.id in outbox().to_write(), "the sweep writes the document"
    assert [message.rcpt_tos for message in caught.messages] == [["al.bert@maville.test"]]
    assert here(dovecot) == 0


def test_report_about_nothing_of_ours_is_left_where_new_mail_is(site, dovecot, declared, read):
    declared("login", LOGIN, new_mail="leave")
    dovecot.append(crlf(citizen("Absence", To=LOGIN, **{"Auto-Submitted": "auto-replied"}).as_bytes()))
    read()
    assert here(dovecot) == 1


@pytest.mark.parametrize(
    ("new_mail", "state", "left"),
    [("file", "filed", 0), ("quarantine", "quarantined", 0), ("leave", None, 1)],
)
def test_mail_that_answers_nothing(site, dovecot, declared, read, new_mail, state, left):
    declared("login", LOGIN, new_mail=new_mail)
    dovecot.append(crlf(citizen("Nouveau", To=LOGIN).as_bytes()))
    before = len(records())
    read(2)
    new = [each.state for each in records()][: len(records()) - before]
    assert new == ([state] if state else [])
    assert here(dovecot) == left


def test_own_mail_in_the_mailbox_is_left(site, sent, dovecot, declared, read):
    """A notice, or a blind copy for the login address itself: it is no loop, and no work for anybody."""
    record = sent("jeanne.dupont@citizen.test")
    declared("login", LOGIN, new_mail="file")
    dovecot.append(crlf(citizen("Copie", **{"Message-ID": record.message_id}).as_bytes()))
    before = len(records())
    read()
    assert len(records()) == before
    assert here(dovecot) == 1


def test_an_agents_forward_to_the_login_address_is_treated_as_such(site, dovecot, declared, read):
    declared("login", LOGIN, new_mail="leave")
    dovecot.append(crlf(forwarded(citizen("À classer"))))
    read()
    assert (records()[0].state, records()[0].reason) == ("quarantined", "unproven-agent")


def test_login_address_by_a_pipe_leaves_nothing(site, declared):
    """What a pipe brings is in no mailbox: it is kept, whatever the rule."""
    declared("login", LOGIN, new_mail="leave", host=None)
    headers = {"Content-Type": "message/rfc822", "X-Envelope-Recipient": LOGIN}
    answer = site.post("/@@mail-in", "gateway", data=citizen("Nouveau").as_bytes(), headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (202, "quarantined")
    headers["Prefer"] = "leave-unrelated"
    answer = site.post("/@@mail-in", "gateway", data=citizen("Autre").as_bytes(), headers=headers)
    assert (answer.status_code, answer.json()["state"], answer.json()["items"]) == (200, "left", [])
    assert inbox().get(answer.json()["id"]) is None


def test_address_that_is_no_longer_declared_is_unknown(site, declared):
    declared("login", LOGIN)
    stored_settings().imap_mailboxes = []
    transaction.commit()
    headers = {"Content-Type": "message/rfc822", "X-Envelope-Recipient": LOGIN}
    assert site.post("/@@mail-in", "gateway", data=b"x", headers=headers).status_code == 422


def test_broken_message_in_the_login_mailbox_is_kept(site, dovecot, declared, read):
    declared("login", LOGIN, new_mail="leave")
    dovecot.append(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\xff\xfe\x00")
    read()
    assert mailboxes.status_of("boite").problem is None


def test_server_that_breaks_the_protocol_is_told_in_words(site, declared, read, certificates):
    with Peer(lambda talk: talk.say(b"* OK {2147483648}"), tls=certificates.server_context()) as peer:
        declared(port=peer.port, ca_file=str(certificates.ca_file))
        read()
    problem = mailboxes.status_of("boite").problem
    assert problem["stage"] == "answer"
    assert problem["text"] == "the server announced 2147483648 bytes, of at most 65536 in one answer"
    status = site.get("/@mailbridge-status", "chef").json()["mailboxes"]
    assert status[0]["problem"] == imap_answer("answer", "").explanation


@pytest.mark.parametrize(
    "greeting", [b"220 smtp.maville.test ESMTP", b"+OK POP3 ready", b"SSH-2.0-OpenSSH_9.2p1", b""]
)
def test_server_of_another_kind(site, declared, read, certificates, greeting):
    with Peer(lambda talk: talk.say(greeting), tls=certificates.server_context()) as peer:
        declared(port=peer.port, ca_file=str(certificates.ca_file))
        read()
    problem = mailboxes.status_of("boite").problem
    assert imap_answer(problem["stage"], problem["text"]).name == "not-imap", problem


def test_message_that_breaks_the_connection_keeps_no_other_waiting(site, declared, read, certificates):
    mails = {uid: crlf(redirected(f"Coupure {uid}")) for uid in range(1, 6)}
    before = len(records())
    with Peer(Imap(mails, cuts=[2]), tls=certificates.server_context()) as peer:
        declared(port=peer.port, ca_file=str(certificates.ca_file))
        read()
        about = mailboxes.status_of("boite")
        assert (about.problem["stage"], about.counts) == ("imap", {"kept": 1, "failed": 1})
        read()
    assert {record.subject for record in records()[: len(records()) - before]} == {
        "Coupure 1", "Coupure 3", "Coupure 4", "Coupure 5"
    }  # fmt: skip
    about = mailboxes.status_of("boite")
    assert (about.problem, about.waiting, about.counts) == (None, 0, {"kept": 4, "failed": 1})
    assert "The connection broke while this message was read." in page(site, "/@@mailbridge-mailboxes")
