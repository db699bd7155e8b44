"""Nothing that anyone sends may raise, take long, or leave a control character behind."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.explain import explain
from imio.mailbridge.message.parsing.parse import parse
from pathlib import Path
import base64
import json
import pytest
import random
import re
import time


MESSAGES = Path(__file__).parent.parent / "messages"
CONTEXT = Context(
    agent_patterns=compile_agent_patterns([r".+@maville\.be"]), mailboxes=frozenset({"contact@maville.be"})
)
AGENT = b"From: al.bert@maville.be\nSubject: TR: x\n"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def read_all(raw):
    """Read whatever can be read; return the classification."""
    found = classify(parse(raw), CONTEXT)
    explained = explain("x", raw, CONTEXT)
    json.dumps(explained).encode("ascii")
    for original in explained["messages"]:
        texts = [original["from"], original["subject"], original["message_id"]]
        texts += [file[key] for file in original["attachments"] for key in ("filename", "content_type")]
        assert not any(text and CONTROL.search(text) for text in texts)
        assert all(
            file["filename"] and not re.search(r"[/\\]", file["filename"]) for file in original["attachments"]
        )
    for original in found.messages:
        assert original.date is None or original.date.tzinfo is not None
        (original.text or "").encode()
        (original.html or "").encode()
        [image.content() for image in original.source.inline_images]
        [original.source.addresses(name) for name in ("to", "cc", "reply-to")]
    return found


def nested(depth, inner=b"Content-Type: text/plain\n\nx\n"):
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(depth)
    )
    return AGENT + opened + inner + b"".join(b"--b%d--\n" % i for i in reversed(range(depth)))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(AGENT + b"".join(b"X-%d: y\n" % i for i in range(10_000)) + b"\nx", id="10000-headers"),
        pytest.param(AGENT + b"X: y\n" * 600_000, id="3MB-of-headers"),
        pytest.param(AGENT + b"X: y" + b"\n y" * 1_000_000, id="3MB-of-continuations"),
        pytest.param(AGENT + b"X: " + b"y" * 3_000_000, id="3MB-header"),
        pytest.param(nested(3_000), id="136kB-of-nesting"),
        pytest.param(AGENT + b"Content-Type: message/rfc822\n\n" * 4_000 + b"x", id="nested-messages"),
        pytest.param(
            AGENT + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000, id="parts"
        ),
        pytest.param(
            AGENT + b'Content-Type: multipart/mixed; boundary="-"\n\n' + b"---x\n" * 400_000, id="delimiters"
        ),
    ],
)
def test_too_complex_at_once(raw):
    started = time.perf_counter()
    found = read_all(raw)
    assert found.reason == "too-complex"
    assert found.messages[0].author.addr_spec == "al.bert@maville.be"
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"From: " + b'"\\' * 100_000 + b"\n\n", id="quotes"),
        pytest.param(b"From: " + b"<" * 200_000 + b"\n\n", id="angles"),
        pytest.param(b"From: " + b"(" * 200_000 + b"\n\n", id="comments"),
        pytest.param(b"From: " + b"a@" * 100_000 + b"\n\n", id="ats"),
        pytest.param(b"Subject: " + b"=?utf-8?b?" * 40_000 + b"\n\n", id="words"),
        pytest.param(b"References: " + b"<" * 400_000 + b"\n\n", id="ids"),
        pytest.param(AGENT + b"Content-Type: text/plain" + b';a="' * 100_000 + b"\n\n", id="parameters"),
        pytest.param(AGENT + b"Content-Type: text/html\n\n" + b"<!--" * 500_000, id="comments-in-html"),
        pytest.param(AGENT + b"Content-Type: text/html\n\n" + b"<style" * 300_000, id="tags"),
        pytest.param(AGENT + b"\n" + (b"-" * 900 + b"\n") * 2_000, id="dashes"),
        pytest.param(AGENT + b"\n" + (b"le on op am " * 24 + b"\n") * 2_000, id="almost-quotes"),
        pytest.param(
            b"From: mailer-daemon@x.test\nSubject: failure notice\n\n" + b"a@" * 100_000, id="bounce"
        ),
        pytest.param(
            b"From: mailer-daemon@x.test\nSubject: failure notice\n\n" + b"a.a" * 60_000, id="bounce-2"
        ),
        pytest.param(
            AGENT
            + b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
            + b"A=" * 1_000_000,
            id="padding",
        ),
    ],
)
def test_linear(raw):
    started = time.perf_counter()
    read_all(raw)
    assert time.perf_counter() - started < 3


def test_levels_and_files_of_real_mail_pass():
    assert read_all(nested(20)).reason == "direct"
    part = b"--b\nContent-Type: image/jpeg; name=x.jpg\n\nx\n"
    found = read_all(AGENT + b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 300 + b"--b--\n")
    assert len(found.messages[0].attachments) == 300


def test_large_attachment_is_quick():
    content = base64.encodebytes(bytes(range(256)) * 130_000)
    raw = (
        AGENT + b"Content-Type: application/pdf; name=x.pdf\nContent-Transfer-Encoding: base64\n\n" + content
    )
    started = time.perf_counter()
    assert parse(raw).attachments[0].size == 256 * 130_000
    assert time.perf_counter() - started < 2


TOKENS = [
    b"\n", b"\r\n", b"\n\n", b"\0", b"\xff", b"\xe9", b"\xf0\x9f", b"--", b";", b'"', b"<", b">", b"(", b",", b":", b"=",
    b"=?utf-8?Q?", b"?=", b"=?x?b?/w==?=", b"=0D=0A", b"%00", b'boundary=""', b"charset=punycode", b"charset=utf-7",
    b"filename*0*=utf-8''%", b"Content-Type: multipart/mixed; boundary=\n", b"Content-Type: message/rfc822\n",
    b"Content-Transfer-Encoding: base64\n", b"Date: ", b"From: ", b"Final-Recipient: ", b"De : ",
    b"---------- Forwarded message ---------\n",
]  # fmt: skip


def mutated(raw, chance):
    content = bytearray(raw[:6000])
    for _ in range(chance.randint(1, 8)):
        position = chance.randrange(len(content) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            content[position:position] = chance.choice(TOKENS)
        elif kind == 1:
            del content[position : position + chance.randint(1, 60)]
        elif kind == 2:
            content[position : position + 1] = bytes([chance.randrange(256)])
        else:
            start = chance.randrange(len(content) + 1)
            content[position:position] = content[start : start + chance.randint(1, 200)]
    return bytes(content)


def test_no_mutation_raises():
    chance = random.Random(20260105)
    sources = [path.read_bytes() for path in sorted(MESSAGES.glob("*.eml"))]
    for number in range(1500):
        raw = mutated(chance.choice(sources), chance)
        try:
            read_all(raw)
        except Exception as error:
            raise AssertionError(f"mutation {number}: {raw!r}") from error
