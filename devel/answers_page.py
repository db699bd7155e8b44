"""Writes the page of the documentation on answers from their tables: ``python -m devel.answers_page``."""

from imio.mailbridge.delivery.answer_table import ANSWERS
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.inbound import imap_answers
from pathlib import Path
import re


PAGE = Path(__file__).resolve().parent.parent / "docs/answers.rst"

INTRODUCTION = """\
What answers mean
=================

Written by ``python -m devel.answers_page`` from the tables in the code: do not edit this page.

The first row of a table that fits an answer decides what happens and what is said. A new row needs its name, real examples, near
misses and words; no other code. An example begins with the stage of the dialogue at which it came; code 0 is our side of the
connection.

"""

SMTP = {
    Outcome.SENT: "The server took the message.",
    Outcome.TEMPORARY: "The message is put off and tried again, until the time for tries is over.",
    Outcome.PERMANENT: "The recipient has failed.",
    Outcome.SENDER_REFUSED: "The message goes out from the login address where that may be, else the recipient has failed.",
    Outcome.CONFIGURATION: "The account is stopped, its mail is held, an administrator is told.",
}
STATES = {
    Outcome.TEMPORARY: "deferred",
    Outcome.PERMANENT: "failed",
    Outcome.SENDER_REFUSED: "failed",
    Outcome.CONFIGURATION: "held",
}
IMAP = {
    imap_answers.Outcome.SOON: "The mailbox is read again at the next pass.",
    imap_answers.Outcome.PAUSE: "The mailbox is read again after a pause that grows.",
}


def text():
    """Return the page."""
    return "\n".join(
        (
            INTRODUCTION,
            *_section("Mail that leaves (SMTP)", ANSWERS, SMTP),
            *_section("Mailboxes (IMAP)", imap_answers.IMAP_ANSWERS, IMAP),
        )
    )


def _section(title, rows, outcomes):
    yield f"{title}\n{'-' * len(title)}\n"
    for row in rows:
        yield from _row(row, outcomes)


def _row(row, outcomes):
    yield f"{row.name}\n{'~' * len(row.name)}\n"
    yield f"{outcomes[row.outcome]}{_alarm(row)}\n"
    for title, words in (
        ("Agent", _for_agent(row) if hasattr(row, "given_up") else ""),
        ("Agent, at the end of the tries", getattr(row, "given_up", "")),
        ("Administrator", row.remedy if hasattr(row, "given_up") else f"{row.explanation} {row.remedy}"),
    ):
        if words:
            yield f"{title}: {_plain(words)}\n"
    yield "::\n"
    yield from (f"    {each}" for each in row.examples)
    yield ""


def _for_agent(row):
    """Return what the agent is told at first: what happened, and what follows."""
    return " ".join(filter(None, (row.explanation, row.follows(STATES.get(row.outcome, "")))))


def _alarm(row):
    return " An administrator is told, since no agent can mend it." if getattr(row, "alarm", False) else ""


def _plain(words):
    """Return words of the interface as text that has no meaning in reStructuredText."""
    return re.sub(r"([\\*`|_])", r"\\\1", str(words))


if __name__ == "__main__":
    PAGE.write_text(text())
