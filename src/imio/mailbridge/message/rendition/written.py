"""Makes harmless HTML of what the author of a message wrote, in no reader's language.

Quotes are folded into ``<details class="quote"><summary></summary>``: the words of the summary come from the document around it.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from html import escape
from imio.mailbridge.message.parsing.bodies import Alternatives
from imio.mailbridge.message.parsing.bodies import Text
from imio.mailbridge.message.parsing.html_text import html_lines
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.message.parsing.shown_image import shown_type
from imio.mailbridge.message.rendition.complexity import check_html
from imio.mailbridge.message.rendition.complexity import SHOWN
from imio.mailbridge.message.rendition.sanitise import clean_message_html
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.syntax.limits import TooComplex
import re


#: Characters of text that are shown, and of images in base64: an image counts each time that it is shown.
MAX_TEXT = 2_000_000
MAX_IMAGES = 30_000_000
_SAYS_NOTHING = re.compile(r"<(?!img[^>]* src=)[^>]*>|\s|&nbsp;|[\xa0\u200b-\u200f\u2060\ufeff]")
_URL = re.compile(r"(https?://[^\s<>\"'`]{3,2000}[^\s<>\"'`.,;:!?)\]}»])")
_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^>]*>", re.IGNORECASE)
_INTRODUCES = re.compile(
    r"\s*(?:-{2,}\s?(?:message d.origine|original message|oorspronkelijk bericht|ursprüngliche nachricht)\s?-{2,}"
    r"|(?:le|on|op|am)\b.{4,200}\b(?:a écrit|wrote|schreef|schrieb)\b.{0,100}:)\s*",
    re.IGNORECASE,
)
_QUOTE = '<details class="quote"><summary></summary>'


@dataclass(frozen=True)
class Written:
    """Harmless HTML, empty when the message says nothing.

    ``blocked`` counts the remote contents that were left out, ``missing`` the images of the message that are not shown; ``limit``
    names what was exceeded where a layout was left out: the text is there.
    """

    html: str
    blocked: int = 0
    missing: int = 0
    limit: str = ""


def written(message: ParsedMessage) -> Written:
    """Return what the author wrote, each text in the last form that says something."""
    return _Writer(_Images(message)).sequence(message.body)


def written_plainly(message: ParsedMessage) -> Written:
    """Return the text alone, without links, layout, images and folded quotes: linear time, whatever the message holds."""
    return Written(_plain(masked("\n".join(_lines(message.body)))[:MAX_TEXT]))


def plain_text(message: ParsedMessage, limit: int) -> str:
    """Return at most ``limit`` characters of the text of a message, for a search: linear time, whatever the message holds."""
    return masked("\n".join(_lines(message.body)).strip()[:limit])


def _lines(body: Iterable[Text | Alternatives]) -> Iterable[str]:
    for each in body:
        if isinstance(each, Text):
            yield "\n".join(html_lines(each.text)) if each.is_html else each.text
        else:
            forms = ("\n".join(_lines(form)) for form in each.forms)
            yield next((text for text in forms if text.strip()), "")


def _plain(text: str) -> str:
    return f'<div class="text">{escape(text.strip(), quote=False)}</div>' if text.strip() else ""


class _Writer:
    def __init__(self, images: "_Images") -> None:
        self._images = images

    def sequence(self, body: Iterable[Text | Alternatives]) -> Written:
        """Return several texts, one below the other."""
        parts = [self._text(each) if isinstance(each, Text) else self._alternatives(each) for each in body]
        return Written(
            "\n".join(part.html for part in parts if part.html),
            sum(part.blocked for part in parts),
            sum(part.missing for part in parts),
            next((part.limit for part in parts if part.limit), ""),
        )

    def _alternatives(self, alternatives: Alternatives) -> Written:
        without_layout = Written("")
        for form in reversed(alternatives.forms):
            found = self.sequence(form)
            if found.html and not found.limit:
                return replace(found, limit=without_layout.limit)
            without_layout = without_layout if without_layout.html else found
        return without_layout

    def _text(self, text: Text) -> Written:
        shown = masked(text.text)
        if not text.is_html:
            html = f'<div class="text">{_fold_text(shown[:MAX_TEXT])}</div>' if shown.strip() else ""
            return Written(html, limit="length" if len(shown) > MAX_TEXT else "")
        try:
            check_html(shown, SHOWN)
        except TooComplex as error:
            return Written(_plain("\n".join(html_lines(shown))), limit=str(error))
        cleaned = clean_message_html(shown, self._images.find)
        if not _SAYS_NOTHING.sub("", cleaned.html):
            return Written("")
        return Written(_fold_html(cleaned.html), cleaned.blocked, cleaned.missing)


class _Images:
    """The images of a message, shown within ``MAX_IMAGES``."""

    def __init__(self, message: ParsedMessage) -> None:
        self._sources = {
            name.lower(): image
            for image in reversed(message.inline_images)
            for name in (image.cid, image.location)
            if name
        }
        self._uris: dict[str, str] = {}
        self._left = MAX_IMAGES

    def find(self, name: str) -> str | None:
        """Return the ``data:`` URI of an image; None for one that is not there, or more than may be shown."""
        if name not in self._sources:
            return None
        if name not in self._uris:
            image = self._sources[name]
            content = image.content()
            kind = shown_type(image.content_type, content)
            self._uris[name] = f"data:{kind};base64,{b64encode(content).decode()}" if kind else ""
        uri = self._uris[name]
        self._left -= len(uri)
        return uri if uri and self._left >= 0 else None


def _fold_html(html: str) -> str:
    """Put each outermost quote into an element that opens on a click."""
    pieces, depth, last = [], 0, 0
    for match in _BLOCKQUOTE.finditer(html):
        opening = not match[1]
        if opening and depth == 0:
            pieces += [html[last : match.start()], _QUOTE]
            last = match.start()
        depth += 1 if opening else -1
        if not opening and depth == 0:
            pieces += [html[last : match.end()], "</details>"]
            last = match.end()
    return "".join((*pieces, html[last:]))


def _fold_text(text: str) -> str:
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
        folded.append(f"{_QUOTE}{html}</details>" if quoted and len(lines) > 2 else html + "\n")
    return "".join(folded).rstrip("\n")


def _linked(line: str) -> str:
    pieces = _URL.split(line)
    return "".join(
        f'<a href="{escape(piece)}" rel="noopener noreferrer nofollow" target="_blank">{escape(piece)}</a>'
        if number % 2
        else escape(piece)
        for number, piece in enumerate(pieces)
    )
