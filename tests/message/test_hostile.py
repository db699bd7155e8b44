"""No message that anyone sends may raise, take long, or leave a control character in what is read."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.explain import explain
from imio.mailbridge.message.parsing.parse import parse
from pathlib import Path
from tests.message.cpu_time import assert_linear
import base64
import json
import pytest
import random
import re


MESSAGES = Path(__file__).parent.parent / "messages"
CONTEXT = Context(
    agent_patterns=compile_agent_patterns([r".+@maville\.be"]),
    source_mailboxes=frozenset({"contact@maville.be"}),
)
AGENT = b"From: al.bert@maville.be\nSubject: TR: x\n"
BOUNCE = b"From: mailer-daemon@x.test\nSubject: failure notice\n\n"
PDF = b"Content-Type: application/pdf; name=x.pdf\nContent-Transfer-Encoding: base64\n\n"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def read_all(raw):
    """Read everything that can be read; return the classification."""
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
    return opened + inner + b"".join(b"--b%d--\n" % i for i in reversed(range(depth)))


@pytest.mark.parametrize(
    ("make", "factor"),
    [
        pytest.param(lambda n: b"".join(b"X-%d: y\n" % i for i in range(n * 10_000)) + b"\nx", 2, id="10000-headers"),
        pytest.param(lambda n: b"X: y\n" * n * 600_000, 2, id="3MB-of-headers"),
        pytest.param(lambda n: b"X: y" + b"\n y" * n * 1_000_000, 2, id="3MB-of-continuations"),
        pytest.param(lambda n: b"X: " + b"y" * n * 3_000_000, 2, id="3MB-header"),
        pytest.param(lambda n: nested(n * 3_000), 8, id="136kB-of-nesting"),
        pytest.param(lambda n: b"Content-Type: message/rfc822\n\n" * n * 4_000 + b"x", 2, id="nested-messages"),
        pytest.param(lambda n: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * n * 50_000, 2, id="parts"),
        pytest.param(lambda n: b'Content-Type: multipart/mixed; boundary="-"\n\n' + b"---x\n" * n * 400_000, 2, id="delimiters"),
    ],
)  # fmt: skip
def test_too_complex_at_once(make, factor):
    """Beyond the limits, four times as much costs no more; but each level looks for its end."""

    def read(raw):
        found = read_all(raw)
        assert found.reason == "too-complex"
        assert found.messages[0].author.addr_spec == "al.bert@maville.be"

    assert_linear(read, lambda n: AGENT + make(n), factor)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: b"From: " + b'"\\' * n * 25_000 + b"\n\n", id="quotes"),
        pytest.param(lambda n: b"From: " + b"<" * n * 50_000 + b"\n\n", id="angles"),
        pytest.param(lambda n: b"From: " + b"(" * n * 50_000 + b"\n\n", id="comments"),
        pytest.param(lambda n: b"From: " + b"a@" * n * 25_000 + b"\n\n", id="ats"),
        pytest.param(lambda n: b"Subject: " + b"=?utf-8?b?" * n * 10_000 + b"\n\n", id="words"),
        pytest.param(lambda n: b"References: " + b"<" * n * 100_000 + b"\n\n", id="ids"),
        pytest.param(lambda n: AGENT + b"Content-Type: text/plain" + b';a="' * n * 25_000 + b"\n\n", id="parameters"),
        pytest.param(lambda n: AGENT + b"Content-Type: text/html\n\n" + b"<!--" * n * 125_000, id="comments-in-html"),
        pytest.param(lambda n: AGENT + b"Content-Type: text/html\n\n" + b"<style" * n * 75_000, id="tags"),
        pytest.param(lambda n: AGENT + b"\n" + (b"-" * n * 250 + b"\n") * 500, id="dashes"),
        pytest.param(lambda n: AGENT + b"\n" + (b"-" * 900 + b"\n") * n * 125, id="lines-of-dashes"),
        pytest.param(lambda n: AGENT + b"\n" + (b"le on op am " * n * 6 + b"\n") * 2_000, id="almost-quotes"),
        pytest.param(lambda n: AGENT + b"\n" + (b"From: x\nno field\n" * 4 + b"\n") * n * 60, id="almost-blocks"),
        pytest.param(lambda n: AGENT + b"\n" + b"> \n" * n * 450, id="quotation"),
        pytest.param(lambda n: AGENT + b"\n" + b"> x\ny\n" * n * 240, id="quotations"),
        pytest.param(lambda n: AGENT + b"\n----- Forwarded Message ----- " + b"From: x To: y " * n * 17, id="one-line"),
        pytest.param(lambda n: AGENT + b"\n" + b"----- Forwarded Message -----\n" * n * 450, id="markers"),
        pytest.param(lambda n: b"x\nFrom: a@b.c\n" * n * 100 + b"\n", id="damaged-lines"),
        pytest.param(lambda n: AGENT + b"Content-Type: text/plain" + b" charset=" * n * 400 + b"\n\n", id="no-semicolons"),
        pytest.param(lambda n: AGENT + b"Content-Type: text/plain;" + b" " * n * 4_000 + b"\n\n", id="blanks"),
        pytest.param(lambda n: b"From: " + b"a, " * n * 15_000 + b"<a@b.c>\n\n", id="commas"),
        pytest.param(lambda n: b"From: a@b.c\nDate: " + b"1 " * n * 20_000 + b"\n\n", id="date"),
        pytest.param(lambda n: b"From: a@b.c\n" + b"Date: 1\n" * n * 200 + b"\n", id="dates"),
        pytest.param(lambda n: AGENT + b"Content-Type: application/x\n\n" + b"PK\x03\x04 word " * n * 1_500, id="signatures"),
        pytest.param(lambda n: AGENT + b"Content-Transfer-Encoding: base64\n\n" + b" " * n * 100_000, id="blanks-in-base64"),
        pytest.param(lambda n: b"From: a@b.c\rX: y\r\r" + b"z\r" * n * 100_000, id="cr"),
        pytest.param(lambda n: BOUNCE + b"a@" * n * 25_000, id="bounce"),
        pytest.param(lambda n: BOUNCE + b"a.a" * n * 15_000, id="bounce-2"),
        pytest.param(lambda n: AGENT + PDF + b"A=" * n * 250_000, id="padding"),
    ],
)  # fmt: skip
def test_linear(make):
    assert_linear(read_all, make)


def test_levels_and_files_of_real_mail_pass():
    assert read_all(AGENT + nested(20)).reason == "direct"
    part = b"--b\nContent-Type: image/jpeg; name=x.jpg\n\nx\n"
    found = read_all(AGENT + b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 300 + b"--b--\n")
    assert len(found.messages[0].attachments) == 300


def test_large_attachment_is_quick():
    def read(raw):
        assert parse(raw).attachments[0].size % (256 * 32_500) == 0

    assert_linear(read, lambda n: AGENT + PDF + base64.encodebytes(bytes(range(256)) * n * 32_500))


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
