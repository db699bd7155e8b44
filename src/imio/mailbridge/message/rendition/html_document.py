"""Renders a message as one HTML document that holds all it needs and fetches nothing.

The same document is shown by browsers in a sandboxed frame and converted to PDF.
"""

from base64 import b64encode
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from imio.mailbridge.message.parsing.invitation import Invitation
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.rendition.sanitise import clean_message_html
import re


#: What browser and renderer may load: only images and styles inside the document itself.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
CONTENT_SECURITY_POLICY = (
    f"{_POLICY}; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
MAX_TEXT = 2_000_000
MAX_IMAGES = 20_000_000
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_MAGIC = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_URL = re.compile(r"(https?://[^\s<>\"'`]{3,2000}[^\s<>\"'`.,;:!?)\]}»])")
_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^>]*>", re.IGNORECASE)
_INTRODUCES = re.compile(
    r"\s*(?:-{2,}\s?(?:message d.origine|original message|oorspronkelijk bericht|ursprüngliche nachricht)\s?-{2,}"
    r"|(?:le|on|op|am)\b.{4,200}\b(?:a écrit|wrote|schreef|schrieb)\b.{0,100}:)\s*",
    re.IGNORECASE,
)
_STYLE = """
body { font: 11pt/1.45 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #212529; margin: 0; overflow-wrap: anywhere; }
@media screen { body { padding: .6em; } }
.text { white-space: pre-wrap; }
img { max-width: 100%; height: auto; }
table { max-width: 100%; }
table.head { border-collapse: collapse; margin: 0 0 1em; border-bottom: 1px solid #adb5bd; width: 100%; }
table.head th { text-align: left; vertical-align: top; padding: .1em .8em .1em 0; color: #495057; white-space: nowrap; }
table.head td { padding: .1em 0; width: 100%; }
p.invitation { border: 1px solid #9ec5fe; background: #cfe2ff; padding: .4em .6em; }
details.quote { color: #495057; border-left: 3px solid #ced4da; padding-left: .6em; }
blockquote { margin: .3em 0; padding-left: .8em; border-left: 3px solid #ced4da; }
p.note { background: #fff3cd; border: 1px solid #ffe69c; padding: .4em .6em; margin: 0 0 1em; }
code { font-size: 8pt; color: #495057; }
@page { size: A4; margin: 18mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
"""


@dataclass(frozen=True)
class Labels:
    """The words of the document in the reader's language; ``blocked``, for two or more, contains ``%d``."""

    author: str = "From"
    to: str = "To"
    cc: str = "Cc"
    date: str = "Date"
    subject: str = "Subject"
    attachments: str = "Attachments"
    quoted: str = "Quoted text"
    blocked: str = "%d remote contents were left out."
    blocked_one: str = "One remote content was left out."
    empty: str = "This message has no text."
    language: str = "en"


@dataclass(frozen=True)
class Body:
    """The text of a message as harmless HTML; ``blocked`` counts the remote contents that were left out."""

    html: str
    blocked: int


def body(message: ParsedMessage, labels: Labels) -> Body:
    """Return what the author wrote, as HTML if there is any, below the invitations of the message."""
    written = _written(message, labels)
    invited = "".join(
        f'<p class="invitation"><strong>{escape(each.summary)}</strong> {escape(_when(each))} {escape(each.place)}</p>'
        for each in message.invitations
    )
    return Body(invited + written.html, written.blocked)


def _when(invitation: Invitation) -> str:
    return (
        invitation.start.isoformat(" ")[:16]
        if isinstance(invitation.start, datetime)
        else str(invitation.start or "")
    )


def _written(message: ParsedMessage, labels: Labels) -> Body:
    if message.html and message.html.strip():
        cleaned, blocked = clean_message_html(message.html[:MAX_TEXT], _images(message))
        if re.sub(r"<(?!img)[^>]*>|\s|&nbsp;", "", cleaned):
            return Body(_fold_html(cleaned, labels), blocked)
    if message.text and message.text.strip():
        return Body(f'<div class="text">{_fold_text(message.text[:MAX_TEXT], labels)}</div>', 0)
    return Body(f"<p><em>{escape(labels.empty)}</em></p>", 0)


def head(message: ParsedMessage, labels: Labels, date: str) -> tuple[tuple[str, str], ...]:
    """Return (label, text) of the header fields that readers look at; the caller formats ``date``."""
    rows = (
        (labels.author, ", ".join(map(str, message.authors))),
        (labels.to, ", ".join(map(str, message.to[:100]))),
        (labels.cc, ", ".join(map(str, message.cc[:100]))),
        (labels.date, date),
        (labels.subject, message.subject or ""),
    )
    return tuple((label, text) for label, text in rows if text)


def document(
    content: Body, labels: Labels, rows: Iterable[tuple[str, str]] = (), files: Iterable[str] = ()
) -> str:
    """Return the whole document; ``files`` holds a line for each attachment."""
    lines = "".join(
        f"<tr><th scope='row'>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in rows
    )
    names = "<br/>".join(map(escape, files))
    if names:
        lines += f"<tr><th scope='row'>{escape(labels.attachments)}</th><td>{names}</td></tr>"
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(labels.language)}"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        f'<meta name="referrer" content="no-referrer"/><title>{escape(labels.subject)}</title><style>{_STYLE}</style></head><body>'
        + (f"<table class='head'>{lines}</table>" if lines else "")
        + (f'<p class="note">{escape(_left_out(content.blocked, labels))}</p>' if content.blocked else "")
        + content.html
        + "</body></html>"
    )


def _left_out(count: int, labels: Labels) -> str:
    return labels.blocked_one if count == 1 else labels.blocked % count


def _images(message: ParsedMessage) -> Mapping[str, str]:
    found: dict[str, str] = {}
    size = 0
    for image in message.inline_images:
        content = image.content()
        kind = image.content_type if image.content_type in _IMAGES else ""
        kind = next((known for magic, known in _MAGIC if content.startswith(magic)), kind)
        size += len(content)
        if kind and size <= MAX_IMAGES:
            uri = f"data:{kind};base64,{b64encode(content).decode()}"
            for name in (image.cid, image.location):
                if name:
                    found.setdefault(name.lower(), uri)
    return found


def _fold_html(html: str, labels: Labels) -> str:
    """Put each outermost quote into an element that opens on a click."""
    pieces, depth, last = [], 0, 0
    for match in _BLOCKQUOTE.finditer(html):
        opening = not match[1]
        if opening and depth == 0:
            pieces += [html[last : match.start()], _opening(labels)]
            last = match.start()
        depth += 1 if opening else -1
        if not opening and depth == 0:
            pieces += [html[last : match.end()], "</details>"]
            last = match.end()
    return "".join((*pieces, html[last:]))


def _fold_text(text: str, labels: Labels) -> str:
    blocks: list[tuple[bool, list[str]]] = []
    below = False
    for line in text.split("\n"):
        below = below or (bool(blocks) and bool(_INTRODUCES.fullmatch(line[:400])))
        quoted = below or line.startswith(">")
        if not blocks or blocks[-1][0] != quoted:
            blocks.append((quoted, []))
        blocks[-1][1].append(line)
    folded = []
    for quoted, lines in blocks:
        html = "\n".join(_linked(line) for line in lines)
        folded.append(f"{_opening(labels)}{html}</details>" if quoted and len(lines) > 2 else html + "\n")
    return "".join(folded).rstrip("\n")


def _opening(labels: Labels) -> str:
    return f'<details class="quote"><summary>{escape(labels.quoted)}</summary>'


def _linked(line: str) -> str:
    pieces = _URL.split(line)
    return "".join(
        f'<a href="{escape(piece)}" rel="noopener noreferrer nofollow" target="_blank">{escape(piece)}</a>'
        if number % 2
        else escape(piece)
        for number, piece in enumerate(pieces)
    )
