"""Reads the value and the parameters of Content-… fields (RFC 2045 §5.1, RFC 2231)."""

from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.message.syntax.charset import decode_text
from imio.mailbridge.message.syntax.header import clean
from imio.mailbridge.message.syntax.header import decode_words
from urllib.parse import unquote_to_bytes
import re


_KNOWN = (
    "boundary|charset|filename|format|name|delsp|type|protocol|micalg|method|report-type|reply-type|smime-type|size"
    "|creation-date|modification-date|read-date|start"
)
#: Where a parameter begins: some programs write no semicolon before it.
_BEGIN = rf'(?:;\s*(?=[^\s=;"]{{1,80}}\s{{0,9}}=)|(?<=[\s,"])(?=(?:{_KNOWN})(?:\*\d{{0,3}}\*?)?\s{{0,9}}=))'
_PARAMETER = re.compile(
    rf'{_BEGIN}([^\s=;"]{{1,80}})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|((?:(?!{_BEGIN}).)*))',
    re.DOTALL | re.IGNORECASE,
)
_ESCAPED = re.compile(r'\\(["\\])')
_SECTION = re.compile(r"([^*]+)\*(?:(\d{1,3})(\*)?)?")
_MAX_LENGTH = 16_384


@dataclass(frozen=True)
class Parameters:
    """A structured field: ``value`` in lower case, ``parameters`` decoded, by name in lower case."""

    value: str
    parameters: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return a parameter, or an empty string."""
        return self.parameters.get(name, "")


def parse_parameters(text: str) -> Parameters:
    """Return what an unfolded field value holds. Never fails; of several parameters with one name the first counts."""
    text = text[:_MAX_LENGTH]
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    first = len(text)
    for match in _PARAMETER.finditer(text):
        first = min(first, match.start())
        name = match[1].lower()
        value = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3].strip("; \t\r\n,")
        section = _SECTION.fullmatch(name)
        if section is None:
            plain.setdefault(name, clean(decode_words(value)))
        else:
            encoded = section[2] is None or section[3] is not None
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (value, encoded))
    for name, numbered in sections.items():
        plain[name] = _join([numbered[number] for number in sorted(numbered)])
    return Parameters(clean(text[:first].partition(";")[0].strip(", \t")).lower(), plain)


def _join(sections: list[tuple[str, bool]]) -> str:
    charset = ""
    octets = b""
    for position, (value, encoded) in enumerate(sections):
        if encoded and position == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        octets += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    text = decode_text(octets, charset or None)
    return clean(decode_words(text))
