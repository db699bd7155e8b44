"""The command ``mailbridge-fetch``: its configuration, how it waits, ends, and goes on after what breaks."""

from pathlib import Path
from tests.gateway.mailbox_content import DONE
from tests.gateway.mailbox_content import raw
from tests.gateway.mailbox_content import subjects
from tests.servers.dovecot import Dovecot
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.fixtures import open_folder
from tests.servers.imap import Imap
from tests.servers.peer import Peer
from tests.servers.token_endpoint import TokenEndpoint
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import contextlib
import fcntl
import json
import os
import pty
import pytest
import signal
import struct
import subprocess
import sys
import termios


COMMAND = Path(sys.executable).with_name("mailbridge-fetch")


@pytest.fixture
def dovecot(certificates):
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as server:
        yield server


class Fetcher:
    """The command with a configuration in ``folder``; ``options`` are written into its one mailbox."""

    def __init__(self, home, dovecot, url, **options):
        self.folder = folder = home
        self.config = folder / "fetch.toml"
        self.errors = folder / "stderr"
        secrets = {"token": "gateway:secret", "password": dovecot.PASSWORD}
        for name, text in secrets.items():
            (folder / name).write_text(text + "\n")
            (folder / name).chmod(0o600)
        row = {
            "name": "test",
            "host": "localhost",
            "port": dovecot.port,
            "ca_file": str(dovecot.certificates.ca_file),
            "login": dovecot.LOGIN,
            "password_file": str(folder / "password"),
            "address": "in@bridge.test",
            **options,
        }
        top = {"url": url, "token_file": str(folder / "token"), "state": str(folder / "state")}
        lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
        lines += ["[[mailbox]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]
        self.config.write_text("\n".join(lines) + "\n")
        self.process = None

    def __enter__(self):
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen([COMMAND, "--config", self.config], stderr=errors)
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        self.process.kill()
        self.process.wait()

    @property
    def log(self):
        return self.errors.read_text()

    def run(self, *arguments, **options):
        return subprocess.run(
            [COMMAND, "--config", self.config, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )


@pytest.fixture
def site():
    with FakeSite() as site:
        yield site


@pytest.fixture
def fetcher(tmp_path, dovecot, site):
    return lambda **options: Fetcher(tmp_path, dovecot, **{"url": site.url, **options})


def bodies(site):
    return [request.body for request in site.requests]


def test_once(dovecot, site, fetcher):
    dovecot.append(b"Return-Path: <>\r\n" + raw("Un"))
    done = fetcher().run("--once")
    assert done.returncode == 0, done.stderr
    (request,) = site.requests
    assert request.body == b"Return-Path: <>\r\n" + raw("Un")
    assert request.path == "/site/@@mail-in"
    expected = {
        "X-Envelope-Recipient": "in@bridge.test",
        "X-Envelope-Sender": "<>",
        "Content-Type": "message/rfc822",
        "Authorization": "Basic Z2F0ZXdheTpzZWNyZXQ=",
    }
    assert {name: request.headers.get(name) for name in expected} == expected
    assert "Prefer" not in request.headers
    assert "1 kept" in done.stderr
    assert subjects(dovecot, DONE) == ["Un"]


def test_login_role_lets_the_site_leave_mail(dovecot, site, fetcher):
    site.answer = 200, {**ACCEPTED, "state": "left"}
    dovecot.append(raw("Privé"))
    fetch = fetcher(role="login", address="administration@maville.test")
    for _ in range(2):
        done = fetch.run("--once")
        assert done.returncode == 0, done.stderr
    (request,) = site.requests
    assert request.headers["Prefer"] == "leave-unrelated"
    assert subjects(dovecot) == ["=?utf-8?q?Priv=C3=A9?="]


def test_waits_by_idle_and_ends_on_sigterm(dovecot, site, fetcher):
    with fetcher() as fetch:
        for number in range(3):
            dovecot.append(raw(f"N{number}"))
            wait_for(lambda number=number: len(site.requests) == number + 1, what=lambda: fetch.log)
        fetch.process.terminate()
        assert fetch.process.wait(60) == 0
    assert "Traceback" not in fetch.log
    assert subjects(dovecot) == []


def test_site_away_and_back(dovecot, tmp_path):
    port = free_port()
    dovecot.append(raw("Un"))
    with Fetcher(tmp_path, dovecot, f"http://127.0.0.1:{port}/site") as fetch:
        wait_for(lambda: "4.4.2" in fetch.log or "4.4.1" in fetch.log, what=lambda: fetch.log)
        assert subjects(dovecot) == ["Un"]
        with FakeSite(port) as site:
            wait_for(lambda: site.requests, what=lambda: fetch.log)
            wait_for(lambda: subjects(dovecot) == [])
    assert len(site.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 415, 422, 429, 500, 503, 200, 302])
def test_what_is_no_acceptance_keeps_the_mail(dovecot, site, fetcher, status):
    site.answer = status, {"message": "no"}
    dovecot.append(raw("Un"))
    fetch = fetcher()
    done = fetch.run("--once")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"HTTP {status}" in done.stderr
    assert subjects(dovecot) == ["Un"]


def test_too_large_stays_and_is_not_offered_again(dovecot, site, fetcher):
    site.answer = 413, {"message": "too large"}
    dovecot.append(raw("Un"))
    fetch = fetcher()
    assert "5.3.4" in fetch.run("--once").stderr
    fetch.run("--once")
    assert len(site.requests) == 1
    assert subjects(dovecot) == ["Un"]


def test_killed_while_it_works(dovecot, site, fetcher):
    """SIGKILL again and again: at the end the site has seen each message, and the mailbox is empty."""
    count = 60
    sent = [raw(f"N{number}") for number in range(count)]
    for each in sent:
        dovecot.append(each)
    fetch = fetcher()
    seen = 0
    while seen < 40:
        with fetch:
            wait_for(lambda seen=seen: len(site.requests) > seen + 5, what=lambda: fetch.log)
            os.kill(fetch.process.pid, signal.SIGKILL)
            fetch.process.wait()
            seen = len(site.requests)
    assert fetch.run("--once").returncode == 0
    assert set(bodies(site)) == set(sent)
    assert subjects(dovecot) == []


def test_the_mail_server_is_restarted(dovecot, site, fetcher):
    with fetcher() as fetch:
        dovecot.append(raw("Un"))
        wait_for(lambda: len(site.requests) == 1, what=lambda: fetch.log)
        dovecot.restart()
        dovecot.append(raw("Deux"))
        wait_for(lambda: len(site.requests) == 2, what=lambda: fetch.log)
    assert "Traceback" not in fetch.log


def test_two_commands_with_one_state(dovecot, site, fetcher):
    with fetcher() as fetch:
        wait_for((fetch.folder / "state" / "test.lock").exists)
        dovecot.append(raw("Un"))
        wait_for(lambda: site.requests)
        second = fetch.run()
    assert second.returncode == 1
    assert "another mailbridge-fetch reads this mailbox" in second.stderr


def test_state_that_cannot_be_read_or_written(dovecot, site, fetcher):
    fetch = fetcher(done="flag")
    (fetch.folder / "state").mkdir()
    (fetch.folder / "state" / "test.json").write_text('{"uidvalidity": [')
    dovecot.append(raw("Un"))
    done = fetch.run("--once")
    assert done.returncode == 0
    assert "all messages are read again" in done.stderr
    assert len(site.requests) == 1
    (fetch.folder / "state" / "test.new").mkdir()  # as good as a full disk
    dovecot.append(raw("Deux"))
    done = fetch.run("--once")
    assert done.returncode == 0
    assert len(site.requests) == 2


def test_progress_bar_on_a_terminal_only(dovecot, site, fetcher):
    for number in range(25):
        dovecot.append(raw(f"N{number}"))
    fetch = fetcher()
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen([COMMAND, "--config", fetch.config, "--once"], stderr=follower)
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # the end
        while piece := os.read(leader, 65536):
            shown += piece
    assert process.wait(30) == 0
    assert b"25/25" in shown
    assert b"mail/s" in shown
    for number in range(25):
        dovecot.append(raw(f"M{number}"))
    said = fetch.run("--once").stderr
    assert "mail/s" not in said
    assert "25 messages are waiting" in said


def test_check(dovecot, site, fetcher):
    site.answer = 400, {"message": "empty", "max_size": 41943040}
    dovecot.append(raw("Un"))
    done = fetcher().run("--check")
    assert (done.returncode, done.stdout) == (
        0,
        "test: 1 messages in INBOX; the site takes up to 41943040 bytes\n",
    )
    assert subjects(dovecot) == ["Un"]
    done = fetcher(folder="Nulle part").run("--check")
    assert done.returncode == 1
    assert done.stdout.startswith("test: folder: ")


def test_oauth2(certificates, site, tmp_path):
    """A token that the server does not know is asked for anew, once; a refusal is told without the token."""
    (tmp_path / "client_secret").write_text("s3cret\n")
    (tmp_path / "client_secret").chmod(0o600)
    with (
        TokenEndpoint() as endpoint,
        open_folder("dovecot-oauth2") as folder,
        Dovecot(folder, certificates, tokens=endpoint.url) as dovecot,
    ):
        endpoint.owner = dovecot.LOGIN
        dovecot.append(raw("Un"))
        options = {
            "auth": "oauth2",
            "oauth_token_url": endpoint.url,
            "oauth_client_id": "bridge",
            "oauth_scope": "scope",
            "client_secret_file": str(tmp_path / "client_secret"),
        }
        fetch = Fetcher(tmp_path, dovecot, site.url, **options)
        done = fetch.run("--once")
        assert (done.returncode, len(site.requests)) == (0, 1), done.stderr
        assert [form["grant_type"] for form in endpoint.asked] == ["client_credentials"]
        endpoint.owner = "somebody-else@maville.test"
        done = fetch.run("--once")
        assert done.returncode == 1
        assert "login: " in done.stderr
        assert "token-" not in done.stderr
        endpoint.client_secret = "changed"  # noqa: S105
        done = fetch.run("--once")
        assert "token: " in done.stderr
        assert "invalid_client" in done.stderr
        assert "s3cret" not in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "url is missing"),
        ("url = [", "fetch.toml: "),
        ('url = "http://x.test/"\nstate = "s"', "there is no [[mailbox]]"),
        ('url = "http://x.test/"\nstate = "s"\ncolour = 1', "there is no setting 'colour'"),
        ('url = 3\nstate = "s"', "url must be a text"),
        ('url = "http://x.test/"\nstate = "s"\nmailbox = [3]', "a mailbox is a table"),
        ('url = "http://x.test/"\nstate = "s"\n[[mailbox]]\nname = "a"', "mailbox 1: host is missing"),
        (None, "password_file: [Errno 2]"),
    ],
)
def test_wrong_configuration_is_one_clear_line(tmp_path, text, says):
    config = tmp_path / "fetch.toml"
    complete = (
        'url = "http://x.test/"\nstate = "s"\n[[mailbox]]\nname = "a"\nhost = "h"\nlogin = "l"\n'
        'address = "in@bridge.test"\npassword_file = "/no/such/file"\n'
    )
    config.write_text(complete if text is None else text)
    done = subprocess.run([COMMAND, "--config", config], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"security": "none"}, "security must be one of: tls, starttls"),
        ({"role": "admin"}, "role must be one of: mail-in, login"),
        ({"address": "nobody"}, "address is not an e-mail address"),
        ({"port": 0}, "port must be"),
        ({"port": True}, "port must be a number"),
        ({"name": "../x"}, "name is for files and logs"),
        ({"auth": "oauth2"}, "not set: token endpoint, client ID"),
        ({"since": "yesterday"}, "since must be a date"),
    ],
)
def test_wrong_option_of_a_mailbox(fetcher, option, says):
    done = fetcher(**option).run()
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_secret_that_others_can_read(fetcher, tmp_path):
    fetch = fetcher()
    (tmp_path / "password").chmod(0o644)
    done = fetch.run()
    assert done.returncode == 2
    assert "chmod 600" in done.stderr


def test_url_that_is_none(fetcher):
    done = fetcher(url="ftp://x.test/").run()
    assert done.returncode == 2
    assert "4.3.5" in done.stderr


def test_message_that_breaks_the_connection_keeps_no_other_waiting(site, fetcher, certificates):
    mails = {uid: raw(f"N{uid}") for uid in range(1, 6)}
    with Peer(Imap(mails, cuts=[2]), tls=certificates.server_context()) as peer:
        fetch = fetcher(port=peer.port)
        first, second = fetch.run("--once"), fetch.run("--once")
    assert (first.returncode, second.returncode) == (1, 0), first.stderr + second.stderr
    assert bodies(site) == [mails[uid] for uid in (1, 3, 4, 5)]
