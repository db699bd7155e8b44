"""Of 20,000 damaged messages none may raise, take 5 s of processor time, or fill the memory of its process."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.explain import explain
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.sameness import content_of
from imio.mailbridge.message.rendition.prepare import outline_and_html
from pathlib import Path
import json
import random
import resource
import signal
import subprocess
import sys


MESSAGES = sorted((Path(__file__).parent.parent / "messages").glob("*.eml"))
ROOT = Path(__file__).resolve().parent.parent.parent
MUTATIONS = 20_000
PROCESSES = 2
MEMORY = 1 << 30
CONTEXT = Context(
    agent_patterns=compile_agent_patterns([r".+@maville\.(be|test)"]),
    source_mailboxes=frozenset({"contact@maville.be", "info@maville.test"}),
    proof=Proof.GATEWAY,
)


def mutated(chance, raws):
    """Return one of the messages, damaged."""
    octets = bytearray(chance.choice(raws))
    for _ in range(chance.randint(1, 6)):
        kind, position = chance.randrange(9), chance.randrange(max(1, len(octets)))
        if kind == 0:
            octets[position : position + 1] = bytes([chance.randrange(256)])
        elif kind == 1 and octets:
            octets[position] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del octets[position:]
        elif kind == 3:
            del octets[position : position + chance.randint(1, 300)]
        elif kind == 4:
            head, blank, rest = bytes(octets).partition(b"\n\n")
            lines = head.split(b"\n")
            chance.shuffle(lines)
            octets = bytearray(b"\n".join(lines) + blank + rest)
        elif kind == 5:
            octets = bytearray(bytes(octets).replace(b"--", b"-", chance.randint(1, 3)))
        elif kind == 6:
            octets = bytearray(bytes(octets).replace(b"\n\n", b"\n", 1))
        elif kind == 7:
            other = chance.choice(raws)
            start = chance.randrange(len(other))
            octets[position:position] = other[start : start + chance.randint(1, 3000)]
        else:
            octets = bytearray(bytes(octets).replace(b'boundary="', b'boundary="\x00', 1))
    return bytes(octets)


def read(raw):
    """Read everything that the bridge reads from a message."""
    message = parse(raw)
    found = classify(message, CONTEXT)
    for original in found.messages:
        content_of(original.source)
        outline_and_html(original.source)
    json.dumps(explain("x", raw, CONTEXT, evidence=True)).encode("ascii")


def run(seed, count):
    """Read ``count`` mutations; a failure names the mutation."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    raws, chance = [path.read_bytes() for path in MESSAGES], random.Random(seed)
    for number in range(count):
        raw = mutated(chance, raws)
        signal.setitimer(signal.ITIMER_PROF, 5)
        try:
            read(raw)
        except BaseException as error:
            raise SystemExit(f"mutation {number} of seed {seed}: {error!r}: {raw[:2000]!r}") from error
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def test_mutations():
    code = "import sys; from tests.message.test_fuzz import run; run(int(sys.argv[1]), int(sys.argv[2]))"
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen(
            [*command, str(seed), str(MUTATIONS // PROCESSES)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for seed in range(PROCESSES)
    ]
    for process in processes:
        _output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors[-3000:] or f"ended by signal {-process.returncode}"
