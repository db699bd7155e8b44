"""Writes the HTML of a message as a plain text that reads like a letter."""

from markdownify import MarkdownConverter
from typing import Any
import re


_END = re.compile(r"[ \t\u00a0\u00ad\u200b-\u200d\u2060\ufeff]+\n")
_EMPTY_LINES = re.compile(r"\n{3,}")


def html_to_text(html: str) -> str:
    """Return the plain text alternative to the HTML of a message: a link is its words and its address, an image its description."""
    text = _Letter(
        bullets="-", strong_em_symbol="", escape_asterisks=False, escape_underscores=False, escape_misc=False
    ).convert(html)
    return _EMPTY_LINES.sub("\n\n", _END.sub("\n", f"{text}\n")).strip() + "\n"


class _Letter(MarkdownConverter):
    """Markdown without its marks: lists and quotes stay, which letters have too."""

    def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
        address = (el.get("href") or "").strip()
        if found := re.match(r"(?:tel:|mailto:(?=[^?]))([^?]*)", address, re.IGNORECASE):
            address = found[1]
        words = text.strip()
        if not address or address.startswith("#") or address.rstrip("/") == words.rstrip("/"):
            return text
        return text.replace(words, f"{words} ({address})") if words else address

    def convert_img(self, el: Any, text: str, parent_tags: set[str]) -> str:
        words = str(el.get("alt") or el.get("title") or "").strip()
        before, after = el.previous_sibling, el.next_sibling
        is_glued = (
            before[-1:].strip() if isinstance(before, str) else before is not None and before.name == "img"
        )
        words = f" {words}" if words and is_glued else words
        return f"{words} " if words and isinstance(after, str) and after[:1].strip() else words

    def convert_hN(self, n: int, el: Any, text: str, parent_tags: set[str]) -> str:  # noqa: N802 - markdownify's
        return f"\n\n{text.strip()}\n\n"

    def convert_summary(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text.strip()}\n\n"

    def convert_dt(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text.strip()}\n"

    def convert_dd(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return f"{text.strip()}\n"

    def convert_pre(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text}\n\n"

    def convert_code(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return text

    convert_del = convert_s = convert_kbd = convert_samp = convert_code

    def convert_td(self, el: Any, text: str, parent_tags: set[str]) -> str:
        cell = " ".join(text.split())
        return f"{cell} | " if el.find_next_sibling(["td", "th"]) else cell

    convert_th = convert_td

    def convert_tr(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return f"{text.strip()}\n"
