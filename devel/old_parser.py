"""Measures imio.email.parser on the messages of a folder; run by ``bench_incoming`` in an environment of its own."""

from imio.email.parser import email_policy
from imio.email.parser.parser import Parser
from pathlib import Path
import contextlib
import email
import json
import logging
import sys
import time


ROUNDS = 5


def read(raw):
    """Parse as its importer does: headers and attachments; the body becomes a PDF later, which is not asked for."""
    parser = Parser(email.message_from_bytes(raw, policy=email_policy), False, "bench")
    return parser.headers, parser.attachments


def main(folder):
    """Print messages a second, and how many messages it could not read."""
    logging.disable(logging.CRITICAL)
    messages = [path.read_bytes() for path in sorted(Path(folder).glob("*.eml"))]
    raised = 0
    for raw in messages:
        try:
            read(raw)
        except Exception:  # noqa: BLE001 - counted
            raised += 1
    start = time.perf_counter()
    for _ in range(ROUNDS):
        for raw in messages:
            with contextlib.suppress(Exception):  # counted above
                read(raw)
    rate = ROUNDS * len(messages) / (time.perf_counter() - start)
    print(json.dumps({"rate": rate, "raised": raised, "count": len(messages)}))


if __name__ == "__main__":
    main(sys.argv[1])
