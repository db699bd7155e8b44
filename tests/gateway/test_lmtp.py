"""The command ``mailbridge-lmtp``: one answer for each recipient, bytes as they came, hostile clients, a graceful end."""

from imio.mailbridge.gateway.lmtp import forwarded_address
from imio.mailbridge.gateway.lmtp import one_line
from pathlib import Path
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.lmtp import Client
from tests.servers.lmtp import COMMAND
from tests.servers.lmtp import Lmtp
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import contextlib
import os
import pytest
import random
import re
import signal
import smtplib
import subprocess
import threading


MAIL = b"From: jeanne@citizen.test\r\nSubject: Bonjour\r\n\r\nUne ligne\r\n"


@pytest.fixture
def site():
    with FakeSite() as site:
        yield site


@pytest.fixture
def lmtp(site):
    with Lmtp(site.url, "--max-size", "41943040") as server:
        yield server


@pytest.fixture
def client(lmtp):
    with contextlib.closing(Client(lmtp.port)) as client:
        yield client


def per_recipient(site, **answers):
    """Let the site answer by the envelope recipient: local part → (status, body)."""

    def answer(handler):
        handler.read()
        local = handler.headers["X-Envelope-Recipient"].partition("@")[0]
        handler.reply(*answers.get(local, (201, ACCEPTED)))

    site.answer = answer


def test_delivered_as_a_pipe_would(site, client):
    (answer,) = client.deliver(MAIL)
    assert answer == "250 2.0.0 'filed' as 'abc' (HTTP 201)"
    (request,) = site.requests
    assert request.path == "/site/@@mail-in"
    assert request.body == MAIL.replace(b"\r\n", b"\n"), "the bytes that Postfix gives a pipe"
    expected = {
        "Content-Type": "message/rfc822",
        "X-Envelope-Recipient": "in@bridge.test",
        "X-Envelope-Sender": "jeanne@citizen.test",
        "Authorization": "Basic Z2F0ZXdheTpzZWNyZXQ=",
    }
    assert {name: request.headers.get(name) for name in expected} == expected
    assert "X-Client-Address" not in request.headers


def test_extensions(site, client):
    for extension in (
        "SIZE 41943040",
        "8BITMIME",
        "SMTPUTF8",
        "PIPELINING",
        "ENHANCEDSTATUSCODES",
        "XFORWARD NAME ADDR",
    ):
        assert extension in client.extensions
    assert "AUTH" not in client.extensions
    assert "STARTTLS" not in client.extensions


def test_one_answer_for_each_recipient_in_their_order(site, client):
    per_recipient(site, big=(413, {}), nobody=(422, {}), later=(500, {}), wrong=(401, {}))
    answers = client.deliver(
        MAIL, "a@x.test", "big@x.test", "nobody@x.test", "later@x.test", "wrong@x.test", "b@x.test"
    )
    assert [answer[:9] for answer in answers] == [
        "250 2.0.0",
        "552 5.3.4",
        "550 5.1.1",
        "451 4.3.0",
        "451 4.7.8",
        "250 2.0.0",
    ]
    assert client.say("NOOP").startswith("250")


def test_null_sender(site, client):
    client.deliver(MAIL, sender="")
    assert site.requests[0].headers["X-Envelope-Sender"] == "<>"


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"..dot\r\n...\r\n", b".dot\n..\n"),
        (b"a\n.\nb\r\n", b"a\n.\nb\n"),  # a bare LF ends nothing (SMTP smuggling)
        (b"a\n.\r\nb\r\n", b"a\n.\nb\n"),
        (b"a\r.\r\nb\r\n", b"a\r.\nb\n"),
        (b"\0\xff\r\n", b"\0\xff\n"),
        (b"x" * 300_000 + b"\r\n", b"x" * 300_000 + b"\n"),
        (b"x" * 65_535 + b"\r\n." + b"\r\n", b"x" * 65_535 + b"\n"),
    ],
)
def test_bytes(site, client, wire, body):
    if wire.endswith(b"\r\n.\r\n"):
        wire = wire[:-3]
    client.deliver(b"Subject: x\r\n\r\n" + wire)
    assert site.requests[0].body == b"Subject: x\n\n" + body


@pytest.mark.parametrize("length", range(65_530, 65_540))
def test_line_end_at_the_end_of_a_buffer(site, client, length):
    content = b"x" * length + b"\r\n.." + b"y" * length + b"\r\n"
    client.deliver(content)
    assert site.requests[0].body == b"x" * length + b"\n." + b"y" * length + b"\n"


def test_pipelined_commands(site, client):
    client.send(
        b"MAIL FROM:<a@x.test>\r\nRCPT TO:<in@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n"
        + MAIL
        + b".\r\nQUIT\r\n"
    )
    assert [client.line()[:3] for _ in range(7)] == ["250", "250", "250", "354", "250", "250", "221"]


def test_xforward(site, client):
    assert client.say("XFORWARD NAME=mail.test ADDR=192.0.2.7 PORT=1234").startswith("250")
    assert client.say("XFORWARD PROTO=ESMTP HELO=mail.test SOURCE=REMOTE").startswith("250")
    client.deliver(MAIL)
    client.deliver(MAIL)
    client.say("XFORWARD ADDR=192.0.2.8")
    client.say("RSET")
    client.deliver(MAIL)
    client.say("XFORWARD ADDR=IPV6:2001:db8::1")
    client.deliver(MAIL)
    client.say("XFORWARD ADDR=[UNAVAILABLE]")
    client.deliver(MAIL)
    assert [request.headers.get("X-Client-Address") for request in site.requests] == [
        "192.0.2.7",
        None,
        None,
        "2001:db8::1",
        None,
    ]


def test_a_client_that_postfix_does_not_know_is_no_other(site):
    """Not even the one of ``--client-address``, which may be a trusted one."""
    options = ("--max-size", "9999", "--client-address", "192.0.2.9")
    with Lmtp(site.url, *options) as lmtp, contextlib.closing(Client(lmtp.port)) as client:
        client.say("XFORWARD ADDR=[UNAVAILABLE]")
        client.deliver(MAIL)
        client.deliver(MAIL)
    assert [request.headers.get("X-Client-Address") for request in site.requests] == [None, "192.0.2.9"]


@pytest.mark.parametrize("command", ["XFORWARD", "XFORWARD COLOUR=red", "XFORWARD ADDR"])
def test_wrong_xforward(client, command):
    answer = client.say(command)
    assert answer[:3] in ("501", "250")
    assert client.say("NOOP").startswith("250")


@pytest.mark.parametrize("sender", ["a@x.test", ""])
def test_xforward_in_a_transaction(client, sender):
    client.say(f"MAIL FROM:<{sender}>")
    assert client.say("XFORWARD ADDR=192.0.2.7").startswith("503 5.5.1")


def test_client_address_when_the_server_says_none(site):
    with (
        Lmtp(site.url, "--max-size", "9999", "--client-address", "192.0.2.9") as lmtp,
        contextlib.closing(Client(lmtp.port)) as client,
    ):
        client.deliver(MAIL)
    assert site.requests[0].headers["X-Client-Address"] == "192.0.2.9"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("IPV6:::1", "::1"),
        ("+31+39+32.0.2.1", "192.0.2.1"),
        ("[TEMPUNAVAIL]", ""),
        ("unix:/x", ""),
        ("192.0.2.1+0D+0AX-Evil:1", ""),
        ("", ""),
    ],
)
def test_forwarded_address(value, address):
    assert forwarded_address(value) == address


def test_who_may_not_connect_is_told_and_cut_off(site):
    with Lmtp(site.url, "--allow", "192.0.2.0/24") as lmtp:
        client = Client(lmtp.port, hello=False)
        assert client.greeting.startswith("554 5.7.1")
        assert client.line() == ""
        with contextlib.suppress(OSError):
            client.send(
                b"LHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<in@x.test>\r\nDATA\r\n" + MAIL + b".\r\n"
            )
    assert not any(request.body for request in site.requests)


def test_too_many_connections(site):
    with Lmtp(site.url, "--max-connections", "2") as lmtp:
        clients = [Client(lmtp.port), Client(lmtp.port)]
        third = Client(lmtp.port, hello=False)
        assert third.greeting.startswith("421 4.3.2")
        clients[0].close()
        wait_for(lambda: _greeting(lmtp.port).startswith("220"))
        clients[1].close()


def _greeting(port):
    with contextlib.closing(Client(port, hello=False)) as client:
        return client.greeting


def test_size_is_announced_and_kept(site):
    site.answer = lambda handler: (
        handler.reply(400, {"max_size": 5000})
        if handler.headers["Content-Length"] == "0"
        else (handler.read(), handler.reply(201, ACCEPTED))
    )
    with Lmtp(site.url) as lmtp:
        wait_for(lambda: "SIZE 5000" in Client(lmtp.port).extensions)
        client = Client(lmtp.port)
        assert client.say("MAIL FROM:<a@x.test> SIZE=5001").startswith("552 5.3.4 ")
        answers = client.deliver(b"x" * 70 + b"\r\n" + b"y" * 6000 + b"\r\n", "a@x.test", "b@x.test")
        assert [answer[:9] for answer in answers] == ["552 5.3.4", "552 5.3.4"]
        (answer,) = client.deliver(MAIL)
        assert answer.startswith("250")
        assert len(site.requests) == 1
        client.begin()
        with pytest.raises(OSError):  # noqa: PT012
            for _ in range(1000):
                client.send(b"x" * 998 + b"\r\n")
            client.send(b".\r\n")
            if not client.line():
                raise OSError("cut off")


def test_full_disk_is_answered_for_each_recipient(site, tmp_path):
    with Lmtp(site.url) as server:
        server.process.kill()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    limited = ["/bin/sh", "-c", 'ulimit -f 3000; trap "" XFSZ; exec "$@"', "sh", *map(str, server.command)]
    process = subprocess.Popen(limited, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _tries(server.port))
        client = Client(server.port)
        answers = client.deliver((b"x" * 998 + b"\r\n") * 5000, "a@x.test", "b@x.test")
        assert [answer[:9] for answer in answers] == ["452 4.3.1", "452 4.3.1"]
        assert site.requests == [] or all(not request.body for request in site.requests)
        assert client.deliver(MAIL)[0].startswith("250")
    finally:
        process.kill()
        process.wait()


def _tries(port):
    with contextlib.suppress(OSError):
        return bool(_greeting(port))
    return False


def test_site_away_is_temporary_at_once_and_it_comes_back():
    port = free_port()
    with Lmtp(f"http://127.0.0.1:{port}/site") as lmtp:
        client = Client(lmtp.port)
        assert client.deliver(MAIL)[0][:7] in ("451 4.4",)
        with FakeSite(port):
            assert client.deliver(MAIL)[0].startswith("250")


def test_site_away_is_asked_once_for_what_waits(site):
    """100 recipients would otherwise wait for 100 timeouts; a message that comes later is a new try."""
    recipients = [f"r{number}@x.test" for number in range(20)]
    with Lmtp(site.url, "--max-size", "9999") as lmtp:
        client = Client(lmtp.port)
        site.answer = (503, {})
        assert {answer[:9] for answer in client.deliver(MAIL, *recipients)} == {"451 4.3.2"}
        assert {request.headers["X-Envelope-Recipient"] for request in site.requests} == {"r0@x.test"}
        site.answer = (201, ACCEPTED)
        assert {answer[:9] for answer in client.deliver(MAIL, *recipients)} == {"250 2.0.0"}


def test_limit_of_one_client_puts_off_no_other(site):
    """The site answers 429 to a client that brings too much; what waits may be of another one."""
    recipients = [f"r{number}@x.test" for number in range(3)]
    with Lmtp(site.url, "--max-size", "9999") as lmtp:
        statuses = iter([429] * 3)  # the gateway tries three times at once

        def answer(handler):
            handler.read()
            handler.reply(next(statuses, 201), ACCEPTED)

        site.answer = answer
        answers = [answer[:9] for answer in Client(lmtp.port).deliver(MAIL, *recipients)]
        assert answers == ["451 4.7.0", "250 2.0.0", "250 2.0.0"]


def test_concurrency_is_bounded(site):
    """While the site works on two of twenty messages that the gateway has, it is given no third one."""
    busy, most, lock, over = 0, 0, threading.Lock(), threading.Event()

    def answer(handler):
        nonlocal busy, most
        handler.read()
        with lock:
            busy += 1
            most = max(most, busy)
        over.wait(60)
        with lock:
            busy -= 1
        handler.reply(201, ACCEPTED)

    site.answer = answer
    with Lmtp(site.url, "--max-size", "9999", "--concurrency", "2") as lmtp, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Client(lmtp.port))) for _ in range(20)]
        for number, client in enumerate(clients):
            client.begin()
            client.send(MAIL + b"%d\r\n.\r\n" % number)
        wait_for(lambda: busy == 2)
        stack.enter_context(
            contextlib.closing(Client(lmtp.port))
        )  # whose greeting comes after what was sent before
        over.set()
        assert {client.line()[:3] for client in clients} == {"250"}
    assert len({request.body for request in site.requests if request.body}) == 20
    assert most == 2


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("EHLO x", "500 5"),
        ("HELO x", "500 5"),
        ("MAIL", "501 5"),
        ("RCPT TO:<a@x.test>", "503 5"),
        ("DATA", "503 5"),
        ("VRFY a@x.test", "252 2"),
        ("VRFY <", "252 2"),
        ("MAIL FROM:<", "451 4"),  # aiosmtpd stumbles, which says nothing for good
        ("MAIL FROM:<a@[", "451 4"),
        ("XCLIENT ADDR=192.0.2.1", "500 5"),
        ("AUTH PLAIN x", "538 5"),
        ("\xff\xfe", "500 5"),
        ("MAIL FROM:<" + "x" * 2000 + ">", "500 5"),
        ("MAIL FROM:<a@x> COLOUR=red", "555 5"),
        ("NOOP", "250 2"),
        ("", "500 5"),
    ],
)
def test_odd_commands_end_nothing(lmtp, client, command, answer):
    assert client.say(command).startswith(answer)
    assert client.deliver(MAIL)[0].startswith("250")
    assert "Traceback" not in lmtp.log


WORDS = (
    rb'MAIL RCPT DATA RSET LHLO XFORWARD VRFY HELP STARTTLS AUTH FROM: TO: <a@x.test> <> < > " @ SIZE= ADDR= = * %s {} (',
    b"\xff \0 \r \n \xc3\xa9",
)


def test_nonsense_ends_in_answers(lmtp):
    """Words of the protocol in any order; what comes back are replies, and nothing is logged that shows a defect."""
    chance, vocabulary = random.Random(5), b" ".join(WORDS).split(b" ")
    for _ in range(40):
        client = Client(lmtp.port)
        with contextlib.suppress(ConnectionError):
            for _ in range(30):
                words = chance.choices(vocabulary, k=chance.randint(1, 5))
                client.send(chance.choice((b"", b" ")).join(words) + b"\r\n")
            client.send(b"\r\n.\r\nQUIT\r\n")
            while line := client.line():
                assert re.match(r"\d{3}[ -]", line), line
        client.close()
    assert "Traceback" not in lmtp.log
    assert all(line.isprintable() for line in lmtp.log.splitlines())


def test_lhlo_first(lmtp):
    client = Client(lmtp.port, hello=False)
    for command in ("MAIL FROM:<a@x.test>", "DATA", "XFORWARD ADDR=192.0.2.1"):
        assert client.say(command).startswith("503 5")


def test_too_many_recipients(client):
    client.say("MAIL FROM:<a@x.test>")
    answers = [client.say(f"RCPT TO:<r{number}@x.test>")[:9] for number in range(101)]
    assert answers[-2:] == ["250 2.1.5", "452 4.5.3"]


def test_connection_lost_in_the_middle_posts_nothing(site, lmtp):
    client = Client(lmtp.port)
    client.begin()
    client.send(MAIL)
    client.close()
    other = Client(lmtp.port)
    other.deliver(b"other\r\n")
    assert [request.body for request in site.requests if request.body] == [b"other\n"]
    assert "Traceback" not in lmtp.log


def test_log_holds_no_line_of_a_stranger(lmtp, client):
    client.say("MAIL FROM:<é\u202e@x.test> SMTPUTF8")
    client.say("RCPT TO:<in@bridge.test>")
    client.say("DATA")
    client.send(MAIL + b".\r\n")
    assert client.line().startswith("250")
    line = next(line for line in lmtp.log.splitlines() if "from=" in line)
    assert line.isascii()
    assert line.isprintable()


def test_log_names_no_secret_part(lmtp, client):
    part = "abcdefgh23jkmnpqrstuv"
    sender = f"info+caf_=in+{part}=bridge.test@x.test"
    client.deliver(MAIL, f"in+{part}@bridge.test", sender=sender)
    line = next(line for line in lmtp.log.splitlines() if "from=" in line)
    assert part not in lmtp.log
    assert r"to='in+\u2026@bridge.test'" in line


def test_one_line():
    assert one_line("451 a\r\nb é" + "x" * 600) == "451 a??b ?" + "x" * 470


def test_smtplib_speaks_to_it(site, lmtp):
    with smtplib.LMTP("127.0.0.1", lmtp.port) as client:
        client.sendmail("a@x.test", ["in@bridge.test"], MAIL)
    assert [request.body for request in site.requests if request.body] == [MAIL.replace(b"\r\n", b"\n")]


def peak(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def test_large_message_stays_on_disk(site):
    """40 MB in lines of 998, and again in one line: measured, and bounded far below what a copy in memory would take."""
    with Lmtp(site.url, "--max-size", "50000000") as lmtp:
        client = Client(lmtp.port)
        client.deliver(MAIL)
        before = peak(lmtp.process)
        site.answer = lambda handler: (drain(handler), handler.reply(201, ACCEPTED))
        client.deliver((b"x" * 998 + b"\r\n") * 40_000)
        client.deliver(b"x" * 40_000_000 + b"\r\n")
        growth = peak(lmtp.process) - before
    print(f"40 MB by LMTP: peak {growth} MiB above idle")
    assert growth < 20


def drain(handler):
    left = int(handler.headers["Content-Length"])
    while left:
        left -= len(handler.rfile.read(min(left, 1 << 16)))


@pytest.fixture
def over(site):
    """The site reads what it gets, and answers when this event is set."""
    event = threading.Event()

    def answer(handler):
        handler.read()
        event.wait(60)
        handler.reply(201, ACCEPTED)

    site.answer = answer
    yield event
    event.set()


def test_graceful_stop(site, over):
    with Lmtp(site.url, "--max-size", "10000") as lmtp:
        idle, busy, receiving = Client(lmtp.port), Client(lmtp.port), Client(lmtp.port)
        receiving.begin()
        receiving.send(MAIL)
        busy.begin("a@x.test", "b@x.test")
        busy.send(MAIL + b".\r\n")
        wait_for(lambda: site.requests)
        lmtp.process.terminate()
        assert idle.line().startswith("421 4.3.2")
        assert receiving.line().startswith("421 4.3.2")
        over.set()
        assert [busy.line()[:3] for _ in range(2)] == ["250", "250"], "what was complete is answered"
        assert busy.line().startswith("421")
        assert lmtp.process.wait(30) == 0
        with pytest.raises(OSError):
            Client(lmtp.port)
    assert len(site.requests) == 2


def test_grace_ends(site, over):
    with Lmtp(site.url, "--max-size", "10000", "--grace", "1") as lmtp:
        busy = Client(lmtp.port)
        busy.begin()
        busy.send(MAIL + b".\r\n")
        wait_for(lambda: site.requests)
        lmtp.process.terminate()
        assert lmtp.process.wait(30) == 0
        assert busy.line() == "", "no answer: the client tries again"


@pytest.mark.parametrize("lost", [True, False])
def test_stop_does_not_wait_for_a_site_that_is_silent(site, lost):
    """Not for the question for its size, and not for a message whose client is gone and will come again."""
    over = threading.Event()
    site.answer = lambda handler: over.wait(60)
    with Lmtp(site.url, *(("--max-size", "10000") if lost else ())) as lmtp:
        if lost:
            client = Client(lmtp.port)
            client.begin()
            site.answer = lambda handler: (handler.read(), over.wait(60))
            client.send(MAIL + b".\r\n")
            wait_for(lambda: site.requests)
            client.close()
        lmtp.process.terminate()
        try:
            assert lmtp.process.wait(60) == 0
        finally:
            over.set()


def test_killed_the_client_has_no_answer(site, over):
    with Lmtp(site.url, "--max-size", "10000") as lmtp:
        client = Client(lmtp.port)
        client.begin()
        client.send(MAIL + b".\r\n")
        wait_for(lambda: site.requests)
        os.kill(lmtp.process.pid, signal.SIGKILL)
        assert client.line() == ""


def test_unix_socket(site, tmp_path):
    path = tmp_path / "lmtp"
    with Lmtp(site.url, "--listen", f"unix:{path}", "--socket-mode", "0600") as lmtp:
        assert path.stat().st_mode & 0o777 == 0o600
        with smtplib.LMTP(str(path), 0) as client:
            client.sendmail("a@x.test", ["in@bridge.test"], MAIL)
        second = subprocess.run(lmtp.command, capture_output=True, text=True, timeout=20)
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        os.kill(lmtp.process.pid, signal.SIGKILL)
        lmtp.process.wait()
        assert path.exists()
        with lmtp:
            wait_for(lambda: _lmtp_answers(path))
            lmtp.process.terminate()
            lmtp.process.wait(30)
            assert not path.exists()
    assert len([request for request in site.requests if request.body]) == 1


def _lmtp_answers(path):
    with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.LMTP(str(path), 0) as client:
        return client.noop()[0] == 250
    return False


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--listen", "127.0.0.1:0x"], 1, "--listen must be HOST:PORT or unix:PATH"),
        (["--listen", "127.0.0.1:99999"], 1, "127.0.0.1:99999"),
        (["--listen", "unix:/no/such/folder/x"], 1, "/no/such/folder/x"),
        (["--listen", "unix:/etc/passwd"], 1, "is there already, and no socket"),
        (["--listen", "127.0.0.1:1", "--allow", "town"], 2, "--allow"),
        (["--listen", "127.0.0.1:1", "--concurrency", "0"], 2, "--concurrency"),
        (["--listen", "127.0.0.1:1", "--client-address", "x"], 2, "--client-address"),
        ([], 2, "--listen"),
    ],
)
def test_wrong_options_are_one_clear_line(options, status, says):
    done = subprocess.run(
        [COMMAND, "--url", "http://127.0.0.1:9/", *options], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_url():
    done = subprocess.run(
        [COMMAND, "--url", "ftp://x", "--listen", "127.0.0.1:1"], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, "--url must be" in done.stderr) == (2, True)
