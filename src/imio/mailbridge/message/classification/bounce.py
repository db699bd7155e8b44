"""Recognises bounces of mail servers that do not write standard reports, and the recipients that they name.

Two kinds of evidence are required together: the origin (a mail daemon, an empty envelope sender, a field that only bounces
have) and the words (a subject or a sentence that servers write).
"""

from collections.abc import Callable
from dataclasses import replace
from imio.mailbridge.message.classification.report import answered_message_id
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportedRecipient
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.classification.report import returned_message_id
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.header import clean
import re


_DAEMON = re.compile(
    r"(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|post[-_.]?office|mail[-_.]?system|mmdf|mdaemon|uucp|smtpd|daemon"
    r"|microsoftexchange[0-9a-f]+|antispam|mailadm(?:in)?|internet-?mail|bounce(?:s|d)?|ndr|mail[-_.]?delivery.*|mta[-_]?admin)",
    re.IGNORECASE,
)
#: This author writes nothing but bounces.
_CERTAIN = re.compile(r"(?:.*<)?mailer[-_.]?daemon\b", re.IGNORECASE)
#: What the subjects of bounces contain.
SUBJECTS = (
    r"mail delivery (?:failed|failure|error|problem|subsystem)",
    r"delivery (?:status notification|failure|failed|report|notification|error|problem|unsuccessful)",
    r"delivery has (?:failed|been delayed)",
    r"un-?deliver(?:able|ed)",
    r"returned (?:mail|to sender|message)",
    r"failure notice",
    r"non[- ]?deliver(?:y|able)",
    r"mail (?:system )?(?:error|failure)",
    r"warning: (?:could not send|message)",
    r"(?:could not|couldn'?t|cannot) (?:be )?deliver(?:ed)?",
    r"unable to deliver",
    r"failed mail",
    r"message (?:delivery|not delivered|status)",
    r"message (?:was |is )?rejected",
    r"non remis",
    r"non distribu",
    r"échec de (?:la )?(?:remise|distribution|livraison)",
    r"notification d['’]échec",
    r"remise différée",
    r"niet (?:te bezorgen|bestelbaar|afgeleverd)",
    r"onbestelbaar",
    r"kan niet worden bezorgd",
    r"unzustellbar",
    r"nicht zugestellt",
    r"zustellung (?:fehlgeschlagen|nicht)",
    r"fehlgeschlagen",
    r"no se (?:puede|pudo|ha podido) entregar",
    r"no entreg(?:able|ado)",
    r"error (?:de|en la) entrega",
    r"(?:mancato|mancata) (?:recapito|consegna)",
    r"(?:recapito|consegna) non riuscit[oa]",
    r"non (?:recapitabile|recapitato|consegnato)",
    r"não (?:é|foi) possível entregar",
    r"não entreg(?:ue|ável)",
    r"falha (?:na|de) entrega",
)
#: What the texts of bounces contain.
SENTENCES = (
    r"hi\. this is the",
    r"i'm afraid i wasn't able to deliver",
    r"created automatically by (?:the )?mail (?:delivery )?(?:software|system)",
    r"(?:could not|couldn'?t|cannot) be delivered",
    r"not (?:yet )?been delivered",
    r"was not delivered",
    r"unable to deliver",
    r"un-?deliver(?:able|ed)",
    r"delivery (?:has |to the following recipients? )?failed",
    r"permanent(?: fatal)? errors?",
    r"transient non-fatal errors",
    r"(?:user unknown|unknown user|no such user)",
    r"mailbox (?:is )?(?:full|unavailable|not found|unknown)",
    r"did not reach the following recipient",
    r"failed to (?:deliver|reach)",
    r"returned to sender",
    r"message was rejected",
    r"following address(?:es)? (?:had|failed|is|are)",
    r"failed addresses follow",
    r"recipients? address(?:es)? (?:rejected|unknown)",
    r"address(?:es)? not found",
    r"(?:over quota|quota exceeded)",
    r"n['’]a pas pu être (?:remis|livré|distribué|délivré)",
    r"nicht zugestellt werden",
    r"konnte nicht zugestellt",
    r"k[ao]n niet (?:worden )?(?:bezorgd|afgeleverd)",
    r"no (?:se )?(?:puede|pudo|ha podido) (?:ser )?entreg(?:ar|ado)",
    r"(?:non è stato possibile (?:recapitare|consegnare)|non (?:può|ha potuto) essere (?:recapitato|consegnato))",
    r"não (?:pôde|pode) ser entregue",
    r"não (?:foi|é) possível entregar",
)
_SUBJECT = re.compile("|".join(SUBJECTS), re.IGNORECASE)
_SENTENCE = re.compile("|".join(SENTENCES), re.IGNORECASE)
_DELAYED = re.compile(
    r"delayed|warning: (?:could not send|message)|has not yet been delivered|will (?:be retried|retry|keep trying|continue to)"
    r"|do not need to resend|still being retried|remise différée|vertraagd|verzögert|retrasad[oa]|ritardat[oa]|atrasad[oa]",
    re.IGNORECASE,
)
#: A line where the returned message begins: the addresses below it did not fail.
_RETURNED = re.compile(
    r"^[ \t>|]*(?:-{2,50}.{0,60}(?:copy of (?:the|your) (?:original )?message|(?:original|unsent|returned) message|below this line"
    r"|message (?:header|text)|message d['’]origine|included).{0,60}|(?:received|return-path|message-id)\s?:.*)$",
    re.IGNORECASE | re.MULTILINE,
)
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


def read_bounce(message: ParsedMessage) -> Report | None:
    """Return the report of a bounce, or None when ``message`` is not one."""
    if message.defect is not None:
        return None
    failed = message.header("x-failed-recipients") or ""
    origin = _origin(message, failed)
    if not origin:
        return None
    text = _text(message)
    said = _said(message, text, alone=origin[0][0] == "return-path")
    if not said and not _CERTAIN.match(origin[0][1]):
        return None
    parts = [part for part in message.root.walk() if part is not message.root]
    message_id = (
        returned_message_id(message, parts)
        or _quoted_message_id(message, text)
        or answered_message_id(message)
    )
    recipients = _recipients(message, failed, text)
    # A postmaster also writes about the mail system: a bounce names the message that came back, or its recipient.
    if not recipients and message_id is None and not _CERTAIN.match(origin[0][1]):
        return None
    return Report(ReportKind.BOUNCE, message_id, recipients, (*origin, *said))


def read_bounce_of(message: ParsedMessage, sent_by_us: Callable[[str], bool]) -> Report | None:
    """Return the bounce of an unknown server, or None: its words are those of a bounce and it returns a message of ours."""
    text = _text(message)
    said = _said(message, text, alone=True)
    if message.defect is not None or not said:
        return None
    parts = [part for part in message.root.walk() if part is not message.root]
    message_id = returned_message_id(message, parts) or _quoted_message_id(message, text)
    if message_id is None or not sent_by_us(message_id):
        return None
    evidence = (("returned-message", message_id), *said)
    return Report(ReportKind.BOUNCE, message_id, _recipients(message, "", text), evidence)


def read_returned(message: ParsedMessage) -> Report:
    """Return the report in a message with a null sender that came to the signed bounce address of one of our messages.

    It concerns that message, in whatever language it is written; a recipient counts as failed only where a status code of a
    failure stands next to its address.
    """
    recipients = tuple(
        each if _FAILURE.search(each.diagnostic or "") else replace(each, action=None)
        for each in _recipients(message, message.header("x-failed-recipients") or "", _text(message))
    )
    return Report(ReportKind.BOUNCE, None, recipients, (("bounce-address", "<>"),))


def is_mail_system(addr_spec: str) -> bool:
    """Tell whether an address has the form of those that mail servers write reports under; anybody can write such a one."""
    return _DAEMON.fullmatch(addr_spec.rpartition("@")[0]) is not None


def name_recipients(report: Report, message: ParsedMessage) -> Report:
    """Return ``report`` with the recipients that only its text names (Yahoo's reports have no machine-readable fields)."""
    if report.recipients or report.kind is not ReportKind.BOUNCE:
        return report
    return replace(
        report, recipients=_recipients(message, message.header("x-failed-recipients") or "", _text(message))
    )


def _origin(message: ParsedMessage, failed: str) -> tuple[tuple[str, str], ...]:
    if failed:
        return (("x-failed-recipients", failed),)
    author = message.author
    if author is not None and is_mail_system(author.addr_spec):
        return (("from", author.addr_spec),)
    if author is None and re.search(
        r"mailer-daemon|postmaster|mail delivery", message.header("from") or "", re.IGNORECASE
    ):
        return (("from", message.header("from") or ""),)
    if any(value.strip() == "<>" for value in message.headers("return-path")):
        return (("return-path", "<>"),)
    return ()


def _said(message: ParsedMessage, text: str, alone: bool) -> tuple[tuple[str, str], ...]:
    subject = _SUBJECT.search(message.subject or "")
    sentence = _SENTENCE.search(text[:20_000])
    # Absence messages have a null sender too: when it is the only origin, both subject and text must match.
    if alone and not (subject and sentence):
        return ()
    found = [("subject", subject[0])] if subject else []
    if sentence:
        found.append(("text", clean(sentence[0])))
    return tuple(found)


def _text(message: ParsedMessage) -> str:
    text = message.text if message.text and message.text.strip() else None
    if text is None and message.html:
        text = "\n".join(html_lines(message.html))
    return (text or "")[:_MAX_TEXT]


def _quoted_message_id(message: ParsedMessage, text: str) -> str | None:
    own = message.message_id
    return next((match[1] for match in _MESSAGE_ID_LINE.finditer(text) if match[1] != own), None)


def _recipients(message: ParsedMessage, failed: str, text: str) -> tuple[ReportedRecipient, ...]:
    returned = _RETURNED.search(text)
    said = text[: returned.start()] if returned else text
    said = said[:20_000]
    known = _ADDRESS.findall(failed)
    own = {address.addr_spec.lower() for address in (*message.authors, *message.to, *message.cc)}
    found = known or [
        address
        for address in _ADDRESS.findall(said)
        if address.lower() not in own and not _QUEUE_HOST.match(address)
    ]
    delayed = bool(_DELAYED.search(message.subject or "") or _DELAYED.search(said))
    statuses = _STATUS.findall(said)
    distinct = list(dict.fromkeys(address.strip("'").lower() for address in found))[:50]
    return tuple(
        ReportedRecipient(
            address,
            "delayed" if delayed else "failed",
            _status(said, address, statuses),
            diagnostic=_words(said, address),
        )
        for address in distinct
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
