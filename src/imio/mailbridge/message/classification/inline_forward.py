"""Reads the original out of a message that was forwarded as text: a proposal for a person, never proof.

The first introduction of another message in the body decides: the marker of a forward, the header block of Outlook, or the
line above a quote ("Le … a écrit :"), which makes it a reply.
"""

from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.written_date import parse_written_date
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import find_address
from imio.mailbridge.message.syntax.header import clean
import re


@dataclass(frozen=True)
class Proposal:
    """What the text says about the original; what it does not say is None. ``style`` names how it was recognised."""

    style: str
    author: Address | None
    subject: str | None
    date: datetime | None
    body: str


_FORWARD_PREFIX = re.compile(
    r"\s*(?:\[[^\[\]]{1,40}\]\s*)?(?:tr|fwd?|fw|wg|doorst|doorgest|i|inoltro|rv|reenv|enc|tf|transf)\s*(?:\[\d+\])?\s*:",
    re.IGNORECASE,
)
_REPLY_PREFIX = re.compile(
    r"\s*(?:\[[^\[\]]{1,40}\]\s*)?(?:re|ré|rép|aw|sv|antw|antwort|antwoord|r|rif|res)\s*(?:\[\d+\])?\s*:",
    re.IGNORECASE,
)
#: Markers that only forwards have.
_FORWARD_MARKERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "dashes",
        re.compile(
            r"[-=_ ]{3,}\s?(?:forwarded (?:message|by\b.{0,120})|(?:message|mail|courriel) (?:transféré|transmis|réexpédié)"
            r"|transféré par\b.{0,120}|réacheminé par\b.{0,120}|doorgestuurd (?:bericht|door\b.{0,120})"
            r"|doorgestuurde? (?:e-?mail|mail)|(?:mensaje|correo) reenviado|messaggio inoltrato"
            r"|mensagem (?:re)?encaminhada|inoltrato da\b.{0,120}|reenviado por\b.{0,120}|encaminhado por\b.{0,120}"
            r"|weitergeleitete (?:nachricht|e-?mail|mail)|weitergeleitet von\b.{0,120})"
            r"\s?[-=_ ]{2,}",
            re.IGNORECASE,
        ),
    ),
    (
        "sentence",
        re.compile(
            r"(?:begin forwarded message|début du (?:message|courriel) (?:réexpédié|transféré)|begin doorgestuurd bericht"
            r"|anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado|inizio messaggio inoltrato"
            r"|(?:início da|a iniciar) mensagem (?:re)?encaminhada)\s?:",
            re.IGNORECASE,
        ),
    ),
)
#: Markers that also stand above the original in replies.
_ORIGINAL_MARKER = re.compile(
    r"[-_ ]{3,}\s?(?:original (?:message|appointment)|message (?:d['’]origine|original|initial)|mail original"
    r"|oorspronkelijk(?:e)? (?:bericht|e-?mail)|mensaje original|messaggio originale|mensagem original"
    r"|ursprüngliche (?:nachricht|e-?mail)|original-?nachricht)\s?[-_ ]{3,}",
    re.IGNORECASE,
)
#: The line above the quote in a reply.
_QUOTES = re.compile(
    r"(?:(?:le|el)\b.{4,200}\b(?:a écrit|écrivait|escribió)|on\b.{4,200}\bwrote|op\b.{4,200}\b(?:schreef\b.{0,120}|geschreven)"
    r"|il\b.{4,200}\bha scritto|(?:em|a|no dia)\b.{4,200}\bescreveu"
    r"|am\b.{4,200}\bschrieb\b.{0,120}|.{3,120}\bhat am\b.{4,60}\bgeschrieben"
    r"|.{3,120}\b(?:a écrit|schrieb am\b.{4,60}|schreef op\b.{4,60}|escribió el\b.{4,60}|escreveu(?: \(.{4,60}\))?"
    r"|ha scritto|wrote))\s?:?",
    re.IGNORECASE,
)
_LABELS = {
    "from": "from de da van von expéditeur afzender absender remitente mittente remetente",
    "date": "date sent envoyé envoyée verzonden datum gesendet data fecha enviado enviada enviados inviato inviata",
    "to": "to à a aan an pour para per destinataire destinataires destinatario destinatário ontvanger empfänger",
    "cc": "cc copie kopie copia cópia bcc cci cco",
    "subject": "subject objet sujet onderwerp betreff asunto oggetto assunto",
    "reply-to": "reply-to répondre antwoord antwort",
    "message-id": "message-id",
}
_FIELD_OF = {label: field for field, labels in _LABELS.items() for label in labels.split()}
_LABEL = re.compile(
    r"[*_ ]{0,4}([A-Za-zÀ-ÿ-]{1,14})(?: (?:le|à|op|am|an|aan|el|em|il))?[*_ ]{0,4}:(?:[*_]{1,4}(?=\s|$))?\s*(.*)",
    re.DOTALL,
)
_ONE_OF_SEVERAL = re.compile(
    r"\s?((?:To|Sent|Subject|Cc|À|Envoyé|Objet|An|Gesendet|Betreff|Aan|Verzonden|Onderwerp"
    r"|Para|Enviado|Asunto|Assunto|A|Inviato|Oggetto)\s?:\s)"
)
_RULE = re.compile(r"[_=\-–—\s]{5,}")
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\t": " ", "\u200b": "", "\ufeff": ""})
_ANGLE = re.compile(r"[<\[]\s*(?:mailto:)?\s*([^<>\[\]\s]{1,128}@[^<>\[\]\s]{1,255}?)\s*[>\]]", re.IGNORECASE)
_NOT_NAME = re.compile(r"[<\[(].*")
_MAX_LINES = 2_000
_MAX_LINE = 1_000


def read_inline_forward(message: ParsedMessage, zone: tzinfo | None = None) -> Proposal | None:
    """Return the proposal when ``message`` is a forward as text in the style of a known program, else None.

    A date without a zone is read in the zone of the message's own Date; without a Date, in ``zone`` (UTC if None).
    """
    for lines in _bodies(message):
        proposal = _read(message, lines, message.date.tzinfo if message.date else zone)
        if proposal is not None:
            return proposal
    return None


def _bodies(message: ParsedMessage) -> list[list[str]]:
    bodies = []
    if message.text and message.text.strip():
        bodies.append(message.text[: _MAX_LINES * _MAX_LINE].split("\n")[:_MAX_LINES])
    if message.html:
        bodies.append(html_lines(message.html)[:_MAX_LINES])
    return [[line[:_MAX_LINE].translate(_BLANKS).rstrip() for line in lines] for lines in bodies]


def _read(message: ParsedMessage, lines: list[str], zone: tzinfo | None) -> Proposal | None:
    subject = message.subject or ""
    prefixed = _FORWARD_PREFIX.match(subject) is not None
    reply = _REPLY_PREFIX.match(subject) is not None
    for number, line in enumerate(lines):
        text = line.strip().strip("*").strip()
        if not text or text.startswith(">"):
            continue
        if not reply and (style := _forward_marker(text)):
            lines = _unquoted(lines, number + 1)
            block = _block(lines, number + 1)
            return _proposal(zone, style, block, lines) if block else None
        if _ORIGINAL_MARKER.fullmatch(text):
            block = _block(lines, number + 1)
            return _proposal(zone, "original", block, lines) if block and prefixed else None
        if _is_quotation(lines, number, text):
            return None
        if (block := _block_at(lines, number)) is not None:
            return _proposal(zone, "header-block", block, lines) if prefixed else None
    return None


def _forward_marker(text: str) -> str:
    return next((style for style, pattern in _FORWARD_MARKERS if pattern.fullmatch(text)), "")


def _unquoted(lines: list[str], start: int) -> list[str]:
    # Apple Mail quotes what it forwards; Yahoo puts the whole header block on one line.
    number = next((number for number in range(start, len(lines)) if lines[number].strip()), len(lines))
    first = lines[number] if number < len(lines) else ""
    if len(_ONE_OF_SEVERAL.findall(first)) >= 2:
        return lines[:number] + _ONE_OF_SEVERAL.sub(r"\n\1", first).split("\n") + lines[number + 1 :]
    if not first.startswith(">"):
        return lines
    return lines[:start] + [re.sub(r"^>[ ]?", "", line) for line in lines[start:]]


def _is_quotation(lines: list[str], number: int, text: str) -> bool:
    if len(text) > 300 or not _could_introduce(text):
        return False
    if text.endswith(":") and _QUOTES.fullmatch(text):
        return True
    following = lines[number + 1].strip() if number + 1 < len(lines) else ""
    if following.startswith(">"):
        return bool(_QUOTES.fullmatch(text))
    # Gmail breaks a long line in two.
    return following.endswith(":") and len(following) < 120 and bool(_QUOTES.fullmatch(f"{text} {following}"))


def _could_introduce(text: str) -> bool:
    return text[:1].isalpha() or text[:1] in "\"'«"


@dataclass(frozen=True)
class _Block:
    fields: dict[str, str]
    end: int


def _block(lines: list[str], start: int) -> _Block | None:
    """Return the header block that begins within a few lines after a marker, or None."""
    for number in range(start, min(start + 6, len(lines))):
        text = lines[number].strip()
        if text and (block := _block_at(lines, number)) is not None:
            return block
        if text and not _RULE.fullmatch(text) and _label(text) is None and number > start + 3:
            return None
    return None


def _block_at(lines: list[str], start: int) -> _Block | None:
    """Return the header block whose first line is ``start``, or None: an author and a date, subject or recipient."""
    first = _label(lines[start])
    if first is None or first[0] not in ("from", "date", "subject"):
        return None
    fields: dict[str, str] = {}
    last = ""
    number, blank = start, 0
    while number < len(lines) and number < start + 60:
        line = lines[number]
        labelled = _label(line)
        if labelled is not None and labelled[0] not in fields:
            last, value = labelled
            fields[last] = value
            blank = 0
        elif not line.strip():
            blank += 1
            if blank > 1 and (len(fields) > 2 or blank > 2):
                break
            if len(fields) >= 2 and not _continues(lines, number, fields):
                break
        elif blank == 0 and last and not labelled and (not fields[last] or _wrapped(fields, last, line)):
            # The value stands below its label, or a long list of recipients continues.
            fields[last] = f"{fields[last]} {line.strip()}".strip()
        else:
            break
        number += 1
    complete = "from" in fields and {"date", "subject", "to"} & set(fields)
    return _Block(fields, number) if complete else None


def _wrapped(fields: dict[str, str], last: str, line: str) -> bool:
    if last in ("to", "cc"):
        return "@" in line or fields[last].endswith((";", ","))
    return (
        last == "from"
        and "@" not in fields[last]
        and line.strip().startswith(("<", "["))
        or (last == "subject" and line.startswith(" ") and len(fields[last]) > 55)
    )


def _continues(lines: list[str], blank: int, fields: dict[str, str]) -> bool:
    following = next((line for line in lines[blank + 1 : blank + 3] if line.strip()), "")
    labelled = _label(following)
    return labelled is not None and labelled[0] not in fields


def _label(line: str) -> tuple[str, str] | None:
    match = _LABEL.match(line.strip())
    field = _FIELD_OF.get(match[1].lower()) if match else None
    return (field, match[2].strip()) if match and field else None


def _proposal(zone: tzinfo | None, style: str, block: _Block, lines: list[str]) -> Proposal:
    subject = clean(block.fields["subject"].strip("* ")) if "subject" in block.fields else None
    return Proposal(
        style,
        _author(block.fields["from"]),
        subject,
        parse_written_date(block.fields.get("date", ""), zone),
        "\n".join(lines[block.end :]).strip(),
    )


def _author(value: str) -> Address | None:
    match = _ANGLE.search(value)
    addr_spec = match[1] if match else find_address(value)
    if not addr_spec:
        return None
    addr_spec = addr_spec.strip("*_'\"")
    if addr_spec.lower().startswith("mailto:"):
        addr_spec = addr_spec[7:]
    if clean(addr_spec) != addr_spec:
        return None
    name = _NOT_NAME.sub("", value).replace("*", "").strip(" \"'")
    return Address("" if "@" in name else clean(name), addr_spec)
