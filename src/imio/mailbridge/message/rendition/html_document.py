"""Puts what was prepared of a message into one HTML document that holds all it needs and fetches nothing.

The same document is shown by browsers in a sandboxed frame and converted to PDF.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.secret_address import masked
import re


#: What browser and renderer may load: only images and styles inside the document itself.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
CONTENT_SECURITY_POLICY = (
    f"{_POLICY}; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
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
END = "</body></html>"


@dataclass(frozen=True)
class Labels:
    """The words of the header fields and of folded quotes in the reader's language."""

    author: str = "From"
    reply_to: str = "Reply to"
    to: str = "To"
    cc: str = "Cc"
    date: str = "Date"
    subject: str = "Subject"
    attachments: str = "Attachments"
    quoted: str = "Quoted text"
    language: str = "en"


def head(message: ParsedMessage, labels: Labels, date: str) -> tuple[tuple[str, str], ...]:
    """Return (label, text) of the header fields that readers look at; the caller formats ``date``."""
    authors = message.authors
    reply_to = [
        address
        for address in message.addresses("reply-to")[:100]
        if address.addr_spec.lower() not in {author.addr_spec.lower() for author in authors}
    ]
    rows = (
        (labels.author, ", ".join(map(str, authors[:100]))),
        (labels.reply_to, ", ".join(map(str, reply_to))),
        (labels.to, ", ".join(map(str, message.to[:100]))),
        (labels.cc, ", ".join(map(str, message.cc[:100]))),
        (labels.date, date),
        (labels.subject, message.subject or ""),
    )
    return tuple((label, masked(text)) for label, text in rows if text)


def beginning(
    labels: Labels,
    title: str,
    rows: Iterable[tuple[str, str]] = (),
    files: Iterable[str] = (),
    notes: Iterable[str] = (),
    invitations: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the document up to where the text of the message begins; ``END`` follows that text.

    ``rows`` are (label, text), ``files`` holds a line for each attachment, ``invitations`` are (text in bold, text after it).
    """
    lines = "".join(
        f"<tr><th scope='row'>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in rows
    )
    names = "<br/>".join(map(escape, files))
    if names:
        lines += f"<tr><th scope='row'>{escape(labels.attachments)}</th><td>{names}</td></tr>"
    return masked(
        f'<!DOCTYPE html>\n<html lang="{escape(labels.language)}"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        f'<meta name="referrer" content="no-referrer"/><title>{escape(title)}</title>'
        f"<style>{_STYLE}details.quote > summary::before {{ content: {_css_string(labels.quoted)}; }}</style></head><body>"
        + (f"<table class='head'>{lines}</table>" if lines else "")
        + "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
        + "".join(
            f'<p class="invitation"><strong>{escape(strong)}</strong> {escape(rest)}</p>'
            for strong, rest in invitations
        )
    )


def _css_string(text: str) -> str:
    """Return a string of CSS (CSS Syntax §4.3.5); what is neither letter, digit nor blank is escaped, for HTML as well."""
    return '"' + re.sub(r"[^\w ]", lambda match: f"\\{ord(match[0]):x} ", text) + '"'
