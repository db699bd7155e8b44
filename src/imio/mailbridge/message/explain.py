"""Runs the command ``mailbridge-explain``, which prints how the mail bridge would classify message files. It needs no site.

One line of JSON for each message, in the order given. Exit status 0 when all files were read, 2 when one could not be.
"""

from argparse import ArgumentParser
from argparse import Namespace
from collections.abc import Sequence
from imio.mailbridge.message.classification.classify import Classification
from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import OriginalMessage
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.parsing.parse import parse
from pathlib import Path
from typing import Any
import json
import re
import sys


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_intermixed_args(argv)  # files and options in any order
    try:
        context = _context(options)
    except re.error as error:
        parser.error(f"--agent: not a regular expression: {error}")
    status = 0
    for name in options.files:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except (OSError, ValueError) as error:
            print(f"mailbridge-explain: {name}: {error}", file=sys.stderr)
            status = 2
            continue
        print(json.dumps(explain(name, raw, context, options.evidence)), flush=True)
    return status


def explain(name: str, raw: bytes, context: Context, evidence: bool = False) -> dict[str, Any]:
    """Return what is printed for one message; with ``evidence`` also what the detectors saw."""
    found = classify(parse(raw), context)
    explained: dict[str, Any] = {
        "file": name,
        "transfer": found.transfer.value,
        "reason": found.reason,
        "transferred_by": found.transferred_by.addr_spec.lower() if found.transferred_by else None,
        "messages": _messages(found),
        "report": _report(found.report) if found.report else None,
    }
    if evidence:
        explained["evidence"] = [each._asdict() for each in found.evidence]
    return explained


def _messages(found: Classification) -> list[dict[str, Any]]:
    return [_message(original) for original in found.messages]


def _message(original: OriginalMessage) -> dict[str, Any]:
    return {
        "from": original.author.addr_spec.lower() if original.author else None,
        "subject": original.subject,
        "date": original.date.isoformat() if original.date else None,
        "message_id": original.message_id,
        "attachments": [
            {"filename": file.filename, "content_type": file.content_type, "size": file.size}
            for file in original.attachments
        ],
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "message_id": report.message_id,
        "recipients": [
            {"address": recipient.address, "action": recipient.action, "status": recipient.status}
            for recipient in report.recipients
        ],
    }


def _context(options: Namespace) -> Context:
    sent = frozenset(_bare_id(message_id) for message_id in options.sent)
    return Context(
        agent_patterns=compile_agent_patterns(options.agent),
        source_mailboxes=frozenset(address.strip().lower() for address in options.mailbox),
        proof=Proof.GATEWAY if options.trusted else None,
        sent_by_us=lambda message_id: _bare_id(message_id) in sent,
        own_addresses=frozenset(address.strip().lower() for address in options.recipient),
    )


def _bare_id(message_id: str) -> str:
    return message_id.strip().strip("<>")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="mailbridge-explain",
        description="Explain what the mail bridge makes of messages: one line of JSON for each, in the order given.",
        epilog="Without options no sender is an agent and no mailbox is declared. "
        "Exit status: 0 when all files were read, 2 when one could not be opened.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="a message; - is standard input")
    parser.add_argument(
        "--agent",
        metavar="REGEX",
        action="append",
        default=[],
        help="addresses of agents (full match, any case)",
    )
    parser.add_argument(
        "--mailbox",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="a mailbox of the town that forwards",
    )
    parser.add_argument(
        "--recipient",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="an address that the bridge files mail for: mail that names it came to it directly",
    )
    parser.add_argument(
        "--sent",
        metavar="MESSAGE-ID",
        action="append",
        default=[],
        help="the Message-ID of a message that the bridge sent",
    )
    parser.add_argument("--evidence", action="store_true", help="add what the detectors saw")
    parser.add_argument("--trusted", action="store_true", help="the message came through a trusted gateway")
    return parser


if __name__ == "__main__":
    sys.exit(main())
