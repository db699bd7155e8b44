"""Recognises bounces of mail servers that do not write standard reports, and the recipients that they name.

Two kinds of evidence are required together: the origin (a mail daemon, an empty envelope sender, a field that only bounces
have) and the words (a subject or a sentence that servers write). Where the origin is weak, subject and sentence must both be there,
or a sentence and the message that came back. ``bounce_forms`` holds the words.
"""

from collections.abc import Callable
from dataclasses import replace
from imio.mailbridge.message.classification.answerable import is_no_reply
from imio.mailbridge.message.classification.bounce_forms import FORMS
from imio.mailbridge.message.classification.report import answered_message_id
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportedRecipient
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.classification.report import returned_headers
from imio.mailbridge.message.classification.report import returned_message_id
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.form import alternatives
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
from imio.mailbridge.message.syntax.header import clean
from imio.mailbridge.message.syntax.header import unfold
from imio.mailbridge.message.syntax.structure import Part
import re


_AUTHOR = any_of(FORMS, "author")
_CERTAIN = any_of(FORMS, "certain-author")
_SUBJECT = any_of(FORMS, "subject")
_SENTENCE = any_of(FORMS, "text")
_DELAYED = any_of(FORMS, "delayed")
_RETURNED = re.compile(rf"^[ \t>|]*(?:{alternatives(FORMS, 'returned')})$", re.MULTILINE)
_TO_LINE = re.compile(r"^[ \t>|]*To\s?:\s?(.{1,990})$", re.IGNORECASE | re.MULTILINE)
#: How an attached message is described that came back.
_ORIGINAL = re.compile(r"original|undelivered|returned")
_MESSAGE_ID_LINE = re.compile(
    r"^[ \t>|]*Message-ID\s?:\s{0,4}[>|]?\s{0,4}(<[^<>\s]{1,990}>)", re.IGNORECASE | re.MULTILINE
)
_ADDRESS = re.compile(
    r"(?<![\w.+-])([\w.+!$%&'-]{1,64}@(?:[A-Za-z0-9_-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w@-])"
)
#: An enhanced status code of a failure; in running text "2.0.12" is the version of a program.
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_FAILURE = re.compile(r"(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])")
_QUEUE_HOST = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon)@", re.IGNORECASE)
_MAX_TEXT = 200_000


def read_bounce(
    message: ParsedMessage,
    null_sender: bool = False,
    sent_by_us: Callable[[str], bool] = lambda message_id: False,
) -> Report | None:
    """Return the report of a bounce, or None when ``message`` is not one."""
    if message.defect is not None:
        return None
    failed = message.header("x-failed-recipients") or ""
    origin, is_strong = _origin(message, failed, null_sender)
    if not origin:
        return None
    text, parts = _text(message), _parts(message)
    said = _said(message, text)
    if not is_strong and not _is_enough(origin, said, lambda: _returns_whole(message, parts, sent_by_us)):
        return None
    is_certain = _is_certain(message)
    if not said and not is_certain:
        return None
    message_id = (
        returned_message_id(message, parts)
        or _quoted_message_id(message, text)
        or answered_message_id(message)
    )
    recipients = _recipients(message, text)
    # A postmaster also writes about the mail system: a bounce names the message that came back, or its recipient.
    if not recipients and message_id is None and not is_certain:
        return None
    return Report(ReportKind.BOUNCE, message_id, recipients, (origin, *said))


def read_bounce_of(message: ParsedMessage, sent_by_us: Callable[[str], bool]) -> Report | None:
    """Return the bounce of an unknown server, or None: its words are those of a bounce and it returns a message of ours."""
    # the subject first: this is asked of every message, and most have none
    if message.defect is not None or not _SUBJECT.search(fold(message.subject or "")):
        return None
    text = _text(message)
    said = _said(message, text)
    if len(said) < 2:
        return None
    message_id = returned_message_id(message, _parts(message)) or _quoted_message_id(message, text)
    if message_id is None or not sent_by_us(message_id):
        return None
    evidence = (("returned-message", message_id), *said)
    return Report(ReportKind.BOUNCE, message_id, _recipients(message, text), evidence)


def read_returned(message: ParsedMessage) -> Report:
    """Return the report in a message with a null sender that came to the signed bounce address of one of our messages.

    It concerns that message, in whatever language it is written; a recipient counts as failed only where a status code of a
    failure stands next to its address.
    """
    recipients = tuple(
        each if _FAILURE.search(each.diagnostic or "") else replace(each, action=None)
        for each in _recipients(message, _text(message))
    )
    return Report(ReportKind.BOUNCE, None, recipients, (("bounce-address", "<>"),))


def is_mail_system(addr_spec: str) -> bool:
    """Tell whether an address has the form of those that mail servers write reports under; anybody can write such a one."""
    local_part = fold(addr_spec.rpartition("@")[0])
    return any(pattern.fullmatch(local_part) for pattern in (_AUTHOR, _CERTAIN))


def name_recipients(report: Report, message: ParsedMessage) -> Report:
    """Return ``report`` with the recipients that only its text names (Yahoo's reports have no machine-readable fields).

    Where the text names none either, it is the only one that the returned message was written to.
    """
    if report.recipients or report.kind is not ReportKind.BOUNCE:
        return report
    text = _text(message)
    return replace(report, recipients=_recipients(message, text, lambda: _only_addressee(message, text)))


def _origin(message: ParsedMessage, failed: str, null_sender: bool) -> tuple[tuple[str, str] | None, bool]:
    """Return the sign that a mail server wrote the message, or None, and whether people never have it."""
    if failed:
        return ("x-failed-recipients", failed), True
    author = message.author
    if any(_AUTHOR.fullmatch(name) or _CERTAIN.fullmatch(name) for name in _author_names(message)):
        return ("from", str(author or message.header("from") or "")), True
    if null_sender or any(value.strip() == "<>" for value in message.headers("return-path")):
        return ("return-path", "<>"), False
    if author is not None and is_no_reply(author.addr_spec):
        return ("from", author.addr_spec), False
    return None, False


def _author_names(message: ParsedMessage) -> tuple[str, ...]:
    """Return the local part and the display name of the author, or all of From where it has no address."""
    author = message.author
    names = (
        re.split("[<>]", message.header("from") or "")
        if author is None
        else [author.addr_spec.rpartition("@")[0], author.display_name]
    )
    return tuple(filter(None, (fold(name).strip(" \"'") for name in names)))


def _is_certain(message: ParsedMessage) -> bool:
    """Tell whether the author writes nothing but bounces."""
    return any(_CERTAIN.fullmatch(name) for name in _author_names(message))


def _is_enough(
    origin: tuple[str, str], said: tuple[tuple[str, str], ...], returns_whole: Callable[[], bool]
) -> bool:
    """Tell whether the words make up for a weak origin; absence messages have a null sender too, shops a no-reply address."""
    places = {place for place, _words in said}
    both = origin[0] == "return-path" and places == {"subject", "text"}
    return both or ("text" in places and returns_whole())


def _returns_whole(message: ParsedMessage, parts: list[Part], sent_by_us: Callable[[str], bool]) -> bool:
    """Tell whether an attached message is said to be the one that came back, or is ours."""
    attached = [part for part in parts if part.is_message]
    if any(_ORIGINAL.search(fold(part.first("content-description"))) for part in attached):
        return True
    found = returned_message_id(message, attached)
    return found is not None and sent_by_us(found)


def _said(message: ParsedMessage, text: str) -> tuple[tuple[str, str], ...]:
    """Return the words of a bounce in the subject and in the text."""
    places = (
        ("subject", _SUBJECT.search(fold(message.subject or ""))),
        ("text", _SENTENCE.search(fold(text[:20_000]))),
    )
    return tuple((place, clean(found[0])) for place, found in places if found)


def _parts(message: ParsedMessage) -> list[Part]:
    return [part for part in message.root.walk() if part is not message.root]


def _text(message: ParsedMessage) -> str:
    text = message.text if message.text and message.text.strip() else None
    if text is None and message.html:
        text = "\n".join(html_lines(message.html))
    return (text or "")[:_MAX_TEXT]


def _quoted_message_id(message: ParsedMessage, text: str) -> str | None:
    own = message.message_id
    return next((match[1] for match in _MESSAGE_ID_LINE.finditer(text) if match[1] != own), None)


def _before_returned(text: str) -> tuple[str, str]:
    """Return the words of the server, and the returned message below them."""
    found = _RETURNED.search(folded := fold(text))
    if found is None:
        return text, ""
    lines = text.split("\n")
    said = folded.count("\n", 0, found.start())
    return "\n".join(lines[:said]), "\n".join(lines[said:])


def _only_addressee(message: ParsedMessage, text: str) -> str:
    """Return the address that the returned message, attached or quoted, was written to; empty when there are more, or none."""
    values = [
        unfold(value)
        for header in returned_headers(message, _parts(message))
        for value in header.values("to")
    ] or _TO_LINE.findall(_before_returned(text)[1])
    found = {each.addr_spec.lower() for value in values for each in header_addresses(value)}
    return next(iter(found)) if len(found) == 1 else ""


def _recipients(
    message: ParsedMessage, text: str, otherwise: Callable[[], str] = lambda: ""
) -> tuple[ReportedRecipient, ...]:
    """Return the recipients that the message names, else the address that ``otherwise`` returns."""
    said = _before_returned(text)[0][:20_000]
    own = {address.addr_spec.lower() for address in (*message.authors, *message.to, *message.cc)}
    found = _ADDRESS.findall(message.header("x-failed-recipients") or "") or [
        address
        for address in _ADDRESS.findall(said)
        if address.lower() not in own and not _QUEUE_HOST.match(address)
    ]
    delayed = bool(_DELAYED.search(fold(message.subject or "")) or _DELAYED.search(fold(said)))
    statuses = _STATUS.findall(said)
    distinct = dict.fromkeys(address.strip("'").lower() for address in found or filter(None, [otherwise()]))
    return tuple(
        ReportedRecipient(
            address,
            "delayed" if delayed else "failed",
            _status(said, address, statuses),
            diagnostic=_words(said, address),
        )
        for address in list(distinct)[:50]
    )


def _words(text: str, address: str) -> str | None:
    """Return what is said about an address: the text after it, up to the next blank line."""
    _before, found, after = text.partition(address) if address in text else text.lower().partition(address)
    said = re.split(r"\n[ \t>]*\n", after, maxsplit=1)[0] if found else ""
    return " ".join(clean(said.lstrip("<>:.,;'\"() \t\r\n")).split())[:500] or None


def _status(text: str, address: str, statuses: list[str]) -> str | None:
    position = text.lower().find(address)
    near = _STATUS.search(text, position) if position >= 0 else None
    if near is not None and near.start() - position < 600:
        return near[1]
    return statuses[0] if len(set(statuses)) == 1 else None
