"""Extracts the lines of text from an HTML body, for programs to read, not to be shown."""

from html import unescape
import re


_TAG = re.compile(r"(<[^<>]*>)")
_TAG_NAME = re.compile(r"</?\s*([a-zA-Z][a-zA-Z0-9]*)")
_SKIPPED = frozenset({"style", "script", "head", "title", "template"})
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2", "h3", "h4",
     "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "thead", "tr", "ul"}
)  # fmt: skip
_SPACES = re.compile(r"[ \t\r\n]+")
#: A forward begins near the top; a whole book in HTML is not read to its end.
MAX_LENGTH = 1_000_000


def html_lines(html: str) -> list[str]:
    """Return the lines of ``html`` as a browser would break them, stripped. Takes linear time on any input."""
    lines: list[str] = []
    current: list[str] = []
    skipping = ""
    for token in _TAG.split(_without_comments(html[:MAX_LENGTH])):
        match = _TAG_NAME.match(token) if token.startswith("<") else None
        name = match[1].lower() if match else ""
        if skipping:
            if name == skipping and token.startswith("</"):
                skipping = ""
            continue
        if not name:
            if not token.startswith("<") or not token.endswith(">"):
                current.append(token)
            elif "@" in token:
                current.append(token)  # an address whose angle brackets were not escaped
        elif name in _SKIPPED and not token.startswith("</") and not token.endswith("/>"):
            skipping = name
        elif name == "br" or name in _BLOCKS:
            lines.append("".join(current))
            current = []
        elif name in ("td", "th"):
            current.append(" ")
        elif "@" in token and " " not in token:
            current.append(token)
    lines.append("".join(current))
    return [_SPACES.sub(" ", unescape(line)).strip() for line in lines]


def _without_comments(html: str) -> str:
    pieces: list[str] = []
    position = 0
    while (start := html.find("<!--", position)) >= 0:
        pieces.append(html[position:start])
        end = html.find("-->", start + 4)
        if end < 0:
            return "".join(pieces)
        position = end + 3
    return "".join([*pieces, html[position:]])
