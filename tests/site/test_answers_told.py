"""What follows from an answer: whose mail waits, who is told what, and when the next try is."""

from datetime import timedelta
from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery import account_alarm
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.delivery.hold import LOGIN_PAUSES
from imio.mailbridge.delivery.hold import PAUSES
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from imio.mailbridge.store.store import now
from plone import api
from tests.servers.scripted import Scripted
from zope.schema import getFieldNames
import pytest
import transaction


ADMIN = "admin@maville.test"
JEANNE, GROUP, BLIND = "jeanne@citizen.test", "groupe@citizen.test", "cache@ailleurs.test"
NOT_AUTHENTICATED = (
    f"550 5.1.1 <{GROUP}>: Recipient address rejected: undeliverable address: host mx.citizen.test said: "
    "550 5.7.1 Client was not authenticated"
)


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def run():
    sweep()
    deliver()
    transaction.begin()


def text_of(message):
    return message_from_bytes(message.content, policy=policy.default).get_body(("plain",)).get_content()


@pytest.fixture
def alarms(catcher_factory, site):
    """The server of another account, which takes the alarms."""
    server = catcher_factory()
    row = {
        "name": "cpas", "senders": ["cpas.test"], "host": "127.0.0.1", "port": server.port, "security": "none",
        "login_address": "noreply@cpas.test", "sender_policy": "login", "auth": "password",
    }  # fmt: skip
    change(alarm_address=ADMIN, smtp_accounts=[dict.fromkeys(getFieldNames(ISmtpAccountRow)) | row])
    return server


def subjects(server):
    deliver()
    return [message_from_bytes(each.content, policy=policy.default)["Subject"] for each in server.messages]


# a refused recipient


@pytest.mark.parametrize(
    "said",
    [NOT_AUTHENTICATED, "550 5.7.133 authentication required", "550 5.7.1 RESOLVER.RST.AuthRequired", "530 5.7.0 no",
     "535 5.7.8 no", "550 5.7.30 basic authentication is disabled", "550 5.7.705 tenant has exceeded threshold"],
)  # fmt: skip
def test_a_refused_recipient_holds_nobody(send, caught, alarms, said):
    caught.answers[f"rcpt:{GROUP}"] = said
    first, second = send(GROUP, JEANNE), send(JEANNE)
    assert dict(first.recipients) == {GROUP: "failed", JEANNE: "sent"}
    assert second.state == "sent"
    assert not outbox().holds
    assert GROUP not in repr(second.history)


def test_what_is_said_of_our_host_stops_nobody_where_the_server_took_the_message(send, caught, alarms):
    caught.answers[f"rcpt:{GROUP}"] = "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname"
    record = send(JEANNE, GROUP)
    assert dict(record.recipients) == {JEANNE: "sent", GROUP: "failed"}
    assert record.history[-1]["answer"] == "refused" or record.history[-2]["answer"] == "refused"
    assert not outbox().holds
    assert [each for each in subjects(alarms) if "stopped" in each or "again" in each] == []


def test_a_hold_puts_no_words_on_another_message(send, caught):
    caught.answers["data"] = f"550 5.7.705 Access denied, tenant has exceeded threshold, to {GROUP}"
    first, second = send(GROUP), send(JEANNE)
    assert (first.state, second.state) == ("held", "held")
    assert GROUP in first.history[-1]["text"]
    assert second.history[-1]["explanation"] == answer_named("account-blocked").explanation
    assert GROUP not in repr(second.history)


@pytest.mark.parametrize(
    "said",
    [
        "550 5.1.1 <cache@ailleurs.test>: no",
        "550 5.1.1 Cache@Ailleurs.TEST no",
        "550 cache: no",
        "550 <cache-reel@x.test> no",
    ],
)
def test_words_about_a_blind_copy_stand_on_its_line_only(site, send, caught, said):
    caught.answers["data"] = said
    record = send(JEANNE, bcc=[BLIND])
    assert set(record.recipients.values()) == {"failed"}
    lines = {line["recipient"]: line["text"] for line in record.history if line["state"] == "failed"}
    assert "cache" not in lines[JEANNE].lower()
    assert "…" in lines[JEANNE]
    if "reel" not in said:
        assert "cache" in lines[BLIND].lower()


@pytest.mark.parametrize("domain", ["é.test", "xn--9ca.test", "XN--9ca.test"])
def test_words_about_a_blind_copy_whose_domain_has_two_forms(send, caught, domain):
    said = f"550 5.1.1 <{JEANNE}> unlike c.ache@{domain} is unknown"
    caught.answers[f"rcpt:{JEANNE}"] = said
    record = send(JEANNE, bcc=["c.ache@é.test"])
    (line,) = [line for line in record.history if line["recipient"] == JEANNE]
    assert line["text"] == f"5.1.1 <{JEANNE}> unlike … is unknown"


def test_words_about_the_sender_and_behind_the_own_address_stay(send, caught):
    change(sender_policy="send_as")
    said = "554 5.2.252 SendAsDenied; administration@maville.test not allowed to send as al.bert@maville.test"
    caught.answers["data"] = said
    assert send(JEANNE).history[-1]["text"] == said.removeprefix("554 ")
    del caught.answers["data"]
    caught.answers[f"rcpt:{JEANNE}"] = (
        f"550 5.1.1 <{JEANNE}>: jeanne.dupont@interne.test is unknown, not {GROUP}"
    )
    record = send(JEANNE, GROUP)
    (line,) = [line for line in record.history if line["state"] == "failed"]
    assert line["text"] == f"5.1.1 <{JEANNE}>: jeanne.dupont@interne.test is unknown, not …"


# a stopped account


def test_released_only_when_the_step_that_failed_works(send, caught, alarms):
    caught.answers["mail"] = "530 5.7.0 log in first"
    records = [send(), send()]
    for number, pause in enumerate((*PAUSES[1:], PAUSES[-1])):
        tried = caught.received["mail"]
        hold = outbox().holds["default"]
        outbox().holds["default"] = {**hold, "next_try": now()}
        transaction.commit()
        run()
        assert caught.received["mail"] == tried + 1, number
        wait = outbox().holds["default"]["next_try"] - now()
        assert timedelta(minutes=pause - 1) < wait <= timedelta(minutes=pause)
        run()
        assert caught.received["mail"] == tried + 1, "not before its time"
    assert [len(record.history) for record in records] == [2, 2], "the timeline does not grow"
    assert len(subjects(alarms)) == 1, "no all-clear"
    caught.answers.clear()
    outbox().retry_held()
    transaction.commit()
    run()
    assert [record.state for record in records] == ["sent", "sent"]
    assert len(subjects(alarms)) == 2


def test_the_all_clear_waits_for_a_message_that_is_taken(send, caught, alarms):
    change(notify_agent=False)
    caught.answers["mail"] = "530 5.7.0 log in first"
    record = send(GROUP)
    caught.answers = {f"rcpt:{GROUP}": "550 5.1.1 no such user"}
    run()
    assert (record.state, dict(outbox().holds)) == ("failed", {})
    assert len(subjects(alarms)) == 1
    assert send(JEANNE).state == "sent"
    assert len(subjects(alarms)) == 2


def test_a_message_that_does_not_reach_the_step_releases_nothing(send, caught):
    caught.answers["data"] = "550 5.1.8 Access denied, bad outbound sender"
    first, second = send(GROUP), send(JEANNE)
    caught.answers[f"rcpt:{GROUP}"] = "550 5.1.1 no such user"
    run()
    assert (first.state, second.state) == ("failed", "held")
    assert "default" in outbox().holds


def test_a_hold_without_messages_is_tried_by_mail(site, send, caught):
    caught.answers["mail"] = "530 5.7.0 log in first"
    record = send()
    site.post(f"/@outbox/{record.id}/cancel", "agent")
    transaction.begin()
    assert record.state == "cancelled"
    run()
    assert "default" in outbox().holds
    caught.answers.clear()
    outbox().retry_held()
    transaction.commit()
    run()
    assert not outbox().holds
    assert not caught.messages


def test_a_refused_password_is_shown_a_few_times_a_day(send, catcher_factory, certificates):
    server = catcher_factory(login="bridge", password="right", security="starttls", certificates=certificates)
    change(
        smtp_host="localhost", smtp_port=server.port, smtp_login="bridge", smtp_security="starttls",
        smtp_ca_file=str(certificates.ca_file),
    )  # fmt: skip
    password.write("wrong")
    transaction.commit()
    record = send()
    tries = server.received["ehlo"]
    for pause in LOGIN_PAUSES:
        run()
        assert server.received["ehlo"] == tries, "not before its time"
        hold = outbox().holds["default"]
        wait = hold["next_try"] - now()
        assert timedelta(minutes=pause - 1) < wait <= timedelta(minutes=pause)
        outbox().holds["default"] = {**hold, "next_try": now()}
        transaction.commit()
        run()
        assert server.received["ehlo"] > tries
        tries = server.received["ehlo"]
    assert 24 * 60 / LOGIN_PAUSES[-1] <= 12
    password.write("right")
    outbox().retry_held()  # what saving the settings does
    transaction.commit()
    run()
    assert record.state == "sent"


@pytest.mark.parametrize("stage", ["auth", "starttls"])
def test_a_login_that_is_put_off_is_not_tried_for_each_message(send, certificates, stage):
    with Scripted(certificates) as server:
        server.script[stage] = "454 4.7.0 Temporary authentication failure"
        change(
            smtp_host="localhost", smtp_port=server.port, smtp_login="bridge", smtp_security="starttls",
            smtp_ca_file=str(certificates.ca_file),
        )  # fmt: skip
        password.write(server.password)
        transaction.commit()
        records = [send(run=False) for _message in range(3)]
        deliver()
        transaction.begin()
        assert server.greetings == 1
        assert [record.state for record in records] == ["deferred"] * 3
        assert {record.history[-1]["code"] for record in records} == {454}
        server.script.clear()
        outbox().wake("default")
        transaction.commit()
        run()
        assert [record.state for record in records] == ["sent"] * 3


@pytest.mark.parametrize("name", ["smtp_port", "smtp_host", "smtp_login", "smtp_security"])
def test_another_server_makes_what_was_put_off_due(send, caught, name):
    caught.answers["mail"] = "451 4.3.0 later"
    record = send()
    assert record.next_try is not None
    caught.answers.clear()
    if name == "smtp_login":
        stored_settings().login_address = "administration@maville.test"
    values = {"smtp_port": 9, "smtp_host": "localhost", "smtp_login": "other", "smtp_security": "tls"}
    change(**{name: values[name]})
    assert record.next_try is None


def test_another_name_for_ehlo_makes_what_was_put_off_due(send, caught, alarms):
    caught.answers["mail"] = "421 4.7.0 Try again later, closing connection. (EHLO)"
    first, second = send(), send()
    second.account = "cpas"
    outbox().reindex(second)
    transaction.commit()
    change(ehlo_name="iadocs.maville.be")
    assert (first.next_try, second.next_try) == (None, None)


def test_other_settings_and_accounts_wake_nothing(send, caught, alarms):
    caught.answers["mail"] = "451 4.3.0 later"
    record = send()
    rows = [dict(row) for row in stored_settings().smtp_accounts]
    change(undo_seconds=7, smtp_accounts=[rows[0] | {"port": 9}])
    assert record.next_try is not None


def test_another_server_of_a_further_account(send, caught, alarms):
    caught.answers["mail"] = "451 4.3.0 later"
    record = send()
    record.account = "cpas"
    outbox().reindex(record)
    transaction.commit()
    rows = [dict(row) for row in stored_settings().smtp_accounts]
    change(smtp_accounts=[rows[0] | {"port": 9}])
    assert record.next_try is None


# nothing goes out


def later(minutes):
    """Let the trouble have begun some minutes ago."""
    trouble = outbox().troubles["default"]
    outbox().troubles["default"] = {**trouble, "at": trouble["at"] - timedelta(minutes=minutes)}
    transaction.commit()


@pytest.mark.parametrize("said", [None, "451 4.3.0 queue file write error"])
def test_nothing_leaves_for_half_an_hour(site, send, caught, alarms, said):
    if said:
        caught.answers["mail"] = said
    else:
        caught.stop()
    record = send()
    assert record.state == "deferred"
    later(29)
    run()
    assert subjects(alarms) == []
    later(1)
    run()
    run()
    (subject,) = subjects(alarms)
    assert "nothing goes out through the account default" in subject
    assert (said or "Connection refused") in text_of(alarms.messages[0])
    assert (
        "Nothing has gone out through the SMTP account"
        in site.get("", "chef", headers={"Accept": "text/html"}).text
    )
    status = site.get("/@mailbridge-status", "chef", headers={"Accept-Language": "en"}).json()
    assert any("default" in error for error in status["errors"])
    if said:
        caught.answers.clear()
    else:
        caught.start()
    outbox().try_at(record, None)
    transaction.commit()
    run()
    assert record.state == "sent"
    assert len(subjects(alarms)) == 2, "the all-clear"
    assert site.get("/@mailbridge-status", "chef").json()["errors"] == status["errors"][:-1]


def test_something_leaves_and_nobody_is_told(send, caught, alarms):
    caught.answers["mail"] = ["451 4.3.0 later"]
    send()
    assert send().state == "sent"
    assert not outbox().troubles


@pytest.mark.parametrize(
    "said", ["450 4.2.0 greylisted", "450 4.1.2 Domain not found", "452 4.2.2 mailbox full"]
)
def test_one_recipient_that_is_put_off_is_no_trouble(send, caught, alarms, said):
    caught.answers[f"rcpt:{JEANNE}"] = said
    assert send(JEANNE).state == "deferred"
    assert not outbox().troubles


@pytest.mark.parametrize(
    "said", ["451 4.3.0 Temporary lookup failure", "450 4.7.1 <vm>: Helo command rejected: Host not found"]
)
def test_what_is_said_to_everybody_is_trouble(send, caught, said):
    caught.answers["rcpt"] = said
    assert send(JEANNE).state == "deferred"
    assert set(outbox().troubles) == {"default"}


@pytest.mark.parametrize(
    ("said", "name"),
    [("451 4.3.0 later", "later"), ("450 4.2.0 greylisted", "greylisted"), ("421 4.3.2 too many", "busy")],
)
def test_at_the_end_of_the_tries_nothing_is_promised(site, send, caught, said, name):
    caught.answers["mail"] = said
    record = send()
    record.trying_since -= timedelta(hours=49)
    outbox().try_at(record, None)
    transaction.commit()
    del caught.answers["mail"]
    caught.answers[f"rcpt:{record.to[0].addr_spec}"] = said
    deliver(record.id)
    transaction.begin()
    assert record.state == "failed"
    assert record.history[-1]["explanation"] == answer_named(name).given_up
    deliver()
    (notice,) = caught.messages
    assert "has stopped trying" in text_of(notice)
    assert "tries again" not in text_of(notice)


# what no agent can mend


def test_send_as_that_is_refused_is_told_once_to_who_can_mend_it(send, caught, alarms):
    change(sender_policy="send_as")
    caught.answers["mail:al.bert@maville.test"] = (
        "553 5.7.1 Sender address rejected: not owned by user bridge"
    )
    assert [send().state, send().state] == ["failed", "failed"]
    deliver()
    (alarm,) = [text_of(each) for each in caught.messages if each.rcpt_tos == [ADMIN]]
    assert "not owned by user bridge" in alarm
    assert "ask the mail provider for the right" in alarm
    assert "tell your IT service" not in alarm, "this is whom it tells"
    notices = [text_of(each) for each in caught.messages if each.rcpt_tos != [ADMIN]]
    assert len(notices) == 2
    for said in notices:
        assert "Nothing is wrong with what you wrote: tell your IT service." in said
        assert "Once your IT service has fixed this, open the document to send again." in said


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("mail", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        ("mail", "550 5.1.8 Access denied, bad outbound sender"),
        ("data", "550 5.1.8 Access denied, bad outbound sender AS(42004)"),
        ("data", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP."),
    ],
)
def test_a_block_is_no_verdict_about_the_agent(send, caught, alarms, stage, said):
    send_as.learn("default", "maville.test", allowed=True)
    change(sender_policy="auto")
    caught.answers[stage] = said
    assert send().state == "held"
    assert send_as.verdict("default", "al.bert@maville.test").allowed
    assert len(subjects(alarms)) == 1
    assert account_alarm.waiting("default") == 1


# the document


@pytest.mark.parametrize(
    ("bounced", "words"), [(JEANNE, "1 recipient of 1, 1 came back"), (BLIND, "1 recipient of 1")]
)
def test_the_document_says_what_came_back(site, send, caught, bounced, words):
    record = send(JEANNE, bcc=[BLIND])
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    assert document.email_status.endswith("1 recipient of 1"), "nobody learns of a blind copy"
    outbox().update(record, {bounced: "bounced"})
    outbox().let_write(record)
    transaction.commit()
    for _time in range(2):
        run()
        assert document.email_status.endswith(words)


def test_a_document_that_was_opened_again_is_not_closed_by_what_comes_back(site, send, caught):
    record = send(JEANNE)
    outbox().update(record, {JEANNE: "bounced"})
    outbox().let_write(record)
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    with api.env.adopt_roles(["Manager"]):
        workflow = api.portal.get_tool("portal_workflow")
        workflow.setStatusOf(
            "mailbridge_outgoing_workflow", document, {"review_state": "created", "action": "back"}
        )
    transaction.commit()
    run()
    assert api.content.get_state(document) == "created"
