"""The spool on a full disk, and behind a real Postfix."""

from pathlib import Path
from tests.mails import citizen
from tests.pipe.program import run
from tests.servers.fake_site import ACCEPTED
from tests.servers.fake_site import FakeSite
from tests.servers.required import forbidden
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import os
import pytest
import shutil
import smtplib
import subprocess


SERVICE = """
spooled unix - n n - 10 pipe
  user=nobody null_sender= argv={folder}/bin/mailbridge-pipe --spool {folder}/spool
  --recipient ${{recipient}} --sender ${{sender}} --client-address ${{client_address}}
"""
IN = "in@maville.test"


@pytest.fixture
def disk(tmp_path):
    """A disk of 256 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", place]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        forbidden(f"this machine lets nobody mount a small tmpfs: {done.stderr}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_full_disk(disk):
    """What was accepted is whole and delivered; the rest is deferred, leaves nothing behind, and is accepted when there is room."""
    spool, accepted = disk / "spool", []
    while True:
        message = b"Subject: %d\n\n" % len(accepted) + os.urandom(30_000)
        result = run("--spool", str(spool), "--recipient", IN, message=message)
        if result.status:
            break
        accepted.append(message)
    assert result.status == 75
    assert result.output.startswith(b"4.3.1")
    assert 5 <= len(accepted) <= 8
    assert list((spool / "tmp").iterdir()) == []
    assert len(list((spool / "new").iterdir())) == len(accepted)
    filler = disk / "filler"
    filler.write_bytes(b"")
    two = run("--spool", str(spool), "--recipient", IN, "--recipient", "b@x.test", message=os.urandom(20_000))
    assert two.status == 75, "for all recipients or for none"
    with FakeSite() as site:
        done = run("--flush", "--spool", str(spool), "--url", site.url, message=b"")
        assert done.status == 0, done.output
        assert [request.body for request in site.requests] == accepted
        assert run("--spool", str(spool), message=b"again").status == 0
        assert run("--flush", "--spool", str(spool), "--url", site.url, message=b"").status == 0
        assert site.requests[-1].body == b"again"


def test_behind_postfix(postfix_factory):
    """Postfix gets its answer while the site is down; a flush delivers each message once, a refused one is kept with its reason."""
    postfix = postfix_factory(
        services=SERVICE, transports={IN: "spooled:", "nobody@maville.test": "spooled:"}
    )
    spool = postfix.folder / "spool"
    spool.mkdir(mode=0o700)
    shutil.chown(spool, "nobody")
    for number in range(20):
        with smtplib.SMTP("127.0.0.1", postfix.smtp_port, timeout=30) as smtp:
            smtp.sendmail("jeanne@citizen.test", [IN], citizen(f"Numéro {number}").as_bytes())
    with smtplib.SMTP("127.0.0.1", postfix.smtp_port, timeout=30) as smtp:
        smtp.sendmail("", ["nobody@maville.test"], citizen("Personne").as_bytes())
    wait_for(lambda: len(list(spool.glob("new/*"))) == 21 and not postfix.queue(), what=postfix.log_text)
    assert "status=bounced" not in postfix.log_text()

    def flush(url):
        command = ["su", "-s", "/bin/sh", "nobody", "-c"]
        pipe = Path(postfix.folder / "bin" / "mailbridge-pipe")
        line = f"{pipe} --flush --spool {spool} --url {url} --token-file {postfix.folder}/token --retries 0"
        environment = {"PATH": "/usr/bin:/bin"}
        return subprocess.run([*command, line], capture_output=True, text=True, timeout=120, env=environment)

    away = flush(f"http://127.0.0.1:{free_port()}/site")
    assert away.returncode == 75
    assert "21 left" in away.stdout

    def answer(handler):
        handler.read()
        handler.reply(
            *((422, {}) if "nobody" in handler.headers["X-Envelope-Recipient"] else (201, ACCEPTED))
        )

    with FakeSite(answer=answer) as site:
        done = flush(site.url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "20 delivered, 1 refused, 0 left" in done.stdout
        assert flush(site.url).returncode == 0
    assert len(site.requests) == 21
    assert {request.headers["X-Client-Address"] for request in site.requests} == {"127.0.0.1"}
    (reason,) = spool.glob("refused/*.reason")
    assert "5.1.1" in reason.read_text()
    assert b"Personne" in reason.with_suffix("").read_bytes()
