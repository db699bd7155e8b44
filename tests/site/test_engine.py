"""The delivery engine: connections, limits, sizes, and several workers at once."""

from datetime import timedelta
from email import message_from_bytes
from imio.mailbridge.delivery import deliver as delivery
from imio.mailbridge.delivery import dialogue
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import Account
from imio.mailbridge.taskqueue import queue as queues
from imio.mailbridge.taskqueue import replay
from imio.mailbridge.transport import smtp as mailer
from imio.mailbridge.transport.smtp_reply import SmtpReply
from io import BytesIO
from pathlib import Path
from ZODB.POSException import ConflictError
import pytest
import socket
import threading
import time
import transaction


JEANNE = "jeanne.dupont@citizen.test"


@pytest.fixture
def submit(site, caught):
    """Put messages into the Outbox; return their records."""

    def submit(count, **changes):
        records = []
        for number in range(count):
            data = {"to": [JEANNE], "subject": f"Message {number}", "body": "x", **changes}
            answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
            records.append(outbox().get(answer.json()["id"]))
        return records

    return submit


def states(records):
    transaction.begin()
    return [record.state for record in records]


def subjects(server):
    return [message_from_bytes(message.content)["Subject"] for message in server.messages]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_server_that_asks_to_reconnect(submit, caught, stage):
    records = submit(4)
    caught.answers[stage] = [None, "421 4.3.2 that was enough for one connection", None, None]
    deliver()
    # at MAIL nothing of a message was said yet: it goes on by a new connection at once
    assert states(records) == ["sent", "sent" if stage == "mail" else "deferred", "sent", "sent"]
    assert caught.received["ehlo"] == 2


def test_connection_that_was_lost_between_two_messages(submit, caught, monkeypatch):
    records = submit(2)
    read = dialogue.read

    def and_hang_up(claim):
        send = read(claim)

        def send_and_hang_up(connection, may_end):
            replies = send(connection, may_end)
            connection._connection.sock.shutdown(socket.SHUT_RDWR)
            return replies

        return send_and_hang_up

    monkeypatch.setattr(dialogue, "read", and_hang_up)
    deliver()
    assert states(records) == ["sent", "sent"]
    assert subjects(caught) == ["Message 0", "Message 1"]


def test_server_that_is_down_is_asked_once(site, submit, caught, monkeypatch):
    records = submit(5)
    asked = []
    monkeypatch.setattr(mailer.SmtpConnection, "_ready", down(asked))
    deliver()
    assert states(records) == ["deferred"] * 5
    assert len(asked) == 1
    assert {record.tries for record in records} == {1}
    assert all(record.next_try is not None for record in records)
    assert {line["answer"] for record in records for line in record.history[1:]} == {"not-reached"}


def down(asked):
    def ready(self):
        asked.append(self)
        raise mailer.DialogueEnded(SmtpReply("connect", 0, "Connection refused"))

    return ready


def test_message_that_breaks_the_connection_does_not_stop_the_others(submit, caught, monkeypatch):
    records = submit(3)
    stream, calls = mailer.SmtpConnection._stream, []

    def broken(self, message, may_end):
        calls.append(self)
        if len(calls) == 1:
            self._socket.shutdown(socket.SHUT_RDWR)
        return stream(self, message, may_end)

    monkeypatch.setattr(mailer.SmtpConnection, "_stream", broken)
    deliver()
    assert states(records) == ["deferred", "sent", "sent"]


def test_more_than_a_batch(site, submit, caught, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    records = submit(5)
    deliver()
    assert states(records) == ["sent"] * 5


def test_more_than_a_batch_when_the_minute_is_full(site, submit, caught, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    stored_settings().smtp_rate = 3
    transaction.commit()
    records = submit(7)
    deliver()
    assert states(records) == ["sent"] * 3 + ["queued"] * 4


def test_messages_a_minute(site, submit, caught, monkeypatch):
    stored_settings().smtp_rate = 2
    transaction.commit()
    records = submit(5)
    queue = queues.get_queue().huey
    queue.storage.flush_all()
    deliver()
    assert states(records) == ["sent", "sent", "queued", "queued", "queued"]
    assert queue.dequeue().eta is not None, "a worker comes back when there is room"
    deliver()
    sweep()
    assert len(caught.messages) == 2, "whoever comes earlier finds the minute full"
    box = outbox()
    box.recent["default"] = tuple(at - 60 for at in box.recent["default"])
    transaction.commit()
    deliver()
    assert len(caught.messages) == 4


def test_limit_of_attachments_is_told_before(site, caught):
    stored_settings().attachment_limit = 10
    transaction.commit()
    document = site.portal.unrestrictedTraverse("outgoing-mail/permis-durbanisme")
    uids = [item.UID() for item in document.objectValues()]
    data = {"to": [JEANNE], "subject": "Plan", "body": "x", "attachments": uids}
    answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "attachments"
    assert "10" in error["message"]
    assert len(outbox()) == 0


def test_500_recipients_are_refused_and_nothing_is_queued(site, caught):
    data = {"to": [f"citizen{number}@citizen.test" for number in range(500)], "subject": "Avis", "body": "x"}
    answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "to")
    assert len(outbox()) == 0


def test_bytes_that_are_gone_fail_in_words(submit, caught):
    good, bad = submit(2)
    Path(bad.body.committed()).unlink()
    bad.body._p_invalidate()
    deliver()
    assert states([good, bad]) == ["sent", "failed"]
    assert bad.history[-1]["answer"] == "bytes-lost"


def test_account_that_was_removed(site, submit, caught):
    (record,) = submit(1)
    record.account = "cpas"
    outbox().reindex(record)
    transaction.commit()
    deliver()
    transaction.begin()
    assert (record.account, record.state) == ("default", "queued"), "the account that serves its sender now"
    deliver()
    assert states([record]) == ["sent"]


def test_two_workers_send_each_message_once(site, submit, caught):
    """Two connections to the database, with one Outbox: who comes second takes another message, or none."""
    records = submit(3)
    account = settings().default_account
    first = delivery._claim(account, [record.id for record in records])
    transaction.commit()
    second = delivery._claim(account, [record.id for record in records])
    transaction.commit()
    assert [first.id, second.id] == [record.id for record in records[:2]]
    deliver()
    assert states(records) == ["sending", "sending", "sent"]
    assert len(caught.messages) == 1


# the mailer by itself


def lines_of(server):
    """Return the first connection's whole input of a server that says yes to everything."""
    server.listen()
    read = []

    def serve():
        connection, _address = server.accept()
        with connection, connection.makefile("rwb") as stream:
            stream.write(b"220 hello\r\n")
            stream.flush()
            data = False
            for line in stream:
                read.append(line)
                if data and line != b".\r\n":
                    continue
                answer = {
                    b"ehlo": b"250-me\r\n250-DSN\r\n250-8BITMIME\r\n250 SIZE 1000\r\n",
                    b"DATA": b"354 go\r\n",
                }
                stream.write(answer.get(line.split()[0], b"250 2.0.0 ok\r\n"))
                stream.flush()
                data = line == b"DATA\r\n" or (data and line != b".\r\n")
                if line == b"quit\r\n":
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread, read


@pytest.fixture
def wire():
    with socket.create_server(("127.0.0.1", 0)) as server:
        account = Account("default", "127.0.0.1", server.getsockname()[1], "none")
        yield server, mailer.SmtpConnection(account)


def test_what_goes_over_the_wire(wire):
    server, connection = wire
    thread, read = lines_of(server)
    message = [b"Subject: x\r\n\r\n.dot\r\n", BytesIO("é\r\n..two\r\nno end".encode())]
    replies = connection.deliver("a@b.test", ["c@d.test"], message, 40, eight_bit=True, envelope_id="abc")
    connection.deliver("a@b.test", ["c@d.test"], [b"x\r\n"], 3)
    connection.close()
    thread.join(10)
    assert replies == {"c@d.test": SmtpReply("data", 250, "2.0.0 ok")}
    assert [line.decode().strip() for line in read[1:]] == [
        "mail FROM:<a@b.test> SIZE=40 BODY=8BITMIME RET=HDRS ENVID=abc",
        "rcpt TO:<c@d.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@d.test",
        "DATA",
        "Subject: x",
        "",
        "..dot",
        "é",
        "...two",
        "no end",
        ".",
        "rset",
        "mail FROM:<a@b.test> SIZE=3 RET=HDRS",
        "rcpt TO:<c@d.test>",
        "DATA",
        "x",
        ".",
        "quit",
    ]


@pytest.mark.parametrize("cut", range(1, 14))
def test_dots_at_the_edge_of_blocks(cut):
    content = b"a\r\n.b\r\n..c\r\n.\r\n"
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    for message in (pieces, [BytesIO(piece) for piece in pieces]):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            connection = mailer.SmtpConnection(None)
            connection._connection = type("C", (), {"sock": ours, "file": None})
            connection._stream(message)
            sent = theirs.recv(1000)
        assert sent == b"a\r\n..b\r\n...c\r\n..\r\n.\r\n"


def test_size_that_is_too_much_is_not_even_tried(wire):
    server, connection = wire
    thread, read = lines_of(server)
    replies = connection.deliver("a@b.test", ["c@d.test"], [b"x"], 1001)
    connection.close()
    thread.join(10)
    assert replies["c@d.test"].code == 552
    assert "1001 > 1000" in replies["c@d.test"].text
    assert not any(line.startswith(b"mail") for line in read)


def test_server_that_drips_is_left_at_the_deadline():
    """A byte now and then keeps every read alive; the whole message has an end nevertheless."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _address = server.accept()
            with connection:
                connection.sendall(b"220 hello\r\n")
                connection.recv(1000)
                connection.sendall(b"250 me\r\n")
                try:
                    while True:
                        connection.sendall(b"2")
                        time.sleep(0.05)
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        account = Account("default", "127.0.0.1", server.getsockname()[1], "none")
        connection = mailer.SmtpConnection(account, timeout=10, deadline=0.5)
        replies = connection.deliver("a@b.test", ["c@d.test"], [b"x"], 1)
        assert replies["c@d.test"].code == 0
        thread.join(10)
        assert not thread.is_alive()


def test_storm_of_conflicts_over_the_next_message_loses_no_answer(submit, caught, monkeypatch):
    records = submit(2)
    committed, calls = delivery.committed, []

    def conflicting(change):
        calls.append(change)
        if len(calls) == 2:  # the lease on the second message, while the dialogue about the first goes on
            raise ConflictError
        return committed(change)

    monkeypatch.setattr(delivery, "committed", conflicting)
    deliver()
    assert states(records) == ["sent", "sent"]
    assert subjects(caught) == ["Message 0", "Message 1"]


def test_long_delivery_takes_turns_with_other_sites(submit, caught, monkeypatch):
    """A turn that is over at once sends one message; the task of another town waits for the turn that was queued before it."""
    records = submit(4)
    monkeypatch.setattr(delivery, "TURN", 0)
    huey, taken = queues.get_queue().huey, []
    huey.flush()
    delivery.deliver_rest()
    transaction.commit()
    queues.get_queue().submit(0, None, "/other/@@mailbridge-deliver", "POST", {}, {}, "", None, "/other")
    while huey.pending_count():
        task = huey.dequeue()
        taken.append((task.args[1], len(caught.messages)))
        huey.execute(task, task.eta)
        for due in huey.read_schedule(replay.now() + timedelta(minutes=1)):
            due.eta = None
            huey.enqueue(due)
    others = [sent for url, sent in taken if url == "/other/@@mailbridge-deliver"]
    assert others == [2]
    assert subjects(caught) == [f"Message {number}" for number in range(4)]
    assert set(states(records)) == {"sent"}
    assert {url for url, _sent in taken} == {"/plone/@@mailbridge-sweep-due", "/other/@@mailbridge-deliver"}


def test_rest_of_a_delivery_is_queued_once(submit, monkeypatch):
    submit(3)
    monkeypatch.setattr(delivery, "TURN", 0)
    huey = queues.get_queue().huey
    huey.flush()
    for _ in range(2):
        delivery.deliver_rest()
        transaction.commit()
    assert huey.pending_count() == 1


def test_task_of_a_message_sends_it_first_however_short_its_turn(submit, caught, monkeypatch):
    records = submit(3)
    monkeypatch.setattr(delivery, "TURN", 0)
    assert deliver(records[2].id) is True
    assert subjects(caught) == ["Message 2"]
