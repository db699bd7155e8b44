"""Which addresses does a header field hold (RFC 5322 §3.4)? Whatever can be read, in the order given."""

from imio.mailbridge.message.address import Address
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
_ADDR = re.compile(r"[^\s<>()\[\]\",;:@]{1,128}@[^\s<>()\",;:@]{1,255}")
_BARE = re.compile(r"[^\s<>,;@]+@[^\s<>,;@]+|\"[^\"]+\"@[^\s<>,;@]+")
#: More recipients than this tell nothing about where a message belongs.
_MAX_ADDRESSES = 5000
_MAX_SEARCHED = 10_000
_MAX_ADDRESS = 320


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Return the addresses in an unfolded field value; display names are decoded, groups are taken apart."""
    found = _parse(text)
    if not found and (match := _ADDR.search(decode_words(text[:_MAX_SEARCHED]))):
        found = [Address("", match[0])]
    return tuple(found)


def find_address(text: str) -> str | None:
    """Return the first thing in ``text`` that looks like an address."""
    match = _ADDR.search(text[:_MAX_SEARCHED])
    return match[0] if match else None


class _Mailbox:
    """What was read of one mailbox so far."""

    def __init__(self) -> None:
        self.phrase: list[str] = []
        self.comment: list[str] = []
        self.angle: str | None = None

    def address(self) -> Address | None:
        phrase = "".join(self.phrase).strip()
        name = decode_words(" ".join(phrase.split()))
        if self.angle is not None:
            return Address(clean(name), self.angle)
        compact = _AROUND_AT.sub("@", phrase)
        if len(compact) <= _MAX_ADDRESS and _BARE.fullmatch(compact):
            return Address(clean(decode_words("".join(self.comment).strip())), compact)
        match = _ADDR.search(phrase[:_MAX_SEARCHED])
        if match is None:
            return None
        rest = " ".join((phrase[: match.start()] + phrase[match.end() :]).split())
        return Address(clean(decode_words(rest)), match[0])


def _parse(text: str) -> list[Address]:
    found: list[Address] = []
    mailbox, depth = _Mailbox(), 0

    def flush() -> None:
        nonlocal mailbox
        phrase = "".join(mailbox.phrase)
        if mailbox.angle is None and "=?" in phrase and (decoded := decode_words(phrase)) != phrase:
            # Some programs encode the whole field, the address included.
            found.extend(_parse(decoded.replace("=?", "")))
        elif address := mailbox.address():
            found.append(address)
        mailbox = _Mailbox()

    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token[0]
        if value == "(":
            mailbox.comment += [value] if depth else []
            depth += 1
        elif value == ")" and depth:
            depth -= 1
            mailbox.comment += [value] if depth else []
        elif depth:
            mailbox.comment.append(value)
        elif kind == "angle":
            mailbox.angle = mailbox.angle or _addr_spec(token["angle"])
        elif kind == "quoted":
            if not value.endswith('"') or len(value) == 1:
                # Never closed: read as if the quotation mark were not there.
                found.extend(_parse(text[token.start() :].replace('"', " ")))
                return found
            quoted = _ESCAPED.sub(r"\1", token["quoted"])
            following = text[token.end() : token.end() + 1]
            mailbox.phrase.append(value if following == "@" else quoted)
        elif value in (",", ";"):
            flush()
            if len(found) >= _MAX_ADDRESSES:
                return found
        elif value == ":":
            # The name of a group, or "mailto:".
            mailbox.phrase.clear()
        elif value != ">":
            mailbox.phrase.append(value)
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
