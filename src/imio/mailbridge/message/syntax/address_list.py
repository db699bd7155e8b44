"""Reads lists of addresses (RFC 5322 §3.4): leniently those of header fields, strictly those that a person typed."""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import plain_spaces
from imio.mailbridge.message.syntax.header import clean
from imio.mailbridge.message.syntax.header import decode_words
import re


_TOKEN = re.compile(
    r"""(?P<word>=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?=)
      | "(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?\Z)
      | <(?P<angle>[^<>]*)>?
      | (?P<special>[,;:()])
      | (?P<space>\s+)
      | (?P<atom>[^\s"<>,;:()=]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_AROUND_AT = re.compile(r"\s{0,9}@\s{0,9}")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DOMAIN = r"(?:\[[^\s<>\[\],;@]{1,253}\]|[^\s<>()\[\]\",;:@]{1,255})"
_ADDR = re.compile(rf"[^\s<>()\[\]\",;:@]{{1,128}}@{_DOMAIN}")
_BARE = re.compile(rf"(?:[^\s<>\[\],;@]+|\"[^\"]+\")@(?:{_DOMAIN}|[^\s<>\[\],;@]+)")
#: More recipients than this tell nothing about where a message belongs.
_MAX_ADDRESSES = 5000
_MAX_SEARCHED = 10_000
_MAX_ADDRESS = 320
#: Pieces of a name between commas that are not in quotation marks.
_MAX_PIECES = 3
#: An entry of a typed list. The bounds keep quotation marks that are never closed from costing quadratic time.
_ENTRY = re.compile(r'(?:"(?:\\.|[^"\\]){0,1000}+"|\([^()]{0,1000}+\)|[^,;\r\n"(]|["(])+', re.DOTALL)
#: ``name <addr-spec>``, or ``addr-spec (name)``.
_TYPED = re.compile(
    r"""(?P<name>(?:"(?:\\.|[^"\\])*"|[^"<>])*)<(?P<angle>[^<>]*)>
      | (?P<bare>[^\s"<>()]+)\s*(?:\((?P<comment>.*)\))?""",
    re.VERBOSE,
)
#: A joiner in an address: without it this would be another one.
_JOINED = re.compile("[\u200c\u200d][^\\s<>@]{0,320}@|@[^\\s<>@]{0,320}[\u200c\u200d]")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')


def header_addresses(text: str) -> tuple[Address, ...]:
    """Return the addresses in an unfolded field value, whatever can be read; display names are decoded, groups are taken apart."""
    found = _parse(text)
    if not found and (match := _ADDR.search(decode_words(text[:_MAX_SEARCHED]))):
        found = [Address("", match[0])]
    return tuple(found)


def typed_addresses(text: str) -> list[Address | str]:
    """Return what a person typed, entry by entry: an ``Address``, or the entry as it stands when mail cannot be sent to it.

    Commas, semicolons and line ends separate entries, but not inside quotation marks or parentheses.
    """
    entries = (match.strip() for match in _ENTRY.findall(text))
    return [_typed(entry) or entry for entry in entries if entry]


def find_address(text: str) -> str | None:
    """Return the first thing in ``text`` that looks like an address."""
    match = _ADDR.search(text[:_MAX_SEARCHED])
    return match[0] if match else None


def _typed(entry: str) -> Address | None:
    match = None if has_control(entry) else _TYPED.fullmatch(plain_spaces(entry))
    if match is None or _JOINED.search(entry):
        return None
    addr_spec = (match["bare"] or match["angle"]).strip().removeprefix("mailto:")
    name = _QUOTED.sub(lambda quoted: _ESCAPED.sub(r"\1", quoted[1]), match["name"] or match["comment"] or "")
    return Address(name.strip(), addr_spec) if can_be_sent_to(addr_spec) else None


class _Entry:
    """What was read so far of one entry of a header field."""

    def __init__(self) -> None:
        self.phrase: list[str] = []
        self.comment: list[str] = []
        self.angle: str | None = None
        self.label: list[str] = []

    def address(self) -> Address | None:
        phrase = "".join(self.phrase).strip()
        if self.angle is not None:
            name = "".join([*self.label, *self.phrase])
            return Address(clean(decode_words(" ".join(name.split()))), self.angle)
        compact = _AROUND_AT.sub("@", phrase)
        if len(compact) <= _MAX_ADDRESS and _BARE.fullmatch(compact):
            return Address(clean(decode_words("".join(self.comment).strip())), compact)
        match = _ADDR.search(phrase[:_MAX_SEARCHED])
        if match is None:
            # "Jean Dupont (jean@x.example)"
            match = _ADDR.search("".join(self.comment)[:_MAX_SEARCHED])
            return Address(clean(decode_words(" ".join(phrase.split()))), match[0]) if match else None
        rest = " ".join((phrase[: match.start()] + phrase[match.end() :]).split()).strip("[] ")
        return Address(clean(decode_words(rest)), match[0])


def _parse(text: str) -> list[Address]:
    found: list[Address] = []
    entry, depth = _Entry(), 0
    before: list[str] = []
    text = text.replace("[mailto:", "[")
    last_end = text.rfind(";")  # of a group

    def flush(separator: str = "") -> None:
        nonlocal entry
        if separator == "," and entry.angle is None and "@" not in decode_words("".join(entry.phrase)):
            before.append("".join(entry.phrase).strip())  # "Dupont, Jean <…>" without quotation marks
            entry = _Entry()
            return
        named = entry.angle is not None or len("".join(entry.phrase).split()) > 1
        if named and 0 < len(before) <= _MAX_PIECES:
            entry.phrase.insert(0, "".join(f"{piece}, " for piece in before if piece))
        before.clear()
        phrase = "".join(entry.phrase)
        if entry.angle is None and "=?" in phrase and (decoded := decode_words(phrase)) != phrase:
            # Some programs encode the whole field, the address included.
            found.extend(_parse(decoded.replace("=?", "")))
        elif address := entry.address():
            found.append(address)
        entry = _Entry()

    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token[0]
        if value == "(":
            entry.comment += [value] if depth else []
            depth += 1
        elif value == ")" and depth:
            depth -= 1
            entry.comment += [value] if depth else []
        elif depth:
            entry.comment.append(value)
        elif kind == "angle":
            entry.angle = entry.angle or _addr_spec(token["angle"])
        elif kind == "quoted":
            if not value.endswith('"') or len(value) == 1:
                # Never closed: read as if the quotation mark were not there.
                found.extend(_parse(text[token.start() :].replace('"', " ")))
                return found
            quoted = _ESCAPED.sub(r"\1", token["quoted"])
            following = text[token.end() : token.end() + 1]
            entry.phrase.append(value if following == "@" else quoted)
        elif value in (",", ";"):
            flush(value)
            if len(found) >= _MAX_ADDRESSES:
                return found
        elif value == ":":
            # The name of a group, or "mailto:"; else part of a name without quotation marks.
            entry.label += [*entry.phrase, ":"] if token.start() > last_end else []
            entry.phrase.clear()
            before.clear()
        elif value != ">":
            entry.phrase.append(value)
    flush()
    return found


def _addr_spec(inside: str) -> str | None:
    compact = "".join(inside.split()) if '"' not in inside else inside.strip()
    if compact.startswith("@") and ":" in compact:  # an obsolete route, RFC 5322 §4.4
        compact = compact.partition(":")[2]
    if compact.lower().startswith("mailto:"):
        compact = compact[7:]
    compact = compact.strip("'")
    local, _, domain = compact.rpartition("@")
    return (
        compact if local and domain and len(compact) <= _MAX_ADDRESS and clean(compact) == compact else None
    )
