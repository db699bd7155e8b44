"""Reads the original out of a message that was forwarded as text: a proposal for a person, never proof.

The first introduction of another message in the body decides: the marker of a forward, the header block of Outlook, or the
line above a quote ("Le … a écrit :"), which makes it a reply. The words and forms are in ``forward_words``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import tzinfo
from functools import cache
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.forward_words import LANGUAGES
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.syntax.address_list import find_address
from imio.mailbridge.message.syntax.doubt import Doubt
from imio.mailbridge.message.syntax.fold import fold
from imio.mailbridge.message.syntax.header import clean
from imio.mailbridge.message.syntax.header import decode_words
from imio.mailbridge.message.syntax.written_date import parse_written_date
import re


@dataclass(frozen=True)
class Proposal:
    """What the text says about the original; what it does not say is None. ``style`` is the name of its ``Form``."""

    style: str
    author: Address | None
    subject: str | None
    date: datetime | None
    body: str
    doubts: tuple[Doubt, ...] = ()


def _folded(words: Iterable[str]) -> list[str]:
    """Return words of the table as ``fold`` leaves them; all at once, because there are many."""
    return fold(";".join(words)).split(";")


def _prefix(words: Iterable[str]) -> re.Pattern[str]:
    known = "|".join(map(re.escape, _folded(words)))
    return re.compile(rf"\s*(?:\[[^\[\]]{{1,40}}\]\s*)?(?:{known})\s?(?:\[\d+\])?\s?:\s?")


_FORWARD_PREFIX = _prefix(language.prefixes for language in LANGUAGES)
_REPLY_PREFIX = _prefix(language.replies for language in LANGUAGES)
_ALL_MARKERS = _folded(marker for language in LANGUAGES for marker in language.markers)
_MARKERS = frozenset(marker for marker in _ALL_MARKERS if "{}" not in marker)
_MARKERS_BY = tuple(marker.partition("{}")[0] for marker in _ALL_MARKERS if "{}" in marker)
_ORIGINALS = frozenset(_folded(marker for language in LANGUAGES for marker in language.originals))
#: What stands above a quote, each with the longest of its words.
_WROTE = tuple(
    (max(template.split("{}"), key=len).strip(), template)
    for template in _folded(template for language in LANGUAGES for template in language.wrote)
)
_FIELD_OF = {
    label: field
    for field in LANGUAGES[0].labels
    for label in _folded(language.labels[field] for language in LANGUAGES)
}
_LABEL = re.compile(r"[*_ ]{0,4}([^\W\d_][^:*<>@]{0,30}?)[*_ ]{0,4}:(?:[*_]{1,4}(?=\s|$))?\s*(.*)", re.DOTALL)
#: A label that no row knows begins with a letter that is not small.
_UNKNOWN_LABEL = re.compile(r"[*_ ]{0,4}(?![a-zà-ÿ])[^\W\d_][^:<>@]{0,29}:(?:\s|$)")
_FROM_INSIDE = re.compile(
    rf"\s((?:{'|'.join(map(re.escape, ';'.join(each.labels['from'] for each in LANGUAGES).split(';')))})\s?:\s[^:]{{0,200}}@)"
)
_BETWEEN_DASHES = re.compile(r"[-=_ ]{3,}([^-=_ ](?:.{0,150}[^-=_ ])?)[-=_ ]{2,}")
_BEFORE_A_BLOCK = re.compile(r"[-=_ ]{3,}([^-=_ ][^-=_]{2,60}[^-=_ ])[-=_ ]{3,}([^-=_ ].*)")
_RULE = re.compile(r"[_=\-–—\s]{5,}")
_BLANKS = str.maketrans(
    "\u00a0\u202f\u2007\t：",
    "    :",
    "\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff",
)
_ANGLE = re.compile(r"[<\[]\s*(?:mailto:)?\s*([^<>\[\]\s]{1,128}@[^<>\[\]\s]{1,255}?)\s*[>\]]", re.IGNORECASE)
_NOT_NAME = re.compile(r"[<\[(].*")
_NAME_BEFORE = re.compile(r'"([^"<>]{1,100})"\s?<|,\s([^",:;<>\d]{1,100})\s<')
_MAX_LINES = 2_000
_MAX_LINE = 1_000
_MAX_MARKER = 80
#: A line with fewer fields is no header block.
_FEWEST_FIELDS = 3
#: Lines after which a header block still goes on with a known label.
_MAX_BETWEEN = 8
#: Programs break lines after this many characters, or a few more.
_WIDTH = 72


@cache
def _compiled(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r"\{\}", ".{2,200}") + r"\s?:?")


@cache
def _label_inside(labels: str) -> re.Pattern[str]:
    """Return the pattern of one of the labels in the middle of a line, as it is written."""
    words = "|".join(map(re.escape, labels.split(";"))).replace("Cc", "C[Cc]")
    return re.compile(rf"\s?((?:{words})\s?:\s)")


def read_inline_forward(message: ParsedMessage, zone: tzinfo | None = None) -> Proposal | None:
    """Return the proposal when ``message`` is a forward as text in the style of a known program, else None.

    A date without a zone is read in ``zone``, that of the town: the offset of the message's own Date is that of another day, or of
    a server.
    """
    for lines in _bodies(message):
        proposal = _Reader(message, zone).read(lines)
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


@dataclass(frozen=True)
class _Block:
    fields: dict[str, str]
    end: int


class _Reader:
    """Reads the lines of one message."""

    def __init__(self, message: ParsedMessage, zone: tzinfo | None) -> None:
        subject = (message.subject or "").translate(_BLANKS)
        self._zone, self._latest = zone, message.date
        prefix = _FORWARD_PREFIX.match(fold(subject))
        self._prefixed = prefix is not None
        self._reply = _REPLY_PREFIX.match(fold(subject)) is not None
        self._subject = subject.partition(":")[2].strip() if prefix else subject

    def read(self, lines: list[str]) -> Proposal | None:
        first, quoted_to = True, 0
        for number, line in enumerate(lines):
            text = line.strip().strip("*").strip()
            if not text or number < quoted_to:
                continue
            if text.startswith(">"):
                quoted_to = _quoted_end(lines, number)
                if proposal := self._quoted(lines[number:quoted_to]):
                    return proposal
                first = False
                continue
            if proposal := self._marked(lines, number, text):
                return proposal
            if introduction := _introduction(lines, number, text):
                # A reply, unless it is all that stands above a text that is not quoted.
                return self._quote_line(lines, number, introduction) if first else None
            if (block := _block_at(lines, number)) is not None:
                return self._proposal("header-block", block, lines) if self._prefixed else None
            if self._prefixed and (below := _behind_words(lines, number)) and (block := _block_at(below, 0)):
                return self._proposal("header-block", block, below)
            first = False
        return None

    def _marked(self, lines: list[str], number: int, text: str) -> Proposal | None:
        """Return what stands below the marker ``text``, or None when it is no marker."""
        style, rest = _marker(text)
        if not style or (self._reply if style != "original" else not self._prefixed):
            return None
        below = [rest, *lines[number + 1 :]] if rest else _unquoted(lines[number + 1 :])
        at = next((at for at, line in enumerate(below) if line.strip()), 0)
        if at < len(below) and (split := _split_line(below[at])):
            style, below = "one-line", [*split, *below[at + 1 :]]
        block = _block(below)
        return self._proposal(style, block, below) if block else None

    def _quoted(self, lines: list[str]) -> Proposal | None:
        """Return the forward in a quotation that begins with its marker or, after the subject of a forward, its block; or None."""
        lines = [_dequoted(line) for line in lines]
        at, text = next(((at, line.strip()) for at, line in enumerate(lines) if line.strip()), (0, ""))
        if not text:
            return None
        proposal = self._marked(lines, at, text)
        if proposal is None and self._prefixed:
            block = _block_at(lines, at) or _below_a_date(lines, at)
            proposal = self._proposal("quoted", block, lines) if block else None
        return replace(proposal, style="quoted") if proposal else None

    def _quote_line(self, lines: list[str], number: int, introduction: str) -> Proposal | None:
        """Return what Outlook for Mac forwards: it writes the line above a quote where others write a header block."""
        below = lines[number + 1 + introduction.count("\n") :]
        address, following = find_address(introduction), next(filter(str.strip, below), "")
        if not self._prefixed or self._reply or address is None or following.startswith(">"):
            return None
        name = _NAME_BEFORE.search(introduction)
        author = Address(clean(name[1] or name[2]) if name else "", address)
        date, doubts = self._date(introduction.partition("<")[0])
        return Proposal("quote-line", author, clean(self._subject), date, "\n".join(below).strip(), doubts)

    def _proposal(self, style: str, block: _Block, lines: list[str]) -> Proposal:
        fields = block.fields
        subject = clean(decode_words(fields["subject"].strip("* "))) if "subject" in fields else None
        date, doubts = self._date(fields.get("date", ""))
        body = "\n".join(lines[block.end :]).strip()
        return Proposal(style, _author(decode_words(fields["from"])), subject, date, body, doubts)

    def _date(self, text: str) -> tuple[datetime | None, tuple[Doubt, ...]]:
        found = parse_written_date(decode_words(text), self._zone, self._latest)
        return found.at, (Doubt(found.guess, clean(text)[:_MAX_LINE]),) if found.guess else ()


def _marker(text: str) -> tuple[str, str]:
    """Return the style of a marker, and what stands behind it in the same line; empty strings when ``text`` is none."""
    if text[0] in "-=_":
        if (match := _BETWEEN_DASHES.fullmatch(text)) and (style := _between_dashes(fold(match[1]))):
            return style, ""
        if (match := _BEFORE_A_BLOCK.match(text)) and (style := _between_dashes(fold(match[1]))):
            return style, match[2]
    elif text.endswith(":") and len(text) < _MAX_MARKER and fold(text[:-1]) in _MARKERS:
        return "sentence", ""
    return "", ""


def _between_dashes(words: str) -> str:
    if words in _MARKERS or words.startswith(_MARKERS_BY):
        return "dashes"
    return "original" if words in _ORIGINALS else ""


def _split_line(line: str) -> list[str]:
    """Return the header block that Yahoo writes in one line, field by field; empty when it is none."""
    if line.count(":") < _FEWEST_FIELDS:
        return []
    best: list[str] = []
    first = line.partition(":")[0].strip()
    for language in LANGUAGES:
        labels = ";".join(language.labels.values())
        pieces = _pieces(line, labels) if f";{first};" in f";{labels};" else []
        best = max(best, pieces, key=len)
    return best if len(best) >= _FEWEST_FIELDS else []


def _pieces(line: str, labels: str) -> list[str]:
    pieces: list[str] = []
    position = 0
    for match in _label_inside(labels).finditer(line):
        pieces.append(line[position : match.start()])
        position = match.start(1)
        if _FIELD_OF[fold(match[1].rstrip(" :"))] == "subject":
            break  # the last one; what follows is the subject
    return [*pieces[1:], line[position:]]


def _quoted_end(lines: list[str], start: int) -> int:
    return next(
        (end for end in range(start, len(lines)) if not lines[end].lstrip().startswith(">")), len(lines)
    )


def _dequoted(line: str) -> str:
    return line.lstrip().removeprefix(">").removeprefix(" ")


def _unquoted(lines: list[str]) -> list[str]:
    """Return ``lines`` without the ``>`` of Apple Mail, which quotes what it forwards."""
    first = next(filter(str.strip, lines), "")
    return [_dequoted(line) for line in lines] if first.lstrip().startswith(">") else lines


def _introduction(lines: list[str], number: int, text: str) -> str:
    """Return the line above a quote that begins here, which may be broken in two; an empty string when there is none."""
    if len(text) > 300 or not (text[0].isalnum() or text[0] in "\"'«"):
        return ""
    following = lines[number + 1].strip() if number + 1 < len(lines) else ""
    if text.endswith(":") or following.startswith(">"):
        return text if _wrote(text) else ""
    # Gmail breaks a long line in two.
    broken = following.endswith(":") and len(following) < 120
    return f"{text}\n{following}" if broken and _wrote(f"{text} {following}") else ""


def _wrote(text: str) -> bool:
    plain = fold(text)
    return any(verb in plain and _compiled(template).fullmatch(plain) for verb, template in _WROTE)


def _block(lines: list[str]) -> _Block | None:
    """Return the header block that begins within the first lines, or None."""
    for number in range(min(6, len(lines))):
        text = lines[number].strip()
        if text and (block := _block_at(lines, number)) is not None:
            return block
        if text and not _RULE.fullmatch(text) and _label(text) is None and number > 3:
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
        elif labelled is None and blank == 0 and _goes_on(lines, number, fields):
            if _UNKNOWN_LABEL.match(line):
                last = ""
            elif last:  # the value stands below its label, or is broken
                fields[last] = f"{fields[last]} {line.strip()}".strip()
        elif (
            labelled is None
            and blank == 0
            and last
            and (not fields[last] or _wrapped(lines, number, fields, last))
        ):
            fields[last] = f"{fields[last]} {line.strip()}".strip()
        else:
            break
        number += 1
    complete = "from" in fields and {"date", "subject", "to"} & set(fields)
    return _Block(fields, number) if complete else None


def _behind_words(lines: list[str], number: int) -> list[str]:
    """Return the lines from a block on whose first field stands behind words in one line, as in HTML without a line break."""
    following = _label(lines[number + 1]) if number + 1 < len(lines) else None
    match = _FROM_INSIDE.search(lines[number]) if following and following[0] != "from" else None
    return [lines[number][match.start(1) :], *lines[number + 1 :]] if match else []


def _below_a_date(lines: list[str], number: int) -> _Block | None:
    """Return the block of Orange, which writes the date above it ("Message du 12/11/26 09:12"), or None."""
    block = _block_at(lines, number + 1) if number + 1 < len(lines) else None
    return _Block({"date": lines[number], **block.fields}, block.end) if block else None


def _goes_on(lines: list[str], number: int, fields: dict[str, str]) -> bool:
    """Tell whether another label follows before any empty line."""
    for line in lines[number + 1 : number + 1 + _MAX_BETWEEN]:
        if not line.strip():
            return False
        if (labelled := _label(line)) is not None:
            return labelled[0] not in fields
    return False


def _wrapped(lines: list[str], number: int, fields: dict[str, str], last: str) -> bool:
    """Tell whether the line goes on with the last field of the block, whose value did not fit in its line."""
    line = lines[number]
    if last in ("to", "cc"):
        return "@" in line or fields[last].endswith((";", ","))
    if last == "from":
        return "@" not in fields[last] and line.strip().startswith(("<", "["))
    if last != "subject" or "".join(lines[number + 1 : number + 2]).strip():
        return False
    return len(lines[number - 1]) + 1 + len(line.split()[0]) > _WIDTH


def _continues(lines: list[str], blank: int, fields: dict[str, str]) -> bool:
    following = next((line for line in lines[blank + 1 : blank + 3] if line.strip()), "")
    labelled = _label(following)
    return labelled is not None and labelled[0] not in fields


def _label(line: str) -> tuple[str, str] | None:
    match = _LABEL.match(line.strip())
    field = _FIELD_OF.get(fold(match[1])) if match else None
    return (field, match[2].strip()) if match and field else None


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
