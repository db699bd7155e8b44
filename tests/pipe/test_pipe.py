"""Each message is delivered, refused by the site, or kept in the queue of the mail host."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from imio.mailbridge.pipe import mailbridge_pipe
from pathlib import Path
from tests.pipe.program import MESSAGE
from tests.pipe.program import PIPE
from tests.pipe.program import Result
from tests.pipe.program import run
from tests.pipe.program import start
from tests.pipe.program import TEMPORARY
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.waiting import wait_for
import base64
import contextlib
import json
import os
import pwd
import pytest
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import trustme


@pytest.fixture
def site():
    with FakeSite() as server:
        yield server


@pytest.fixture
def copied():
    """The pair of files as on a mail host: alone in a folder that every user may read."""
    folder = Path(tempfile.mkdtemp(prefix="mailbridge-pipe-"))
    folder.chmod(0o755)
    for name in ("mailbridge-pipe", "mailbridge_pipe.py"):
        shutil.copy(PIPE.with_name(name), folder)
    yield folder
    shutil.rmtree(folder)


# What the site answers


def statuses():
    odd = {105, 199, 209, 299, 309, 399, 412, 414, 420, 430, 444, 495, 499, 509, 520, 525, 530, 561, 599}
    return sorted({int(status) for status in HTTPStatus} | odd)


@pytest.mark.parametrize("body", [ACCEPTED, b"<html>Please log in</html>"], ids=["acceptance", "page"])
def test_every_status_but_the_final_ones_keeps_the_message(site, body):
    site.answer = ("from path", body)

    def deliver(status):
        return status, run(
            "--url", f"http://127.0.0.1:{site.server_port}/{status}", "--recipient", "in@bridge.test"
        )

    with ThreadPoolExecutor(4) as pool:
        results = dict(pool.map(deliver, statuses()))
    assert len(results) > 75
    without_body = (204, 205)
    for status, result in results.items():
        if 200 <= status <= 299 and body is ACCEPTED and status not in without_body:
            assert result.status == 0, (status, result)
            assert result.output == b"2.0.0 'filed' as 'abc' (HTTP %d)\n" % status
        elif status == 413:
            assert result.status == 65
            assert result.output.startswith(b"5.3.4 ")
        elif status == 422:
            assert result.status == 67
            assert result.output.startswith(b"5.1.1 'in@bridge.test'")
        elif status not in without_body:
            assert result.deferred, (status, result)
            assert b"HTTP %d:" % status in result.output or status == 100
    assert not [request for request in site.requests if request.path.startswith("/elsewhere")]


def test_no_status_is_final_that_the_contract_does_not_name():
    for status in range(100, 600):
        if status in (413, 422):
            continue
        with pytest.raises(mailbridge_pipe.Temporary, match=rf"^4\.\d\.\d .*HTTP {status}: .+"):
            mailbridge_pipe.judge("http://localhost/@@mail-in", status, b"", "in@bridge.test")
    for status in (*range(100, 200), *range(300, 413), *range(414, 422), *range(423, 600)):
        with pytest.raises(mailbridge_pipe.Temporary):
            mailbridge_pipe.judge("http://localhost/@@mail-in", status, json.dumps(ACCEPTED).encode(), "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b'"filed"',
        b"[]",
        b'["state", "id"]',
        b"{}",
        b'{"id": "abc"}',
        b'{"state": "filed"}',
        b'{"state": "", "id": ""}',
        b'{"state": null, "id": null}',
        b'{"state": 1, "id": 2}',
        b'{"state": "filed", "id": "abc"',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b" " * 2_000_000 + json.dumps(ACCEPTED).encode(),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_only_a_record_with_a_state_is_an_acceptance(site, body):
    site.answer = (200, body)
    assert run("--url", site.url).deferred


@pytest.mark.parametrize("state", ["filed", "recorded", "quarantined", "failed", "received"])
def test_a_kept_message_is_accepted_whatever_its_state(site, state):
    site.answer = (202, {**ACCEPTED, "state": state})
    assert run("--url", site.url) == (0, b"2.0.0 '%s' as 'abc' (HTTP 202)\n" % state.encode())


def test_the_answer_cannot_write_lines_of_its_own(site):
    site.answer = (201, {"state": "filed\n5.0.0 x\x1b[2J", "id": "é\n"})
    result = run("--url", site.url)
    assert result == (0, rb"2.0.0 'filed\n5.0.0 x\x1b[2J' as '\xe9\n' (HTTP 201)" + b"\n")


# What happens on the way there


def test_connection_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = run("--url", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert result.deferred
    assert b"Connection refused" in result.output


def test_unknown_host():
    assert run("--url", "http://no-such-host.invalid", "--timeout", "5").deferred


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX-Endless: "], ids=["silent", "trickling"])
def test_a_site_that_never_finishes(site, beginning):
    given_up = threading.Event()

    def answer(handler):
        handler.read()
        with contextlib.suppress(OSError):
            handler.wfile.write(beginning)
            while not given_up.wait(0.05):
                handler.wfile.write(b"x" if beginning else b"")

    site.answer = answer
    result = run("--url", site.url, "--timeout", "0.5")  # ``run`` fails when it does not end
    given_up.set()
    assert result.deferred
    assert b"0.5 s" in result.output


def test_a_mail_host_that_never_finishes(site):
    with start("--url", site.url, "--timeout", "0.5") as process:
        process.stdin.write(MESSAGE)
        process.stdin.flush()
        assert process.wait(30) == 75
        assert TEMPORARY.match(process.stdout.read())
    assert site.requests == []


def raw(content, reset=False):
    def answer(handler):
        handler.read()
        handler.wfile.write(content)
        if reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()

    return answer


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\x16\x03garbage\r\n\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 41",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_an_answer_that_is_none(site, content):
    site.answer = raw(content)
    assert run("--url", site.url).deferred


def test_the_connection_is_reset(site):
    site.answer = raw(b"", reset=True)
    assert run("--url", site.url).deferred


@pytest.mark.parametrize("drain", [True, False], ids=["nginx", "plain"])
def test_too_big_is_understood_before_all_is_sent(site, drain):
    """A proxy answers 413 at once; nginx then reads the rest, others just close."""

    def answer(handler):
        handler.reply(413, b"<html>413 Request Entity Too Large</html>")
        while drain and handler.connection.recv(65536):
            pass

    site.answer = answer
    assert run("--url", site.url, message=b"x" * 8_000_000).status == 65


def test_no_acceptance_before_the_message_is_sent(site):
    def answer(handler):
        handler.reply(201, ACCEPTED)
        handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(0.2)
        handler.connection.shutdown(socket.SHUT_RDWR)

    site.answer = answer
    assert run("--url", site.url, message=b"x" * 20_000_000).deferred


# What is sent


def exact(size):
    return (b"0123456789abcde\n" * (size // 16 + 1))[:size]


@pytest.mark.parametrize(
    "message",
    [
        b"x",
        b"\n",
        b"Subject: nul\n\n\x00\x01\xff\x00",
        b"Subject: crlf\r\n\r\none\r\ntwo\rthree\nfour",
        b"Subject: no end of line",
        b"Subject: dots\n\n.\n..\n.\r\nFrom x\n\n\n",
        bytes(range(256)) * 300,
        exact(mailbridge_pipe.MEMORY - 1),
        exact(mailbridge_pipe.MEMORY),
        exact(mailbridge_pipe.MEMORY + 1),
        random.Random(20_000_000).randbytes(20_000_000),
    ],
    ids=lambda message: f"{message[:20]!r}-{len(message)}",
)
def test_the_exact_bytes_arrive(site, message):
    assert run("--url", site.url, message=message).status == 0
    [request] = site.requests
    assert request.body == message
    assert request.headers["Content-Length"] == str(len(message))


def test_the_spool_file_has_no_name(site, tmp_path):
    held = threading.Event()

    def answer(handler):
        handler.read()
        held.wait(30)
        handler.reply(201, ACCEPTED)

    site.answer = answer
    with start("--url", site.url, env={"TMPDIR": str(tmp_path)}) as process:
        process.stdin.write(b"x" * 3_000_000)
        process.stdin.close()
        wait_for(lambda: site.requests)
        assert list(tmp_path.iterdir()) == []
        held.set()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("path", "requested"),
    [
        ("", "/@@mail-in"),
        ("/", "/@@mail-in"),
        ("/site", "/site/@@mail-in"),
        ("/site/", "/site/@@mail-in"),
        ("/site/@@mail-in", "/site/@@mail-in"),
        ("/site/@@mail-in/", "/site/@@mail-in"),
        ("/site/@mail-in", "/site/@mail-in"),
        ("/my%20site", "/my%20site/@@mail-in"),
        ("/site-@mail-in", "/site-@mail-in/@@mail-in"),
    ],
)
def test_the_url_of_the_site_or_of_its_endpoint(site, path, requested):
    assert run("--url", f"http://127.0.0.1:{site.server_port}{path}").status == 0
    assert [request.path for request in site.requests] == [requested]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080/site",
        "ftp://localhost/site",
        "file:///etc/passwd",
        "http://",
        "http:///site",
        "http://localhost:port/",
        "http://localhost:99999/",
        "http://[::1/",
        "http://user:secret@localhost/site",
        "http://localhost/site?x=1",
        "http://localhost/a b",
        "http://localhost/a\r\nX: y",
        "http://localhost/é",
    ],
)
def test_an_unusable_url(url):
    result = run("--url", url)
    assert result.deferred
    assert b"--url" in result.output
    assert b"secret" not in result.output


def test_the_envelope_is_sent(site):
    envelope = ("--recipient=in+tag=1@bridge.test", "--sender", "--url@citizen.test")
    assert run(*envelope, "--client-address", "2001:db8::1", "--url", site.url).status == 0
    [request] = site.requests
    assert request.headers["X-Envelope-Recipient"] == "in+tag=1@bridge.test"
    assert request.headers["X-Envelope-Sender"] == "--url@citizen.test"
    assert request.headers["X-Client-Address"] == "2001:db8::1"
    assert request.headers["Content-Type"] == "message/rfc822"
    assert request.headers["Accept"] == "application/json"
    assert "Authorization" not in request.headers


def test_the_envelope_of_a_bounce_and_of_local_mail(site):
    run("--url", site.url, "--sender", "", "--client-address", "", "--recipient", "")
    run("--url", site.url)
    null, none = site.requests
    assert null.headers["X-Envelope-Sender"] == "<>"
    for headers in (null.headers, none.headers):
        assert "X-Client-Address" not in headers
        assert "X-Envelope-Recipient" not in headers
    assert "X-Envelope-Sender" not in none.headers


def test_an_address_in_utf_8_is_sent_as_its_bytes(site):
    assert run("--url", site.url, "--sender", "zoé@citizen.test", env={"LC_ALL": "C"}).status == 0
    assert site.requests[0].headers["X-Envelope-Sender"].encode("latin-1").decode() == "zoé@citizen.test"


@pytest.mark.parametrize("option", ["--recipient", "--sender", "--client-address"])
@pytest.mark.parametrize(
    "value", ["a@b.test\r\nX-Client-Address: ::1", "a\nb", "a\rb", "\n", "a\x01b", "\x7f"]
)
def test_a_line_break_in_the_envelope(site, option, value):
    assert run("--url", site.url, option, value).deferred
    assert site.requests == []


# Who may deliver


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_bytes(b"gateway:pass:word\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"gateway:pass:word\n", b"Basic " + base64.b64encode(b"gateway:pass:word")),
        (b"gateway: sp ace \r\n", b"Basic " + base64.b64encode(b"gateway: sp ace ")),
        ("gateway:mot de passé".encode(), b"Basic " + base64.b64encode("gateway:mot de passé".encode())),
        (b"eyJhbGciOi.eyJzdWIi.x-_\n", b"Bearer eyJhbGciOi.eyJzdWIi.x-_"),
    ],
)
def test_the_token_is_sent(site, token_file, content, sent):
    token_file.write_bytes(content)
    assert run("--url", site.url, "--token-file", token_file).status == 0
    assert run("--url", site.url, env={b"MAILBRIDGE_TOKEN": content.strip(b"\r\n")}).status == 0
    assert [request.headers["Authorization"].encode() for request in site.requests] == [sent, sent]


def test_the_token_file_wins_over_the_environment(site, token_file):
    assert run("--url", site.url, "--token-file", token_file, env={"MAILBRIDGE_TOKEN": "other"}).status == 0
    assert site.requests[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620, 0o602, 0o611])
def test_a_token_file_open_to_others_is_refused(site, token_file, mode):
    token_file.chmod(mode)
    result = run("--url", site.url, "--token-file", token_file)
    assert result.deferred
    assert f"chmod 600 {token_file}".encode() in result.output
    assert site.requests == []


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"a:b\r\nX: y", b"\x00", b"to\tken"])
def test_a_token_that_is_none(site, token_file, content):
    token_file.write_bytes(content)
    result = run("--url", site.url, "--token-file", token_file)
    assert result.deferred
    assert str(token_file).encode() in result.output
    assert site.requests == []


def test_a_missing_token_file(site, tmp_path):
    result = run("--url", site.url, "--token-file", tmp_path / "missing")
    assert result.deferred
    assert str(tmp_path / "missing").encode() in result.output
    assert run("--url", site.url, "--token-file", tmp_path).deferred
    assert run("--url", site.url, "--token-file", "").deferred
    assert site.requests == []


@pytest.fixture
def https_site(tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = FakeSite()
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with server:
        yield server, tmp_path / "ca.pem"


def test_https_is_verified(https_site, tmp_path):
    server, ca_file = https_site
    address = f"127.0.0.1:{server.server_port}/site"
    for message in (MESSAGE, b"x" * 3_000_000):
        assert run("--url", f"https://{address}", "--ca-file", ca_file, message=message).status == 0
        assert server.requests.pop().body == message
    unknown = run("--url", f"https://{address}")
    other_name = run("--url", f"https://localhost:{server.server_port}", "--ca-file", ca_file)
    other_ca = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other_ca))
    results = (
        unknown,
        other_name,
        run("--url", f"https://{address}", "--ca-file", other_ca),
        run("--url", f"https://{address}", "--ca-file", tmp_path / "missing.pem"),
        run("--url", f"http://{address}", "--timeout", "2"),
    )
    assert all(result.deferred for result in results), results
    assert b"CERTIFICATE_VERIFY_FAILED" in unknown.output
    assert server.requests == []


# How it is called


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--url"],
        ["--recipient", "in@bridge.test"],
        ["--url=http://127.0.0.1:1", "--recipient"],
        ["--url=http://127.0.0.1:1", "--url=http://127.0.0.1:1"],
        ["--url=http://127.0.0.1:1", "--recipient", "a@x.test", "b@x.test"],
        ["--url=http://127.0.0.1:1", "--rec=a"],
        ["--url=http://127.0.0.1:1", "--timeout", "0"],
        ["--url=http://127.0.0.1:1", "--timeout", "1000"],
        ["--url=http://127.0.0.1:1", "--timeout", "nan"],
        ["--url=http://127.0.0.1:1", "--timeout", "soon"],
        ["-h"],
        ["--help"],
        ["--url=http://127.0.0.1:1", "--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_keeps_the_message(arguments):
    assert run(*arguments).deferred


def test_help_names_every_option_and_delivers_nothing():
    result = run("--help")
    assert result.output.startswith(b"4.3.5 ")
    for option in (*mailbridge_pipe.VALUES, *mailbridge_pipe.FLAGS, mailbridge_pipe.REPEATED):
        assert option.encode() in result.output


# What the mail host gives


def test_nothing_to_read(site, tmp_path):
    write_only = os.open(tmp_path / "write-only", os.O_WRONLY | os.O_CREAT)
    folder = os.open(tmp_path, os.O_RDONLY)
    results = [
        run("--url", site.url, message=b""),
        run("--url", site.url, stdin=subprocess.DEVNULL),
        run("--url", site.url, stdin=folder),
        run("--url", site.url, stdin=write_only),
        run("--url", site.url, stdin=None, preexec_fn=lambda: os.close(0)),
    ]
    os.close(folder)
    os.close(write_only)
    assert all(result.deferred for result in results), results
    assert site.requests == []


def test_no_room_to_spool(site):
    result = run(
        "--url", site.url, message=b"x" * 3_000_000,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )  # fmt: skip
    assert result.deferred
    assert b"spooled" in result.output
    assert site.requests == []


def test_no_memory(site):
    result = run(
        "--url", site.url,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (10_000_000, 10_000_000)),
    )  # fmt: skip
    assert result.deferred


def test_no_further_process(copied):
    def restrict():
        if os.getuid() == 0:
            os.setgid(pwd.getpwnam("nobody").pw_gid)
            os.setuid(pwd.getpwnam("nobody").pw_uid)
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    # The second call proves that this shell does end otherwise: what it prints then comes before the text.
    result = run("--url", "http://127.0.0.1:1", pipe=copied / "mailbridge-pipe", preexec_fn=restrict)
    assert result.deferred
    bare = copied / "bare"
    bare.write_text("#!/bin/sh\nx=$(/bin/true)\nexit 0\n")
    bare.chmod(0o755)
    assert run(pipe=bare, stdin=subprocess.DEVNULL, preexec_fn=restrict).status == 2


@pytest.mark.parametrize("stream", [1, 2])
def test_a_closed_output_does_not_change_the_status(site, stream):
    assert run("--url", site.url, preexec_fn=lambda: os.close(stream)).status == 0
    site.answer = (404, b"")
    assert run("--url", site.url, preexec_fn=lambda: os.close(stream)).status == 75


def test_nobody_reads_the_output(site):
    reading, writing = os.pipe()
    os.close(reading)
    for answer, status in (((201, ACCEPTED), 0), ((404, b""), 75), ((422, b""), 67)):
        site.answer = answer
        assert run("--url", site.url, stdout=writing, stderr=writing).status == status
    os.close(writing)


# What can break on the mail host


@pytest.mark.parametrize(
    ("program", "status", "output"),
    [
        (None, 75, rb"4\.3\.0 .*status 2"),
        ("", 75, rb"4\.3\.0 .*status 0"),
        ("raise SystemExit(0)", 75, rb"4\.3\.0 "),
        ("print('200 OK')", 75, rb"4\.3\.0 .*200 OK"),
        ("import no_such_module", 75, rb"4\.3\.0 .*status 1.*no_such_module"),
        ("this is not Python at all", 75, rb"4\.3\.0 .*SyntaxError"),
        ("\0\0\0\0", 75, rb"4\.3\.0 "),
        ("raise KeyError('5.1.1')", 75, rb"4\.3\.0 "),
        ("raise SystemExit('5.1.1 not so')", 75, rb"4\.3\.0 .*5\.1\.1"),
        ("print('5.1.1 not so')", 75, rb"4\.3\.0 "),
        ("print('5.3.4 not so'); raise SystemExit(67)", 75, rb"4\.3\.0 "),
        ("print('2.0.0 not so'); raise SystemExit(1)", 75, rb"4\.3\.0 "),
        ("print('2.0.0 not so'); raise SystemExit(75)", 75, rb"4\.3\.0 "),
        ("raise SystemExit(65)", 75, rb"4\.3\.0 "),
        ("raise SystemExit(67)", 75, rb"4\.3\.0 "),
        ("raise SystemExit(64)", 75, rb"4\.3\.0 "),
        ("raise SystemExit(255)", 75, rb"4\.3\.0 "),
        ("print('nothing', 'useful'); raise SystemExit(75)", 75, rb"4\.3\.0 .*nothing useful"),
        ("print('4.4.1 so'); raise SystemExit(75)", 75, rb"4\.4\.1 so\n$"),
        ("import sys; print('warning', file=sys.stderr); print('2.0.0 so')", 0, rb"2\.0\.0 so\n$"),
        ("import sys; print('w', file=sys.stderr); print('5.1.1 so'); sys.exit(67)", 67, rb"5\.1\.1 so\n$"),
        ("import os; os.abort()", 75, rb"4\.3\.0 "),
        ("import os; os.kill(os.getpid(), 9)", 75, rb"4\.3\.0 .*status 137"),
        ("import os; os.kill(os.getpid(), 15)", 75, rb"4\.3\.0 .*status 143"),
        ("print('* ? -n %s %d \\\\n'); raise SystemExit(3)", 75, rb"4\.3\.0 .*\* \? -n %s %d \\n"),
    ],
)
def test_a_damaged_program(copied, program, status, output):
    if program is None:
        (copied / "mailbridge_pipe.py").unlink()
    else:
        (copied / "mailbridge_pipe.py").write_text(program)
    result = run("--url", "http://127.0.0.1:1", pipe=copied / "mailbridge-pipe")
    assert result.status == status, result
    assert re.match(output, result.output), result
    assert result.output.count(b"\n") == 1


def test_the_interpreter_is_missing(site, tmp_path):
    for env in (
        {"PATH": str(tmp_path)},
        {"MAILBRIDGE_PYTHON": str(tmp_path / "missing")},
        {"MAILBRIDGE_PYTHON": str(tmp_path)},
        {"MAILBRIDGE_PYTHON": "/bin/false"},
        {"MAILBRIDGE_PYTHON": "/bin/true"},
    ):
        assert run("--url", site.url, env=env).deferred, env
    assert site.requests == []


def test_which_interpreter_is_taken(site, copied):
    for name in ("beside", "named"):
        (copied / name).write_text(f'#!/bin/sh\necho "2.0.0 {name} $*"\n')
        (copied / name).chmod(0o755)
    pipe = copied / "mailbridge-pipe"
    assert run("--url", site.url, pipe=pipe).output.startswith(b"2.0.0 'filed'")
    (copied / "beside").rename(copied / "python3")
    assert run("--url", site.url, pipe=pipe).output.startswith(b"2.0.0 beside -I -S ")
    named = {"MAILBRIDGE_PYTHON": str(copied / "named")}
    assert run("--url", site.url, pipe=pipe, env=named).output.startswith(b"2.0.0 named -I -S ")
    (copied / "python3").chmod(0o644)
    assert run("--url", site.url, pipe=pipe).output.startswith(b"2.0.0 'filed'")


def test_it_is_found_through_links_and_from_any_folder(site, copied, tmp_path):
    (tmp_path / "one").symlink_to(copied / "mailbridge-pipe")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "a folder").symlink_to(copied)
    for pipe in (tmp_path / "two", tmp_path / "a folder" / "mailbridge-pipe"):
        assert run("--url", site.url, pipe=pipe).status == 0
    assert run("--url", site.url, pipe="./mailbridge-pipe", cwd=copied).status == 0
    assert run("mailbridge-pipe", "--url", site.url, pipe="/bin/sh", cwd=copied).status == 0
    assert run("--url", site.url, pipe="mailbridge-pipe", env={"PATH": f"{copied}:/usr/bin:/bin"}).status == 0


def test_the_environment_of_the_caller_has_no_say(site, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit(0)")
    assert (
        run(
            "--url", site.url, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "error"}
        ).status
        == 0
    )
    assert run("--url", site.url, env={"http_proxy": "http://127.0.0.1:1"}).status == 0
    assert run("--url", site.url, env={"IFS": "l", "ENV": str(tmp_path / "json.py")}).status == 0


@pytest.fixture
def waiting(site):
    """A pipe whose site does not answer; the process ids of its shell and of its Python."""
    released = threading.Event()

    def answer(handler):
        handler.read()
        released.wait(30)
        with contextlib.suppress(OSError):
            handler.reply(201, ACCEPTED)

    site.answer = answer
    process = start("--url", site.url, start_new_session=True)
    process.stdin.write(MESSAGE)
    process.stdin.close()
    wait_for(lambda: site.requests)
    family = [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and of(process, entry)
    ]
    pythons = [pid for pid in family if b"mailbridge_pipe.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    [python] = pythons
    yield process, python, released
    released.set()
    process.stdout.close()
    process.wait(30)


def of(process, entry):
    with contextlib.suppress(OSError):
        return os.getsid(int(entry.name)) == process.pid
    return False


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV]
)
def test_python_is_killed(waiting, number):
    process, python, _ = waiting
    os.kill(python, number)
    output = process.stdout.read()
    assert Result(process.wait(30), output).deferred


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_shell_is_told_to_stop(waiting, number):
    process, _, released = waiting
    process.send_signal(number)
    released.set()
    output = process.stdout.read()
    assert Result(process.wait(30), output).deferred


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_all_of_it_is_told_to_stop(waiting, number):
    process, _, _ = waiting
    os.killpg(process.pid, number)
    output = process.stdout.read()
    assert Result(process.wait(30), output).deferred
