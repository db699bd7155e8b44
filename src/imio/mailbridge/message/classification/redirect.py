"""Did a mailbox pass this message on unchanged? The marks that mail servers leave, as a table.

A mark is a claim: anyone can write one. Who believes it is decided in ``classify``.
"""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.header import unfold


@dataclass(frozen=True)
class Detector:
    """A mark: ``header`` that is read, ``mailboxes`` gives the lower-case addresses that a value of it names.

    ``names_mailbox`` is False for marks that say that a server passed the message on, but not for whom.
    """

    name: str
    header: str
    mailboxes: Callable[[str], tuple[str, ...]]
    names_mailbox: bool = True


@dataclass(frozen=True)
class Mark:
    """What a detector saw in a message."""

    detector: Detector
    value: str
    mailboxes: tuple[str, ...]


def _addresses(value: str) -> tuple[str, ...]:
    return tuple(address.addr_spec.lower() for address in header_addresses(value))


def _words(value: str) -> tuple[str, ...]:
    # "original target [further targets]"; the header is known from web proxies too, with IP addresses.
    words = value.replace(",", " ").split()
    return tuple(address for word in words[:20] for address in _addresses(word))


def _before_semicolon(value: str) -> tuple[str, ...]:
    return _addresses(value.partition(";")[0])


def _none(value: str) -> tuple[str, ...]:
    return ()


def _caf(value: str) -> tuple[str, ...]:
    # The envelope sender of Gmail's forwarding: contact+caf_=in=bridge.test@maville.be
    local, _, domain = value.strip().strip("<>").rpartition("@")
    name, caf, _target = local.partition("+caf_=")
    return _addresses(f"{name}@{domain}") if caf else ()


def _group(value: str) -> tuple[str, ...]:
    # Google Groups: "list contact@maville.be; contact contact+owners@maville.be"
    return _before_semicolon(value.strip().removeprefix("list "))


#: What each server writes when it passes a message on.
MARKS: tuple[Detector, ...] = (
    Detector("gmail-forwarded-for", "x-forwarded-for", _words),
    Detector("gmail-envelope", "return-path", _caf),
    Detector("workspace-routing", "x-gm-original-to", _addresses),
    Detector("exchange-inbox-rule", "x-ms-exchange-inbox-rules-loop", _before_semicolon),
    Detector("exchange-mailbox-forwarding", "x-ms-exchange-forwardingloop", _before_semicolon),
    Detector("zimbra-forwarded", "x-zimbra-forwarded", _addresses),
    Detector("sieve-redirected-from", "x-sieve-redirected-from", _addresses),
    Detector("resent-from", "resent-from", _addresses),
    Detector("gmail-forwarded-to", "x-forwarded-to", _none, names_mailbox=False),
    Detector("exchange-external-forward", "x-ld-processed", _none, names_mailbox=False),
)

#: No marks of a redirect, but a declared mailbox in them tells where the message was.
TRACES: tuple[Detector, ...] = (
    Detector("delivered-to", "delivered-to", _addresses),
    Detector("x-original-to", "x-original-to", _addresses),
    Detector("envelope-to", "envelope-to", _addresses),
    Detector("x-envelope-to", "x-envelope-to", _addresses),
    Detector("x-delivered-to", "x-delivered-to", _addresses),
    Detector("x-loop", "x-loop", _addresses),
    Detector("google-group", "mailing-list", _group),
    Detector("to", "to", _addresses),
    Detector("cc", "cc", _addresses),
)


def redirect_marks(message: ParsedMessage) -> tuple[Mark, ...]:
    """Return the marks in ``message`` in the order of the table, topmost field first."""
    return tuple(
        mark
        for mark in _read(message, MARKS)
        if (mark.mailboxes or not mark.detector.names_mailbox) and _counts(mark)
    )


def redirect_traces(message: ParsedMessage, mailboxes: Iterable[str]) -> tuple[Mark, ...]:
    """Return the traces in ``message`` that name one of ``mailboxes`` (lower case)."""
    declared = frozenset(mailboxes)
    return tuple(mark for mark in _read(message, TRACES) if declared.intersection(mark.mailboxes))


def rewritten_author(message: ParsedMessage, mailboxes: Iterable[str]) -> Address | None:
    """Return whose From a Google group among ``mailboxes`` replaced by its own address, or None.

    It does so where the author's domain asks for the rejection of what others pass on (DMARC), and keeps X-Original-From.
    """
    author = message.author.addr_spec.lower() if message.author else ""
    groups = {
        each
        for mark in redirect_traces(message, mailboxes)
        if mark.detector.name == "google-group"
        for each in mark.mailboxes
    }
    return next(iter(message.addresses("x-original-from")), None) if author in groups else None


def _counts(mark: Mark) -> bool:
    # X-LD-Processed is on all mail of Microsoft 365; ExtFwd in it is the mark.
    return mark.detector.header != "x-ld-processed" or "extfwd" in mark.value.lower()


def _read(message: ParsedMessage, detectors: Iterable[Detector]) -> Iterable[Mark]:
    for detector in detectors:
        for raw_value in message.root.values(detector.header):
            value = unfold(raw_value)
            yield Mark(detector, value, detector.mailboxes(value))
