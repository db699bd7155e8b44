"""Recognises what an IMAP or POP3 server hands over in place of a message that it cannot read, and which message that is."""

from dataclasses import dataclass
from imio.mailbridge.message.classification.stand_in_forms import FORMS
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
import re


_AUTHOR, _SUBJECT = any_of(FORMS, "from"), any_of(FORMS, "subject")
#: ``Subject: "Plan"``, ``From: "Ann" ("ann@bureau.example")``: the labels are in the language of the server, the order is fixed.
_FIELD = re.compile(r"^[^\W\d_][^:\"\n]{0,30}:[ \t\xa0]*\"(.*)\"?[ \t]*\)?[ \t]*\r?$", re.MULTILINE)
_MAX_TEXT = 4_000


@dataclass(frozen=True)
class StandIn:
    """What the server says of the message that it cannot read; empty where it says nothing."""

    subject: str
    author: str


def read_stand_in(message: ParsedMessage) -> StandIn | None:
    """Return what stands for another message, or None: its author is a server without an address, its subject says so."""
    if message.defect is not None or message.author is not None:
        return None
    if not _AUTHOR.search(fold(message.header("from") or "")) or not _SUBJECT.search(
        fold(message.subject or "")
    ):
        return None
    fields = [
        " ".join(match[1].replace('"', "").split())
        for match in _FIELD.finditer((message.text or "")[:_MAX_TEXT])
    ]
    return StandIn(*(fields + ["", ""])[:2])
