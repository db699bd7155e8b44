"""LMTP clients that break the protocol: bounded in time and memory, told why, and no message is kept without an answer for good."""

from imio.mailbridge.gateway import lmtp
from imio.mailbridge.gateway.lmtp import Connection
from imio.mailbridge.gateway.lmtp import Gateway
from imio.mailbridge.gateway.site import Site
from pathlib import Path
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.lmtp import Client
from tests.servers.lmtp import Lmtp
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import asyncio
import contextlib
import ipaddress
import pytest
import threading


MAIL = b"From: jeanne@citizen.test\r\nSubject: Bonjour\r\n\r\nUne ligne\r\n"


@pytest.fixture
def site():
    with FakeSite() as site:
        yield site


@pytest.fixture
def gateway(site):
    """A gateway in a thread, at its ``port``: its bounds can be set."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    gateway = Gateway(Site(site.url), [ipaddress.ip_network("127.0.0.0/8")], max_connections=3)
    gateway.port = free_port()

    async def listen():
        return await loop.create_server(lambda: Connection(gateway, "localhost"), "127.0.0.1", gateway.port)

    async def end():
        server.close()
        for connection in list(gateway.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    yield gateway
    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def kept(site):
    return [request.body for request in site.requests if request.body]


def last_words(client, command, pause):
    """Return what the server says in the end to a client that repeats a command."""
    for _ in range(1000):
        client.send(command)
        line = client.line()
        if not line.startswith("250"):
            return line
        pause.wait(0.05)
    raise AssertionError("the server goes on for ever")


def test_connection_that_is_never_silent_has_its_time(gateway, monkeypatch):
    monkeypatch.setattr(lmtp, "LONGEST", 2.0, raising=False)
    client = Client(gateway.port)
    assert last_words(client, "NOOP", threading.Event()).startswith("421 4.4.2 ")
    assert client.line() == ""
    wait_for(lambda: not gateway.connections)


def test_message_that_drips_has_its_time(site, gateway, monkeypatch):
    """Each piece of it counts as a sign of life; none of it is kept."""
    monkeypatch.setattr(lmtp, "LONGEST", 2.0, raising=False)
    monkeypatch.setattr(lmtp, "MEMORY", 1)
    client, over = Client(gateway.port), threading.Event()
    client.begin()

    def drip():
        with contextlib.suppress(OSError):
            while not over.wait(0.05):
                client.send(b"x\r\n")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert client.line().startswith("421 4.4.2 ")
    finally:
        over.set()
        thread.join()
    assert kept(site) == []


def test_what_is_complete_is_answered_though_the_time_of_the_connection_is_over(site, gateway, monkeypatch):
    monkeypatch.setattr(lmtp, "LONGEST", 1.0, raising=False)
    over = threading.Event()
    site.answer = lambda handler: (handler.read(), over.wait(60), handler.reply(201, ACCEPTED))
    client, other = Client(gateway.port), Client(gateway.port)
    client.begin("a@x.test", "b@x.test")
    client.send(MAIL + b".\r\n")
    wait_for(lambda: site.requests)
    last_words(other, "NOOP", threading.Event())  # which began later, and is over now
    over.set()
    assert [client.line()[:3] for _ in range(2)] == ["250", "250"]
    assert last_words(client, "NOOP", threading.Event()).startswith("421 4.4.2 ")


def test_client_that_does_not_read_its_answers_holds_no_place(gateway, monkeypatch):
    monkeypatch.setattr(lmtp, "IDLE", 1.0)
    client = Client(gateway.port)

    def flood():
        with contextlib.suppress(OSError):
            while True:
                client.send(b"LHLO x\r\n" * 5000)

    thread = threading.Thread(target=flood)
    thread.start()
    wait_for(lambda: not gateway.connections)
    client.close()
    thread.join()


def test_command_line_without_end_is_cut(gateway):
    client = Client(gateway.port)
    client.send(b"NOOP\r\nMAIL FROM:<" + b"x" * (lmtp.Connection.line_length_limit - 10))
    assert client.line().startswith("250 ")
    assert client.line().startswith("500 5.5.2 ")
    assert client.line() == ""
    wait_for(lambda: not gateway.connections)


def test_command_line_that_ends_is_answered_and_ends_nothing(site, gateway):
    """In pieces too; the line of a message may be as long as the message."""
    client = Client(gateway.port)
    for _ in range(4):
        client.send(b"x" * 20_000)
        client.send(b"\r\n")
        assert client.line().startswith("500 5")
    (answer,) = client.deliver(b"x" * 200_000 + b"\r\n")
    assert answer.startswith("250")
    assert client.say("NOOP").startswith("250")


@pytest.mark.parametrize("recipients", [["in@bridge.test"], ["a@x.test", "b@x.test"]])
def test_client_that_closes_its_half_has_no_answer_and_may_send_again(site, gateway, recipients):
    """It cannot be told from one that is gone. What is sent again are the same bytes, which are one record of the site."""
    over = threading.Event()
    site.answer = lambda handler: (handler.read(), over.wait(60), handler.reply(201, ACCEPTED))
    client = Client(gateway.port)
    client.begin(*recipients)
    client.send(MAIL + b".\r\n")
    wait_for(lambda: kept(site))
    client.end_sending()
    assert client.line() == ""
    over.set()
    wait_for(lambda: not gateway.connections)
    again = Client(gateway.port).deliver(MAIL, *recipients)
    assert {answer[:3] for answer in again} == {"250"}
    assert set(kept(site)) == {MAIL.replace(b"\r\n", b"\n")}
    assert len(kept(site)) == 1 + len(recipients), "what waited for its turn was given up"


def test_half_closed_with_the_message_not_ended_is_not_kept(site, gateway):
    client = Client(gateway.port)
    client.begin()
    client.send(MAIL + b".")
    client.end_sending()
    assert client.line() == ""
    assert kept(site) == []


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        (["MAIL FROM:<é@x.test>"], "553 5.6.7"),
        (["MAIL FROM:<a@é.test> SIZE=10"], "553 5.6.7"),
        (["MAIL FROM:<a@x.test>", "RCPT TO:<é@x.test>"], "553 5.6.7"),
        (["MAIL FROM:<é@x.test> SMTPUTF8"], "250 2.1.0"),
        (["MAIL FROM:<a@x.test> SMTPUTF8", "RCPT TO:<é@x.test>"], "250 2.1.5"),
        ([b"MAIL FROM:<\xe9@x.test> SMTPUTF8\r\n"], "553 5.1.3"),
        (["MAIL FROM:<a@x.test> SMTPUTF8", b"RCPT TO:<\xe9@x.test>\r\n"], "553 5.1.3"),
        (
            ["MAIL FROM:<é@x.test> SMTPUTF8", "RSET", "MAIL FROM:<a@x.test>", "RCPT TO:<é@x.test>"],
            "553 5.6.7",
        ),
    ],
)
def test_addresses_that_are_not_ascii(gateway, commands, answer):
    """RFC 6531 §3.5; a refusal ends nothing."""
    client = Client(gateway.port)
    assert [client.say(command) for command in commands][-1].startswith(answer)
    assert client.say("RSET").startswith("250")
    assert client.deliver(MAIL)[0].startswith("250")


def resident(process):
    """Return the largest memory that a process had so far, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.parametrize(
    ("start", "most"),
    [([], 20), (["MAIL FROM:<a@x.test>", "RCPT TO:<b@x.test>", "DATA"], 150)],
    ids=["command", "message"],
)
def test_memory_while_50_clients_send_lines_without_end(site, start, most):
    with Lmtp(site.url, "--max-size", "5000000") as server:
        clients = [Client(server.port) for _ in range(50)]
        before = resident(server.process)

        def flood(client):
            with contextlib.suppress(OSError):
                for command in start:
                    client.say(command)
                while True:
                    client.send(b"x" * 65536)

        threads = [threading.Thread(target=flood, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        growth = resident(server.process) - before
        print(f"50 endless lines: {growth} MiB")
        assert Client(server.port).deliver(MAIL)[0].startswith("250")
        assert "Traceback" not in server.log
    assert growth < most
    assert kept(site) == [MAIL.replace(b"\r\n", b"\n")]
