"""Reads standard delivery reports (RFC 3464), receipts (RFC 8098) and complaints (RFC 5965), and defines what every report says.

Reports that are written for people only are recognised by ``bounce`` and ``auto_reply``, from several pieces of evidence.
"""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from imio.mailbridge.message.parsing.attachment import part_bytes
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import find_address
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.header import clean
from imio.mailbridge.message.syntax.header import unfold
from imio.mailbridge.message.syntax.message_id import parse_message_ids
from imio.mailbridge.message.syntax.structure import Part
from imio.mailbridge.message.syntax.structure import scan_header
import re


class ReportKind(StrEnum):
    """What a report is about."""

    BOUNCE = "bounce"
    RECEIPT = "receipt"
    AUTO_REPLY = "auto-reply"
    COMPLAINT = "complaint"
    REACTION = "reaction"


@dataclass(frozen=True)
class ReportedRecipient:
    """One recipient of the reported message; addresses, action and status in lower case, None when the report does not say.

    ``address`` is the one that the sender wrote, if the report names it (Original-Recipient); ``final_address`` the one that
    the message was passed on to, if different; ``action`` as in RFC 3464 §2.3.3, for a receipt its disposition type
    (RFC 8098 §3.2.6.2), for a complaint its Feedback-Type (RFC 5965 §3.1); ``status`` an enhanced status code (RFC 3463).
    """

    address: str | None
    action: str | None = None
    status: str | None = None
    final_address: str | None = None
    diagnostic: str | None = None


@dataclass(frozen=True)
class Report:
    """A report: ``message_id`` is that of the reported message, with angle brackets, or None; ``evidence`` is for people.

    ``envelope_id`` is the ENVID that the sender gave (Original-Envelope-Id, RFC 3464 §2.2.1), or None. ``words`` is the emoji of a
    reaction, ``authors`` are the addresses in From.
    """

    kind: ReportKind
    message_id: str | None
    recipients: tuple[ReportedRecipient, ...]
    evidence: tuple[tuple[str, str], ...]
    envelope_id: str | None = None
    words: str = ""
    authors: tuple[str, ...] = ()


DELIVERY_STATUS = ("message/delivery-status", "message/global-delivery-status")
DISPOSITION = ("message/disposition-notification", "message/global-disposition-notification")
FEEDBACK = "message/feedback-report"
#: The field in which Outlook.com (JMRP) names who complained, in the message that it returns.
COMPLAINED = "x-hmxmroriginalrecipient"
RETURNED_HEADERS = (
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/rfc822-headers",
    "message/global-headers",
)

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")

_GROUP_END = re.compile(rb"\n(?:[ \t]*\r*\n)+")
_MAX_GROUPS = 500


def read_standard_report(message: ParsedMessage) -> Report | None:
    """Return the report that ``message`` declares by its structure, or None."""
    if message.defect is not None or message.root.maintype != "multipart":
        return None
    parts = list(message.root.walk())
    declared = {
        part.parameter("report-type").lower() for part in parts if part.content_type == "multipart/report"
    }
    dispositions = [part for part in parts if part.content_type in DISPOSITION]
    if dispositions or "disposition-notification" in declared:
        return _receipt(message, parts, dispositions)
    feedback = [part for part in parts if part.content_type == FEEDBACK]
    if feedback or "feedback-report" in declared:
        return _complaint(message, parts, feedback)
    statuses = [part for part in parts if part.content_type in DELIVERY_STATUS]
    if statuses or "delivery-status" in declared:
        return _delivery_report(message, parts, statuses)
    return None


def read_complaint_of(message: ParsedMessage, sent_by_us: Callable[[str], bool]) -> Report | None:
    """Return the complaint of a provider that writes no standard report, or None: it returns a message of ours with its mark."""
    if message.defect is not None or message.root.maintype != "multipart":
        return None
    for header in returned_headers(message, list(message.root.walk())):
        if recipient := find_address(header.first(COMPLAINED)):
            message_id = next(
                (id for value in header.values("message-id") for id in parse_message_ids(value)), None
            )
            if message_id and sent_by_us(message_id):
                recipients = (ReportedRecipient(recipient.lower(), "abuse"),)
                evidence = (("returned-message", message_id), (COMPLAINED, recipient))
                return Report(ReportKind.COMPLAINT, message_id, recipients, evidence)
    return None


def returned_headers(message: ParsedMessage, parts: list[Part]) -> Iterator[Part]:
    """Yield the header of each message that a report returns, with or without its body."""
    for part in parts:
        if part.is_message and part.parts:
            yield part.parts[0]
        elif part.is_message or part.content_type in RETURNED_HEADERS:
            yield scan_header(part_bytes(message.raw, part)[:200_000])


def returned_message_id(message: ParsedMessage, parts: list[Part]) -> str | None:
    """Return the Message-ID of the message or header that a report returns, or None."""
    for header in returned_headers(message, parts):
        for value in header.values("message-id"):
            if ids := parse_message_ids(value):
                return ids[0]
    return None


def answered_message_id(message: ParsedMessage) -> str | None:
    """Return the Message-ID in In-Reply-To, else the last one in References, else None."""
    if message.in_reply_to:
        return message.in_reply_to[0]
    return message.references[-1] if message.references else None


def _delivery_report(message: ParsedMessage, parts: list[Part], statuses: list[Part]) -> Report:
    recipients: list[ReportedRecipient] = []
    named: list[str] = []
    envelope_id = None
    for part in statuses:
        for group in _groups(message, part):
            named += _named_ids(group, ("original-message-id", "x-original-message-id"))
            envelope_id = envelope_id or group.get("original-envelope-id", "").strip() or None
            recipient = _recipient(group)
            if recipient is not None:
                recipients.append(recipient)
    message_id = (
        returned_message_id(message, parts) or next(iter(named), None) or answered_message_id(message)
    )
    evidence = (("multipart/report", "delivery-status"),)
    return Report(ReportKind.BOUNCE, message_id, tuple(dict.fromkeys(recipients)), evidence, envelope_id)


def _receipt(message: ParsedMessage, parts: list[Part], dispositions: list[Part]) -> Report:
    recipients: list[ReportedRecipient] = []
    named: list[str] = []
    for part in dispositions:
        for group in _groups(message, part):
            named += _named_ids(group, ("original-message-id",))
            final, original = (
                _recipient_address(group, "final-recipient"),
                _recipient_address(group, "original-recipient"),
            )
            disposition = group.get("disposition", "").partition(";")[2] or group.get("disposition", "")
            action = re.split(r"[/,;\s]", disposition.strip().lower())[0] or None
            if final or original:
                recipients.append(
                    ReportedRecipient(
                        original or final, action, None, final if original and final != original else None
                    )
                )
    if not recipients and message.author:
        recipients.append(ReportedRecipient(message.author.addr_spec.lower(), "displayed"))
    message_id = (
        next(iter(named), None) or returned_message_id(message, parts) or answered_message_id(message)
    )
    evidence = (("multipart/report", "disposition-notification"),)
    return Report(ReportKind.RECEIPT, message_id, tuple(recipients), evidence)


def _complaint(message: ParsedMessage, parts: list[Part], feedback: list[Part]) -> Report:
    """Return the complaint of a provider whose customer called our mail unwanted."""
    group = next((group for part in feedback for group in _groups(message, part)), {})
    kind = group.get("feedback-type", "").strip().lower() or None
    address = _recipient_address(group, "original-rcpt-to")
    envelope_id = group.get("original-envelope-id", "").strip() or None
    recipients = (ReportedRecipient(address, kind),) if address else ()
    evidence = (("multipart/report", "feedback-report"),)
    message_id = returned_message_id(message, parts)
    return Report(ReportKind.COMPLAINT, message_id, recipients, evidence, envelope_id)


def _groups(message: ParsedMessage, part: Part) -> list[dict[str, str]]:
    """Return the field groups of a status part, which blank lines separate."""
    groups = []
    for block in _GROUP_END.split(part_bytes(message.raw, part)[:1_000_000].strip())[:_MAX_GROUPS]:
        group: dict[str, str] = {}
        for field in scan_header(block + b"\n\n").fields:
            group.setdefault(field.name, unfold(field.value))
        groups.append(group)
    return groups


def _recipient(group: dict[str, str]) -> ReportedRecipient | None:
    final, original = (
        _recipient_address(group, "final-recipient"),
        _recipient_address(group, "original-recipient"),
    )
    if not final and not original:
        return None
    status = _STATUS.search(group.get("status", ""))
    words = group.get("action", "").lower().split()
    diagnostic = clean(group.get("diagnostic-code", "").partition(";")[2]) or None
    return ReportedRecipient(
        original or final,
        words[0].strip(";,()") if words else None,
        status[1] if status else None,
        _other(final, original),
        diagnostic,
    )


def _other(final: str | None, original: str | None) -> str | None:
    return final if original and final != original else None


def _recipient_address(group: dict[str, str], name: str) -> str | None:
    value = group.get(name, "")
    address = value.partition(";")[2] or value
    parsed = header_addresses(address.strip())
    found = parsed[0].addr_spec if parsed else find_address(address)
    return found.lower() if found else None


def _named_ids(group: dict[str, str], names: tuple[str, ...]) -> list[str]:
    return [found for name in names for found in parse_message_ids(group.get(name, "").encode())]
