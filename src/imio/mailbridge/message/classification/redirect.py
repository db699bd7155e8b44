"""Finds the marks that mail servers leave when a mailbox passes a message on unchanged.

A mark is a claim that anyone can write; ``classify`` decides whether to believe it.
"""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.redirect_forms import Detector
from imio.mailbridge.message.classification.redirect_forms import MARKS
from imio.mailbridge.message.classification.redirect_forms import TRACES
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.header import unfold
from weakref import WeakKeyDictionary


@dataclass(frozen=True)
class Mark:
    """What a detector saw in a message."""

    detector: Detector
    value: str
    addresses: tuple[str, ...]


def _addresses(value: str) -> tuple[str, ...]:
    return tuple(address.addr_spec.lower() for address in header_addresses(value))


def _words(value: str) -> tuple[str, ...]:
    # "original target [further targets]"; web proxies write IP addresses into a header of the same name.
    words = value.replace(",", " ").split()
    return tuple(address for word in words[:20] for address in _addresses(word))


def _before_semicolon(value: str) -> tuple[str, ...]:
    return _addresses(value.partition(";")[0])


def _none(value: str) -> tuple[str, ...]:
    return ()


def _caf(value: str) -> tuple[str, ...]:
    # The envelope sender of a forward by Gmail: contact+caf_=in=bridge.test@maville.be
    local, _, domain = value.strip().strip("<>").rpartition("@")
    name, caf, _target = local.partition("+caf_=")
    return _addresses(f"{name}@{domain}") if caf else ()


def _group(value: str) -> tuple[str, ...]:
    # Google Groups: "list contact@maville.be; contact contact+owners@maville.be"
    return _before_semicolon(value.strip().removeprefix("list "))


_READINGS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "addresses": _addresses,
    "words": _words,
    "before semicolon": _before_semicolon,
    "caf": _caf,
    "group": _group,
    "nobody": _none,
}


_KNOWN: WeakKeyDictionary[ParsedMessage, tuple[tuple[Mark, ...], tuple[Mark, ...]]] = WeakKeyDictionary()


def redirect_marks(message: ParsedMessage) -> tuple[Mark, ...]:
    """Return the marks in ``message`` in the order of the table, topmost field first."""
    return _read(message)[0]


def redirect_traces(message: ParsedMessage, source_mailboxes: Iterable[str]) -> tuple[Mark, ...]:
    """Return the traces in ``message`` that name one of the ``source_mailboxes`` (in lower case)."""
    declared = frozenset(source_mailboxes)
    return tuple(mark for mark in _read(message)[1] if not declared.isdisjoint(mark.addresses))


def rewritten_author(message: ParsedMessage, source_mailboxes: Iterable[str]) -> Address | None:
    """Return the author whose From a Google group among the ``source_mailboxes`` replaced by its own address, or None.

    A group does so when the author's domain asks for the rejection of mail that others pass on (DMARC); it keeps the author in
    X-Original-From.
    """
    author = message.author.addr_spec.lower() if message.author else ""
    groups = {
        each
        for mark in redirect_traces(message, source_mailboxes)
        if mark.detector.name == "google-group"
        for each in mark.addresses
    }
    return next(iter(message.addresses("x-original-from")), None) if author in groups else None


def _counts(mark: Mark) -> bool:
    detector = mark.detector
    if detector.names_mailbox:
        return bool(mark.addresses)
    return detector.says in mark.value.lower()


def _read(message: ParsedMessage) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """Return the marks and the traces in ``message``; each case of the classification asks for them."""
    if (known := _KNOWN.get(message)) is None:
        marks = tuple(mark for mark in _found(message, MARKS) if _counts(mark))
        known = _KNOWN[message] = marks, tuple(_found(message, TRACES))
    return known


def _found(message: ParsedMessage, detectors: Iterable[Detector]) -> Iterable[Mark]:
    names = message.root.names
    for detector in detectors:
        for raw_value in message.root.values(detector.header) if detector.header in names else ():
            value = unfold(raw_value)
            yield Mark(detector, value, _READINGS[detector.reading](value))
