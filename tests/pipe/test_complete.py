"""What the pipe does beyond one delivery: retries, several recipients, a spool, a dry run, a self-test."""

from imio.mailbridge.pipe import mailbridge_pipe
from io import BytesIO
from tests.pipe.program import MESSAGE
from tests.pipe.program import PIPE
from tests.pipe.program import run
from tests.pipe.program import start
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.required import forbidden
from tests.servers.required import required
from tests.servers.waiting import wait_for
from types import SimpleNamespace
import os
import pytest
import resource
import signal
import socket
import subprocess
import threading


@pytest.fixture
def site():
    with FakeSite() as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


def answers(site, *statuses):
    """Let the site give these statuses one after the other, then accept."""
    left = list(statuses)

    def answer(handler):
        handler.read()
        status = left.pop(0) if left else 201
        handler.reply(status, ACCEPTED if status < 300 else b"{}")

    site.answer = answer


def recipients(site):
    return [request.headers.get("X-Envelope-Recipient") for request in site.requests]


# tries again


@pytest.mark.parametrize("status", [409, 429, 502, 503, 504])
def test_what_passes_is_tried_again_at_once(site, status):
    answers(site, status, status)
    result = run("--url", site.url, retries=None)
    assert result.status == 0
    assert [request.body for request in site.requests] == [MESSAGE] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 415, 500, 302, 413, 422])
def test_what_does_not_pass_is_not_tried_again(site, status):
    answers(site, status)
    assert run("--url", site.url, retries=None).status != 0
    assert len(site.requests) == 1


def test_a_large_message_is_sent_whole_again(site):
    answers(site, 503)
    message = os.urandom(3_000_000)
    assert run("--url", site.url, message=message, retries=1).status == 0
    assert [request.body == message for request in site.requests] == [True, True]


def test_a_site_that_comes_back(site):
    with socket.create_server(("127.0.0.1", 0)) as place:
        place.settimeout(30)
        port = place.getsockname()[1]
        process = start("--url", f"http://127.0.0.1:{port}/site", "--retries", "6")
        process.stdin.write(MESSAGE)
        process.stdin.close()
        place.accept()[0].close()
    with process, FakeSite(port) as late:
        assert process.wait(30) == 0
        assert len(late.requests) == 1


def test_tries_end_with_the_time_budget(site, monkeypatch):
    pauses = []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(mailbridge_pipe, "time", clock)
    options = mailbridge_pipe.parse(["--url", site.url, "--retries", "100"])
    answers(site, *[503] * 100)
    with pytest.raises(mailbridge_pipe.Temporary, match="HTTP 503"):
        mailbridge_pipe.Site(options, 6.5).deliver({}, BytesIO(MESSAGE), len(MESSAGE))
    assert len(site.requests) == 3  # at 0 s, 1 s and 3 s; the next would be at 7 s


def test_a_wrong_number_of_tries(site):
    assert run("--url", site.url, "--retries", "many", retries=None).deferred
    assert site.requests == []


# several recipients


def test_each_recipient_gets_a_delivery(site):
    result = run("--url", site.url, "--recipient", "a@x.test", "--recipient", "b@x.test")
    assert result.status == 0
    assert recipients(site) == ["a@x.test", "b@x.test"]
    assert [request.body for request in site.requests] == [MESSAGE] * 2


def test_one_that_must_wait_keeps_the_message_for_all(site):
    answers(site, 201, 500)
    assert run("--url", site.url, "--recipient", "a@x.test", "--recipient", "b@x.test").deferred


def test_one_that_is_unknown_is_named_and_the_others_have_it(site):
    answers(site, 201, 422)
    result = run("--url", site.url, "--recipient", "a@x.test", "--recipient", "b@x.test")
    assert result.status == 67
    assert result.output.startswith(b"5.1.1 'b@x.test'")
    assert b"accepted for 1 of 2 recipients" in result.output


# the spool


def stored(folder):
    return sorted(path for path in (folder / "new").iterdir())


def test_the_spool_keeps_what_it_answered_for(site, folder):
    message = b"\x00\xff" * 600_000
    result = run("--spool", str(folder), "--recipient", "in@x.test", "--sender", "", message=message)
    assert result.status == 0
    assert result.output.startswith(b"2.0.0 'spooled'")
    assert site.requests == []
    (file,) = stored(folder)
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list((folder / "tmp").iterdir()) == []
    result = run("--flush", "--spool", str(folder), "--url", site.url)
    assert (result.status, result.output) == (0, b"2.0.0 1 delivered, 0 refused, 0 left\n")
    (request,) = site.requests
    assert request.body == message
    assert request.headers["X-Envelope-Recipient"] == "in@x.test"
    assert request.headers["X-Envelope-Sender"] == "<>"
    assert stored(folder) == []


@pytest.fixture
def strace():
    """The command strace, where a process may be traced."""
    command = required("strace", "strace")
    tried = subprocess.run([command, "-o", "/dev/null", "true"], capture_output=True, text=True)
    if tried.returncode:
        forbidden(f"no process may be traced on this machine: {tried.stderr}")
    return command


def test_it_is_written_to_disk_before_the_answer(strace, folder, tmp_path):
    trace = tmp_path / "trace"
    command = [strace, "-f", "-e", "trace=fsync,rename,write", "-o", trace, "python3"]
    program = PIPE.with_name("mailbridge_pipe.py")
    subprocess.run([*command, program, "--spool", folder], input=MESSAGE, check=True, capture_output=True)
    calls = trace.read_text()
    names = [line.split("(")[0].split()[-1] for line in calls.splitlines() if "(" in line]
    assert names.index("fsync") < names.index("rename") < len(names) - names[::-1].index("fsync") - 1
    assert calls.rindex("fsync") < calls.index("2.0.0")


def test_several_recipients_are_several_files(site, folder):
    assert run("--spool", str(folder), "--recipient", "a@x.test", "--recipient", "b@x.test").status == 0
    assert len(stored(folder)) == 2
    assert run("--flush", "--spool", str(folder), "--url", site.url).status == 0
    assert recipients(site) == ["a@x.test", "b@x.test"]


def test_order_is_kept_and_a_site_that_is_away_is_asked_once(site, folder):
    for number in range(3):
        assert run("--spool", str(folder), "--recipient", f"{number}@x.test").status == 0
    answers(site, 503)
    result = run("--flush", "--spool", str(folder), "--url", site.url)
    assert result.deferred
    assert b"0 delivered, 0 refused, 3 left" in result.output
    assert len(site.requests) == 1
    assert run("--flush", "--spool", str(folder), "--url", site.url).status == 0
    assert recipients(site)[1:] == ["0@x.test", "1@x.test", "2@x.test"]


def test_one_message_that_the_site_cannot_take_keeps_no_other_waiting(site, folder):
    for number in range(3):
        assert run("--spool", str(folder), "--recipient", f"{number}@x.test").status == 0
    answers(site, 500)
    result = run("--flush", "--spool", str(folder), "--url", site.url)
    assert result.deferred
    assert b"2 delivered, 0 refused, 1 left" in result.output
    assert len(stored(folder)) == 1


@pytest.mark.parametrize("status", [413, 422])
def test_what_is_refused_for_good_is_kept_with_the_reason(site, folder, status):
    run("--spool", str(folder), "--recipient", "in@x.test")
    answers(site, status)
    result = run("--flush", "--spool", str(folder), "--url", site.url)
    assert (result.status, result.output) == (0, b"2.0.0 0 delivered, 1 refused, 0 left\n")
    file, reason = sorted((folder / "refused").iterdir())
    assert file.read_bytes().endswith(MESSAGE)
    assert f"HTTP {status}" in reason.read_text()


def test_a_damaged_file_stays_and_is_named(site, folder):
    run("--spool", str(folder))
    (folder / "new" / "0").write_bytes(b"no JSON\n")
    result = run("--flush", "--spool", str(folder), "--url", site.url)
    assert result.deferred
    assert b"1 delivered, 0 refused, 1 left; 0: 4.3.0 not a file of a spool" in result.output


def test_two_at_once_do_not_flush_the_same(site, folder):
    run("--spool", str(folder))
    refused = threading.Event()

    def slow(handler):
        handler.read()
        refused.wait(30)
        handler.reply(201, ACCEPTED)

    site.answer = slow
    with start("--flush", "--spool", str(folder), "--url", site.url, stdin=subprocess.DEVNULL) as first:
        wait_for(lambda: site.requests)
        second = run("--flush", "--spool", str(folder), "--url", site.url)
        refused.set()
        assert second.deferred
        assert b"another --flush" in second.output
        assert first.wait(30) == 0
    assert len(site.requests) == 1


def test_a_full_disk_keeps_what_was_accepted(folder):
    assert run("--spool", str(folder)).status == 0
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, 1_200_000))  # noqa: E731
    result = run("--spool", str(folder), message=b"x" * 1_200_001, preexec_fn=limit)
    assert result.deferred, result
    assert b"could not be stored" in result.output or b"spooled" in result.output
    assert len(stored(folder)) == 1
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_while_it_stores_leaves_no_half_message(site, folder, number):
    with start("--spool", str(folder), start_new_session=True) as process:
        process.stdin.write(b"x" * 2_000_000)
        process.stdin.flush()  # returns when all but the buffer of the pipe was read
        os.killpg(process.pid, number)
        assert process.wait(30) != 0
    run("--spool", str(folder))
    assert [path.read_bytes().endswith(MESSAGE) for path in stored(folder)] == [True]


def test_a_spool_open_to_others_is_refused(folder):
    folder.mkdir(mode=0o755)
    result = run("--spool", str(folder))
    assert result.deferred
    assert b"chmod 700" in result.output


@pytest.mark.parametrize("arguments", [["--spool", "relative"], ["--flush"], ["--flush=1"], ["--spool"]])
def test_a_wrong_spool_keeps_the_message(arguments):
    assert run(*arguments).deferred


def test_a_spool_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert run("--spool", str(tmp_path / "file" / "spool")).deferred


# dry run and self-test


def test_a_dry_run_posts_nothing_and_is_no_acceptance(site):
    result = run("--url", site.url, "--recipient", "in@x.test", "--dry-run")
    assert result.deferred
    assert b"%d bytes would be posted to %s/@@mail-in" % (len(MESSAGE), site.url.encode()) in result.output
    assert b"in@x.test" in result.output
    assert site.requests == []


def refusing_empty(site, status=400, body=b'{"message": "empty", "max_size": 41943040}'):
    site.answer = (status, body)


def test_a_self_test_prints_the_lines_for_postfix(site, tmp_path):
    refusing_empty(site)
    token = tmp_path / "token"
    token.write_text("gateway:secret")
    token.chmod(0o600)
    result = run(
        "--selftest", "--url", site.url, "--token-file", str(token), "--recipient", "in@x.test", message=b""
    )
    assert result.status == 0, result
    lines = result.output.decode().splitlines()
    assert lines[0] == "2.0.0 selftest passed"
    assert "NOT ENCRYPTED" in lines[1]
    assert "  message_size_limit = 41943040" in lines
    assert "  in@x.test mailbridge:" in lines
    assert any(f"--url {site.url} --token-file {token}" in line for line in lines)
    assert "  mailbridge_destination_recipient_limit = 1" in lines
    assert "secret" not in result.output.decode()
    (request,) = site.requests
    assert request.body == b""


def test_a_self_test_left_in_master_cf_loses_nothing(site):
    refusing_empty(site)
    result = run("--selftest", "--url", site.url)
    assert result.deferred
    assert b"remove --selftest" in result.output


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"{}", b"user and password"),
        (403, b"{}", b"role Mail Gateway"),
        (404, b"{}", b"imio.mailbridge is installed"),
        (422, b"{}", b"is not a mail-in address"),
        (503, b"{}", b"the site is running"),
        (201, b"<html>login</html>", b"not to a portal"),
        (400, b"<html>", b"no mail-in of imio.mailbridge"),
        (400, b'{"max_size": "x"}', b"no mail-in of imio.mailbridge"),
    ],
)
def test_a_self_test_says_what_is_wrong(site, status, body, said):
    refusing_empty(site, status, body)
    result = run("--selftest", "--url", site.url, "--recipient", "in@x.test", message=b"")
    assert result.deferred
    assert said in result.output
