"""A large message is read from its file and its attachments are decoded in pieces, with the same result as at once."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.parsing import parse as parsing
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.sameness import content_of
from imio.mailbridge.message.parsing.sameness import name_of
from imio.mailbridge.message.syntax.transfer_encoding import decode_body
from imio.mailbridge.message.syntax.transfer_encoding import decode_chunks
from io import BytesIO
from mmap import mmap
from pathlib import Path
import base64
import hashlib
import os
import pytest
import random
import resource


MESSAGES = sorted((Path(__file__).parent.parent / "messages").glob("*.eml"))
HEAD = (
    b"From: a@citizen.test\nSubject: x\nDate: Mon, 23 Nov 2026 09:00:00 +0100\nMessage-ID: <1@citizen.test>\n"
)
FILM = HEAD + b"Content-Type: video/mp4; name=film.mp4\nContent-Transfer-Encoding: base64\n\n"


def identity(message):
    return name_of(message.message_id or "", message.author, message.date), content_of(message)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "7bit", ""])
def test_pieces_are_the_same_as_all_at_once(encoding):
    chance = random.Random(encoding)
    for _ in range(60):
        alphabet = b"ABCabc09+/==\r\n \xff=3D~begin" if chance.random() < 0.7 else bytes(range(256))
        raw = bytes(
            chance.choice(alphabet) for _ in range(chance.choice([0, 1, 5, 3000, 600_000 if _ == 0 else 50]))
        )
        start = chance.randrange(len(raw) + 1)
        assert b"".join(decode_chunks(raw, start, len(raw), encoding)) == decode_body(
            raw, start, len(raw), encoding
        )


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_a_mapped_file_reads_like_bytes(path, monkeypatch):
    monkeypatch.setattr(parsing, "_MAP_FROM", 0)
    with path.open("rb") as stream:
        mapped = parse(stream)
    read = parse(path.read_bytes())
    assert isinstance(mapped.original or mapped.raw, mmap)
    first, second = classify(mapped, Context()), classify(read, Context())
    assert (first.transfer, first.reason, first.evidence) == (second.transfer, second.reason, second.evidence)
    assert content_of(mapped) == content_of(read)
    for ours, theirs in zip(mapped.attachments, read.attachments, strict=True):
        target = BytesIO()
        ours.write_to(target)
        assert target.getvalue() == theirs.content()
        assert (ours.size, ours.sha256) == (
            len(theirs.content()),
            hashlib.sha256(theirs.content()).hexdigest(),
        )
    copied = BytesIO()
    mapped.copy_to(copied)
    assert copied.getvalue() == path.read_bytes()


def test_40_mb_need_less_than_twice_their_size(tmp_path):
    path = tmp_path / "film.eml"
    path.write_bytes(FILM + base64.encodebytes(os.urandom(30_000_000)))
    read, write = os.pipe()
    if os.fork() == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with path.open("rb") as stream:
            (film,) = parse(stream).attachments
        with (tmp_path / "film.mp4").open("wb") as target:
            film.write_to(target)
        film.sha256  # noqa: B018 - read once more
        os.write(write, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before).encode())
        os._exit(0)
    grown = int(os.read(read, 20)) * 1024
    os.wait()
    assert (tmp_path / "film.mp4").stat().st_size == 30_000_000
    assert grown < 2 * path.stat().st_size  # what is mapped counts too


# what is the same message, and what is another one

TEXT = HEAD + b"Content-Type: text/plain; charset=utf-8\n\nUn caf\xc3\xa9.\n"


@pytest.mark.parametrize(
    "same",
    [
        TEXT.replace(b"\n", b"\r\n"),
        b"Received: from x by y; Mon, 23 Nov 2026 09:01:00 +0100\nResent-From: b@maville.test\n" + TEXT,
        TEXT.replace(b"utf-8", b"iso-8859-1").replace(b"\xc3\xa9", b"\xe9"),
        TEXT.replace(
            b"plain; charset=utf-8", b"plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
        ).replace(b"\xc3\xa9", b"=C3=A9"),
        TEXT.replace(b"09:00:00 +0100", b"08:00:00 +0000"),
        TEXT.replace(b"a@citizen.test", b'"A" <A@citizen.test>'),
        TEXT + b"\n\n",
    ],
)
def test_the_same_message_has_the_same_digest(same):
    assert identity(parse(same)) == identity(parse(TEXT))


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace(b"a@citizen", b"b@citizen"),
        TEXT.replace(b"Un caf", b"Deux caf"),
        TEXT.replace(b"Subject: x", b"Subject: y"),
        TEXT.replace(b"09:00:00", b"09:00:01"),
        FILM + b"AAAA",
        FILM + b"AAAB",
        b"",
    ],
)
def test_another_message_has_another_digest(other):
    assert identity(parse(other)) != identity(parse(TEXT))


def test_attachments_count():
    assert content_of(parse(FILM + b"AAAA")) != content_of(parse(FILM + b"AAAB"))
