"""Measures incoming mail: parsing the corpus, filing one message with three attachments, the memory that 40 MB need.

Beside each figure stands what it is measured against, in the same run: imio.email.parser on the same messages (in an
environment of its own, because it wants another Python), plone.restapi and plone.api making the same five objects. Run by
``make bench``; alone: ``python -m devel.bench_incoming``.
"""

from email import policy as policies
from email.message import EmailMessage
from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.parsing.parse import parse
from pathlib import Path
from tests.servers.catcher import Catcher
from tests.servers.instance import BIN
from tests.servers.instance import Instance
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv


ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "messages"
ROUNDS = 20
#: What iA.docs imports mail with today; the release is fixed so that figures can be compared.
OLD_PARSER = ("imio.email.parser==0.3.4", "mail-parser<4", "soupsieve<2.6")
HEADERS = {
    "Content-Type": "message/rfc822",
    "X-Envelope-Recipient": "in@bridge.test",
    "X-Client-Address": "127.0.0.1",
}
ATTACHMENTS = (("plan.pdf", 200_000), ("photo.jpg", 400_000), ("notice.pdf", 50_000))
LARGE = 40_000_000


def row(what, figure, unit, note=""):
    """Print one line of the table."""
    print(f"{what:<58} {figure:>10} {unit:<12} {note}", flush=True)


def ours(messages):
    """Parse, classify, and decode every attachment of what would be filed."""
    context = Context(
        agent_patterns=compile_agent_patterns([r".+@maville\.be", r".+@maville\.test"]),
        source_mailboxes=frozenset({"contact@maville.be", "info@maville.test"}),
        proof=Proof.GATEWAY,
    )
    for raw in messages:
        for original in classify(parse(raw), context).messages:
            (original.text, original.html, [each.content() for each in original.attachments])


def rate(run, messages, rounds=ROUNDS):
    """Return messages a second."""
    run(messages)
    start = time.perf_counter()
    for _ in range(rounds):
        run(messages)
    return rounds * len(messages) / (time.perf_counter() - start)


def parsing():
    """Parse and classify the corpus, beside the parser in use today."""
    messages = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))]
    size = sum(map(len, messages)) / len(messages) / 1e6
    found = rate(ours, messages)
    row(
        "parse and classify, corpus",
        f"{found:.0f}",
        "messages/s",
        f"{len(messages)} messages, {found * size:.1f} MB/s",
    )
    large = [with_attachments(number) for number in range(5)]
    found_large = rate(ours, large)
    row(
        "  with three attachments",
        f"{found_large:.0f}",
        "messages/s",
        f"{found_large * len(large[0]) / 1e6:.0f} MB/s",
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, path, mine in (
            ("corpus", CORPUS, found),
            ("with three attachments", Path(folder), found_large),
        ):
            if path != CORPUS:
                for number, raw in enumerate(large):
                    (path / f"{number}.eml").write_bytes(raw)
            old = _old_parser(path)
            if "rate" in old:
                note = f"{old['raised']} of {old['count']} raised; ours is {mine / old['rate']:.1f} times as fast"
                row(f"  imio.email.parser, {name}", f"{old['rate']:.0f}", "messages/s", note)
            else:
                row(f"  imio.email.parser, {name}", "-", "", old["problem"])


def _old_parser(folder):
    """Return what the parser in use today reaches on the messages of a folder, or the problem that stopped it."""
    home = ROOT / ".bench"
    if not (home / "installed").exists():
        venv.create(home, with_pip=True, clear=True)
        done = subprocess.run(
            [
                home / "bin/pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                "--ignore-requires-python",
                *OLD_PARSER,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return {"problem": "cannot be installed: " + done.stderr.strip().splitlines()[-1][:80]}
        (home / "installed").touch()
    done = subprocess.run(
        [home / "bin/python", ROOT / "devel/old_parser.py", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"problem": "does not run: " + done.stderr.strip().splitlines()[-1][:80]}
    return json.loads(done.stdout)


def with_attachments(number):
    """Return a redirected message with three attachments, another one for each number."""
    mail = EmailMessage(policies.SMTP)
    mail["From"] = '"Jeanne Dupont" <jeanne.dupont@citizen.test>'
    mail["To"] = "info@maville.test"
    mail["Subject"] = f"Demande {number}"
    mail["Date"] = "Mon, 23 Nov 2026 09:00:00 +0100"
    mail["Message-ID"] = f"<bench.{number}@citizen.test>"
    mail["X-Forwarded-For"] = "info@maville.test in@bridge.test"
    mail.set_content("Bonjour,\n\nVoir les annexes.\n")
    for filename, size in ATTACHMENTS:
        mail.add_attachment(
            os.urandom(size), maintype="application", subtype="octet-stream", filename=filename
        )
    return mail.as_bytes()


def site():
    """File one message with three attachments, beside making the same five objects; then post 40 MB."""
    with tempfile.TemporaryDirectory() as folder, Catcher() as catcher:
        instance = Instance(Path(folder), MAILBRIDGE_WORKER="off")
        instance.make(catcher.port)
        in_process = _plone_api(instance)
        instance.start()
        try:
            by_mail, by_rest = _median(_post, instance), _median(_create, instance)
            _memory(instance)
        finally:
            instance.stop()
    row("POST @@mail-in, three attachments: 5 objects", f"{by_mail:.0f}", "ms")
    row(
        "  the same objects by plone.restapi, 5 calls",
        f"{by_rest:.0f}",
        "ms",
        f"ratio {by_mail / by_rest:.2f}",
    )
    row(
        "  the same objects by plone.api, one transaction in process",
        f"{in_process['plone.api']:.0f}",
        "ms",
        f"ratio of the whole POST {by_mail / in_process['plone.api']:.2f}",
    )
    row(
        "  our part in process: two transactions, no HTTP",
        f"{in_process['bridge']:.0f}",
        "ms",
        f"ratio {in_process['bridge'] / in_process['plone.api']:.2f}",
    )


def _median(call, instance):
    times = []
    for number in range(ROUNDS + 1):
        prepared = with_attachments(number)
        start = time.perf_counter()
        call(instance, number, prepared)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]) * 1000


def _post(instance, number, raw):
    answer = instance.post("/@@mail-in", "gateway", data=raw, headers=HEADERS)
    assert answer.status_code == 201, answer.text


def _create(instance, number, raw):
    def made(path, **data):
        answer = instance.post(path, "admin", json=data)
        assert answer.status_code == 201, answer.text
        return answer.json()["@id"].removeprefix(instance.url)

    def file(content, content_type, filename):
        encoded = base64.b64encode(content).decode()
        return {"data": encoded, "encoding": "base64", "content-type": content_type, "filename": filename}

    item = made(
        "/incoming-mail", **{"@type": "dmsincoming_email"}, title=f"Demande {number}", mail_type="email"
    )
    made(item, **{"@type": "dmsmainfile"}, title="mail", file=file(raw, "message/rfc822", "mail.eml"))
    for filename, size in ATTACHMENTS:
        content = file(os.urandom(size), "application/octet-stream", filename)
        made(item, **{"@type": "dmsappendixfile"}, title=filename, file=content)


def _plone_api(instance):
    """Run ``in_process`` in the stopped instance; return milliseconds by name."""
    command = [BIN / "zconsole", "run", instance.home / "etc/zope.conf", ROOT / "devel/in_process.py"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MAILBRIDGE_WORKER": "off", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def _memory(instance):
    """Post a message with one large attachment; report by how much the peak of the process grew."""
    mail = EmailMessage(policies.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "jeanne.dupont@citizen.test", "info@maville.test", "Film"
    mail["Message-ID"], mail["X-Forwarded-For"] = "<film@citizen.test>", "info@maville.test in@bridge.test"
    mail.set_content("Voir le film.\n")
    mail.add_attachment(os.urandom(LARGE * 73 // 100), maintype="video", subtype="mp4", filename="film.mp4")
    raw = mail.as_bytes()
    pid = instance._process.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # begin to measure the peak anew
    before = _status(pid, "VmRSS")
    _post(instance, 0, raw)
    peak = _status(pid, "VmHWM")
    row(
        f"POST @@mail-in, {len(raw) / 1e6:.0f} MB: peak memory above idle",
        f"{(peak - before) / len(raw):.1f}",
        "x its size",
    )


def _status(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def main():
    """Print the table."""
    parsing()
    site()


if __name__ == "__main__":
    sys.exit(main())
