"""Cleans HTML that is sent or shown, with nh3: no script, style sheet, form or event handler passes.

Run as a program, this module cleans the HTML on standard input as ``clean_html`` does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from imio.mailbridge.message.rendition import confined
from imio.mailbridge.message.rendition.complexity import check_html
from imio.mailbridge.message.rendition.complexity import WRITTEN
from imio.mailbridge.message.rendition.written_style import written_style
from imio.mailbridge.message.syntax.limits import TooComplex
from tempfile import TemporaryFile
from urllib.parse import parse_qsl
from urllib.parse import unquote
from urllib.parse import urlencode
from urllib.parse import urlsplit
import nh3
import re
import sys


_TAGS = (nh3.ALLOWED_TAGS | {"font"}) - {"map", "area"}
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
_ATTRIBUTES.setdefault("img", set()).update({"src", "alt", "width", "height", "title"})
_ATTRIBUTES.setdefault("*", set()).update({"dir", "lang", "style"})
_ATTRIBUTES.setdefault("table", set()).update({"border", "cellpadding", "cellspacing", "width"})
_ATTRIBUTES.setdefault("blockquote", set()).add("type")  # "cite": mail programs fold it
_ATTRIBUTES["font"] = {"color", "size", "face"}
for _tag in ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "td", "th"):
    _ATTRIBUTES.setdefault(_tag, set()).update({"align", "valign", "bgcolor", "width", "height"})
_IMAGE_DATA = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;")


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return written_style(value)
    if value.strip().lower().startswith("data:"):
        return value if tag == "img" and name == "src" and value.startswith(_IMAGE_DATA) else None
    return value


#: Characters of HTML that are cleaned within a second, whatever they are; more of them are cleaned in a child.
_SMALL = 20_000
_BOUNDS = confined.Bounds(processor=5, memory=512 << 20, output=60 << 20)
_SECONDS = 60


def clean_html(html: str) -> str:
    """Return ``html`` with harmless elements and attributes only; ``data:`` URIs are kept for raster images alone.

    Errors: ``TooComplex`` for what no person writes.
    """
    check_html(html, WRITTEN)
    if len(html) <= _SMALL:
        return _clean(html)
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(html.encode("utf-8", "replace"))
        try:
            confined.run(__file__, source, target, _SECONDS)
        except (confined.ProgramFailed, confined.Unfinished) as error:
            raise TooComplex(str(error)) from error
        target.seek(0)
        return target.read().decode("utf-8")


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer",
    )


#: Style that changes the look of text and cannot fetch, cover or move anything.
_STYLE = {
    "color", "background-color", "font-size", "font-weight", "font-style", "font-family", "text-align", "text-decoration",
    "text-indent", "text-transform", "line-height", "letter-spacing", "vertical-align", "white-space", "direction",
    "margin", "margin-top", "margin-right", "margin-bottom", "margin-left",
    "padding", "padding-top", "padding-right", "padding-bottom", "padding-left",
    "border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-style", "border-width",
    "border-collapse", "border-spacing", "border-radius", "width", "max-width", "height", "min-width", "list-style-type",
}  # fmt: skip
_MESSAGE_TAGS = (_TAGS | {"center", "u", "s", "big", "section", "article", "header", "footer"}) - {
    "map",
    "area",
}
_LAYOUT = {
    "align",
    "valign",
    "bgcolor",
    "width",
    "height",
    "border",
    "cellpadding",
    "cellspacing",
    "colspan",
    "rowspan",
}
_MESSAGE_ATTRIBUTES = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
_MESSAGE_ATTRIBUTES["*"] = _MESSAGE_ATTRIBUTES.get("*", set()) | {"style", "background"}
for _tag in ("table", "tr", "td", "th", "tbody", "thead", "col", "colgroup", "img", "hr"):
    _MESSAGE_ATTRIBUTES.setdefault(_tag, set()).update(_LAYOUT)
_MESSAGE_ATTRIBUTES["img"] |= {"src", "alt", "srcset"}
#: Parameters that mailings add to links to track readers.
_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|yclid|igshid|vero_id|oly_(?:anon|enc)_id|ref_src)",
    re.IGNORECASE,
)
_REMOTE = re.compile(r"\s*(?:https?:|ftp:|//|\\\\)", re.IGNORECASE)
_STYLE_URL = re.compile(r"url\s*\(|@import|image-set|expression|\\", re.IGNORECASE)


@dataclass(frozen=True)
class Cleaned:
    """Harmless HTML; ``blocked`` counts the remote contents that were left out, ``missing`` the images of the message."""

    html: str
    blocked: int
    missing: int


def clean_message_html(html: str, find_image: Callable[[str], str | None]) -> Cleaned:
    """Return the HTML of a mail made safe to show.

    Nothing in it fetches anything: ``find_image`` returns the ``data:`` URI for a Content-ID or Content-Location in lower case;
    all other images are removed. Links are kept without tracking parameters.
    """
    blocked = missing = 0

    def attribute(tag: str, name: str, value: str) -> str | None:
        nonlocal blocked
        if name in ("background", "srcset"):
            blocked += bool(_REMOTE.match(value))
            return None
        if name == "style":
            blocked += bool(re.search(r"url\s*\(", value, re.IGNORECASE))
            return None if _STYLE_URL.search(value) else value
        if tag == "img" and name == "src":
            return image(value)
        if name == "href":
            return (
                without_tracking(value) if not value.strip().lower().startswith(("data:", "cid:")) else None
            )
        return value if name not in ("cite", "src", "longdesc") else None

    def image(value: str) -> str | None:
        nonlocal blocked, missing
        if value.startswith(_IMAGE_DATA):
            return value
        wanted = value.strip().lower()
        is_part = wanted.startswith("cid:")
        found = find_image(unquote(wanted[4:]) if is_part else wanted)
        if found is None:
            missing += is_part
            blocked += not is_part
        return found

    cleaned = nh3.clean(
        html,
        tags=_MESSAGE_TAGS,
        attributes=_MESSAGE_ATTRIBUTES,
        attribute_filter=attribute,
        filter_style_properties=_STYLE,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Cleaned(cleaned, blocked, missing)


def without_tracking(url: str) -> str:
    """Return a link without tracking parameters; one that cannot be parsed is returned unchanged."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
        kept = [(name, value) for name, value in query if not _TRACKING.fullmatch(name)]
        return url if len(kept) == len(query) else parts._replace(query=urlencode(kept)).geturl()
    except ValueError:
        return url


def main() -> None:
    """Clean the HTML on standard input."""
    confined.confine(_BOUNDS)
    confined.write(_clean(sys.stdin.buffer.read().decode("utf-8")).encode())


if __name__ == "__main__":
    main()
