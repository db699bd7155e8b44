"""Finds the person behind an author who is nobody to answer: a proposal for the sender, never proof.

A form of the town's site writes in the name of its mailbox, a service as ``noreply``, a list replaces the author by
itself. Who wrote stands in Reply-To, in X-Original-From, or in the name.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.answerable import is_no_reply
from imio.mailbridge.message.classification.redirect import rewritten_author
from imio.mailbridge.message.classification.sender_forms import FORMS
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import find_address
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
from typing import NamedTuple
import re


_REPLACED = any_of(FORMS, "display-name")
_VIA = re.compile(r"\s+via\s+", re.IGNORECASE)


class Proposed(NamedTuple):
    """The person behind an author, and the ``field`` that names the person."""

    author: Address
    field: str


def proposed_author(message: ParsedMessage, source_mailboxes: Iterable[str]) -> Proposed | None:
    """Return the person behind the author of ``message``; None where the author is a person, or nothing names one.

    ``source_mailboxes`` are in lower case.
    """
    mailboxes = frozenset(source_mailboxes)
    if original := rewritten_author(message, mailboxes):
        return Proposed(original, "x-original-from")
    author = message.author
    replaced = is_replaced(author)
    if author is not None and not (
        replaced or author.addr_spec.lower() in mailboxes or is_no_reply(author.addr_spec)
    ):
        return None
    nobody = {*mailboxes, *(each.addr_spec.lower() for each in message.authors)}
    for found in _named(message, replaced):
        address = found.author.addr_spec
        if address.lower() not in nobody and not is_no_reply(address):
            return found
    return None


def is_replaced(author: Address | None) -> bool:
    """Tell whether a list or a service stands as author in place of a person, whom its name tells."""
    return author is not None and _REPLACED.fullmatch(fold(author.display_name)) is not None


def _named(message: ParsedMessage, replaced: bool) -> Iterator[Proposed]:
    name = message.author.display_name if message.author and replaced else ""
    person = _VIA.split(name)[0].strip("'\" ") if _VIA.search(name) else ""
    if replaced:
        yield from (Proposed(each, "x-original-from") for each in message.addresses("x-original-from"))
    for each in message.addresses("reply-to"):
        named = each.display_name or (person if "@" not in person else "")
        yield Proposed(Address(named, each.addr_spec), "reply-to")
    if address := find_address(name):
        yield Proposed(Address("", address), "from")
    if message.author is None:
        yield from (Proposed(each, "sender") for each in message.addresses("sender"))
