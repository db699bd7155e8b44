"""Measures HTML before a parser builds a tree of it: what costs a parser seconds is refused in linear time.

A tree builder looks through all open elements at many tags, through all attributes of a tag at each attribute, and repeats
formatting elements that are not closed in each block (WHATWG HTML §13.2.6): its time grows with the products of these numbers.
"""

from collections import Counter
from dataclasses import dataclass
from imio.mailbridge.message.syntax.limits import TooComplex
import re


@dataclass(frozen=True)
class HtmlLimits:
    """The most that an HTML text may have.

    ``length`` in characters, without the images that stand in it; ``attributes`` of one element; ``depth`` of open elements.
    """

    length: int
    elements: int
    attributes: int
    depth: int


#: Of a mail that is shown: far above what mail programs and spreadsheets write.
SHOWN = HtmlLimits(length=2_000_000, elements=50_000, attributes=60, depth=200)
#: Of an e-mail that a person writes: it is cleaned in the process that answers everybody.
WRITTEN = HtmlLimits(length=1_000_000, elements=10_000, attributes=40, depth=60)

#: Elements that never have an end tag, or may leave it out: the latter cannot nest without another element between.
_NOT_COUNTED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
     "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option", "optgroup", "colgroup", "html", "head", "body"}
)  # fmt: skip
_IMAGE_DATA = re.compile(r"data:image/[a-z]{3,4};base64,[A-Za-z0-9+/=\s]++")
_TAG = re.compile(r"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(/?)([a-zA-Z][^\s/>]*+))", re.DOTALL)
_ATTRIBUTE = re.compile(
    r"""[\s/]*+(?:(?P<end>>)|(?:[^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+)"""
)


def check_html(html: str, limits: HtmlLimits) -> None:
    """Raise ``TooComplex`` with the name of the limit that ``html`` exceeds. Takes linear time."""
    html = _IMAGE_DATA.sub("", html)
    if len(html) > limits.length:
        raise TooComplex("length")
    open_elements: Counter[str] = Counter()
    elements = depth = position = 0
    while (tag := _TAG.search(html, position)) is not None:
        position = tag.end()
        if tag[2] is None:
            continue
        name = tag[2].lower()
        attributes = 0
        while (attribute := _ATTRIBUTE.match(html, position)) is not None:
            position = attribute.end()
            if attribute["end"]:
                break
            attributes += 1
            if attributes > limits.attributes:
                raise TooComplex("attributes")
        if name in _NOT_COUNTED:
            elements += not tag[1]
        elif not tag[1]:
            elements += 1
            depth += 1
            open_elements[name] += 1
        elif open_elements[name]:
            depth -= 1
            open_elements[name] -= 1
        if elements > limits.elements:
            raise TooComplex("elements")
        if depth > limits.depth:
            raise TooComplex("depth")
