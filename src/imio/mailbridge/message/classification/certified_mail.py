"""Reads the receipts of certified mail (PEC): a field says what happened, ``daticert.xml`` to whom."""

from imio.mailbridge.message.classification.certified_forms import RECEIPTS
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportedRecipient
from imio.mailbridge.message.parsing.attachment import part_beginning
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.message_id import parse_message_ids
import re


_RECEIPTS = {each.value: each for each in RECEIPTS}
_DELIVERED_TO = re.compile(rb"<consegna>\s{0,9}([^\s<>]{1,250}@[^\s<>]{1,250})\s{0,9}</consegna>")


def read_certified_receipt(message: ParsedMessage) -> Report | None:
    """Return the receipt of a provider of certified mail, or None."""
    value = (message.header("x-ricevuta") or "").strip().lower()
    receipt = _RECEIPTS.get(value)
    if receipt is None:
        return None
    named = (
        found for each in message.root.values("x-riferimento-message-id") for found in parse_message_ids(each)
    )
    recipient = ReportedRecipient(_recipient(message), receipt.action)
    return Report(receipt.kind, next(named, None), (recipient,), (("x-ricevuta", value),))


def _recipient(message: ParsedMessage) -> str | None:
    """Return the recipient that ``daticert.xml`` names, in lower case, or None."""
    for part in message.root.walk():
        if part.filename.lower() == "daticert.xml" and (
            found := _DELIVERED_TO.search(part_beginning(message.raw, part))
        ):
            return found[1].decode("ascii", "replace").lower()
    return None
