"""What does it cost? ``make bench`` prints figures and ratios; nothing here passes or fails.

Each figure comes from real parts: a Plone process with the demo, an SMTP server on loopback, the corpus of the tests.
"""

from imio.mailbridge.message.classify import classify
from imio.mailbridge.message.classify import compile_agent_patterns
from imio.mailbridge.message.classify import Context
from imio.mailbridge.message.classify import Proof
from imio.mailbridge.message.parse import parse
from pathlib import Path
from tests.servers.catcher import Catcher
from tests.servers.instance import Instance
from tests.servers.waiting import wait_for
import base64
import email
import email.policy
import os
import resource
import statistics
import tempfile
import time


CORPUS = Path(__file__).resolve().parent.parent / "tests" / "messages"
ROUNDS = 20


def row(what, figure, unit, note=""):
    """Print one line of the table."""
    print(f"{what:<58} {figure:>10} {unit:<12} {note}", flush=True)


def parsing():
    """Parse and classify the corpus, beside the standard library's parser reading headers and all parts."""
    messages = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))]
    context = Context(
        agent_patterns=compile_agent_patterns([r".+@maville\.be"]),
        mailboxes=frozenset({"contact@maville.be"}),
        proof=Proof.GATEWAY,
    )

    def ours():
        for raw in messages:
            for original in classify(parse(raw), context).messages:
                [each.size for each in original.attachments]

    def standard():
        for raw in messages:
            message = email.message_from_bytes(raw, policy=email.policy.compat32)
            [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]

    rates = {}
    for name, run in (("ours", ours), ("standard", standard)):
        run()
        start = time.perf_counter()
        for _ in range(ROUNDS):
            run()
        rates[name] = ROUNDS * len(messages) / (time.perf_counter() - start)
    row("parse and classify, corpus", f"{rates['ours']:.0f}", "messages/s", f"{len(messages)} messages")
    row("  email.message_from_bytes, all parts decoded", f"{rates['standard']:.0f}", "messages/s")


def memory():
    """Parse a message with one large attachment in a process of its own; report its peak."""
    size = 40_000_000
    content = base64.encodebytes(os.urandom(size * 3 // 4))
    raw = (
        b'From: a@b.be\nContent-Type: application/pdf; name="x.pdf"\nContent-Transfer-Encoding: base64\n\n'
        + content
    )
    read, write = os.pipe()
    if os.fork() == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        [attachment] = parse(raw).attachments
        attachment.content()
        os.write(write, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before).encode())
        os._exit(0)
    grown = int(os.read(read, 20)) * 1024
    os.wait()
    row("memory beyond the bytes, one 40 MB attachment decoded", f"{grown / len(raw):.1f}", "x its size")


def site():
    """File by ``POST @@mail-in``, create by plone.restapi, submit with a fast and with a stalling SMTP server, deliver."""
    with tempfile.TemporaryDirectory() as folder, Catcher() as catcher:
        instance = Instance(Path(folder))
        instance.make(catcher.port)
        instance.start()
        try:
            _filing(instance)
            _submitting(instance, catcher)
        finally:
            instance.stop()


def _timed(call, rounds=ROUNDS):
    call(0)
    times = []
    for number in range(1, rounds + 1):
        start = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def _filing(instance):
    raw = (CORPUS.parent.parent / "devel" / "redirected.eml").read_bytes()
    headers = {
        "Content-Type": "message/rfc822",
        "X-Envelope-Recipient": "in@bridge.test",
        "X-Client-Address": "127.0.0.1",
    }

    def file(number):
        answer = instance.post(
            "/@@mail-in", "gateway", data=raw.replace(b"5f2c1b7a", b"%08d" % number), headers=headers
        )
        assert answer.status_code == 201, answer.text

    def create(number):
        answer = instance.post(
            "/incoming-mail", "admin", json={"@type": "Folder", "title": f"bench {number}"}
        )
        assert answer.status_code == 201, answer.text

    filing, creating = _timed(file), _timed(create)
    row("POST @@mail-in, one attachment: 3 objects", f"{filing:.0f}", "ms")
    row(
        "  plone.restapi creates one Folder",
        f"{creating:.0f}",
        "ms",
        f"ratio to 3 of them: {filing / (3 * creating):.2f}",
    )


def _submitting(instance, catcher):
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "bench", "body": "<p>" + "x" * 15_000 + "</p>"}

    def submit(number):
        answer = instance.post("/outgoing-mail/invitation/@send-email", "agent", json=data)
        assert answer.status_code == 202, answer.text

    quick = _timed(submit)
    wait_for(lambda: not instance.get("/@outbox?state=queued", "chef").json()["items_total"], 120)
    catcher.answers["data"] = lambda envelope: time.sleep(5)
    stalled = _timed(submit)
    row("POST @send-email, 15 kB", f"{quick:.0f}", "ms")
    row("  with an SMTP server that stalls 5 s", f"{stalled:.0f}", "ms", f"ratio {stalled / quick:.2f}")


def main():
    """Print the table."""
    parsing()
    memory()
    site()


if __name__ == "__main__":
    main()
