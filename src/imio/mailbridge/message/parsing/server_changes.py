"""Takes away what mail servers add to a message on the way, and turns their links back: for comparison, not to be shown."""

from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import cache
from imio.mailbridge.message.parsing.server_forms import Rewriter
from imio.mailbridge.message.parsing.server_forms import REWRITERS
from imio.mailbridge.message.parsing.server_forms import SENTENCES
from imio.mailbridge.message.parsing.server_forms import TAGS
from imio.mailbridge.message.syntax.fold import fold
from imio.mailbridge.message.syntax.form import alternatives
from urllib.parse import unquote
import re


_TAG = re.compile(rf"((?:[^\W\d_]{{1,5}}\s?:\s?)?)(?:{alternatives(TAGS, 'subject')})\s?")
#: Nothing is tried twice: on hostile text that would take for ever.
_ADDED = re.compile(rf"(?>(?:{alternatives(SENTENCES, 'text')})(?=[\W_]|\Z)[\W_]{{0,9}})+")
_RULE = re.compile(r"[\s_=*~#|>.–—-]*")
_TARGET = re.compile(r"<(?:https?:|mailto:)[^\s<>]*>")
_LINK = re.compile(r"(https?://[^\s<>\"]+)(?:(\s?)<(https?://[^\s<>]+)>)?", re.IGNORECASE)
_AFTER_LINK = ".,;:!?)'*]"
_AROUND = "\"'*|<>[](){} /!\\⚠"
#: Lines of one paragraph that a server added, its characters, and how many such stand at one end of a text.
_LINES, _LENGTH, _TIMES = 8, 1_200, 4
#: A link that was rewritten more often, or is longer, is left.
_DEPTH, _LONGEST = 4, 8_000
_MAX_TAGS = 5


def without_tags(subject: str) -> str:
    """Return a subject, folded, without the tags before it."""
    left = fold(subject)
    for _time in range(_MAX_TAGS):
        shorter = _TAG.sub(r"\1", left, count=1) if _TAG.match(left) else left
        if shorter == left:
            break
        left = shorter
    return left


def without_additions(lines: Sequence[str]) -> list[str]:
    """Return the lines of a text without rules, empty lines and what servers wrote at its beginning and its end."""
    left = _without_first(list(lines))
    left.reverse()
    left = _without_first(left, backwards=True)
    left.reverse()
    return left


def _without_first(lines: list[str], backwards: bool = False) -> list[str]:
    start = _skip_rules(lines, 0)
    for _time in range(_TIMES):
        length = next(
            (each for each in _paragraphs(lines, start) if _is_added(lines, start, each, backwards)), 0
        )
        if not length:
            break
        start = _skip_rules(lines, start + length)
    return lines[start:]


def _paragraphs(lines: list[str], start: int) -> Iterator[int]:
    """Yield how many lines may be one paragraph, the most first."""
    end = start
    while end < min(len(lines), start + _LINES) and not _is_rule(lines[end]):
        end += 1
    return iter(range(end - start, 0, -1))


def _is_added(lines: list[str], start: int, length: int, backwards: bool) -> bool:
    paragraph = lines[start : start + length]
    written = " ".join(reversed(paragraph) if backwards else paragraph)
    return (
        len(written) <= _LENGTH
        and _ADDED.fullmatch(fold(_TARGET.sub(" ", written)).strip(_AROUND)) is not None
    )


def _skip_rules(lines: list[str], start: int) -> int:
    while start < len(lines) and _is_rule(lines[start]):
        start += 1
    return start


def _is_rule(line: str) -> bool:
    return _RULE.fullmatch(line) is not None


def with_original_links(text: str) -> str:
    """Return a text with each link as its author wrote it, once where it stands as text and as target (``link<link>``)."""
    return _LINK.sub(_original, text) if "://" in text else text


def _original(found: re.Match[str]) -> str:
    shown = found[1].rstrip(_AFTER_LINK)
    link, rest = original_link(shown), found[1][len(shown) :]
    if not found[3]:
        return link + rest
    target = original_link(found[3])
    return link if link.rstrip("/") == target.rstrip("/") else f"{link}{rest}{found[2]}<{target}>"


def original_link(link: str) -> str:
    """Return the link that a provider's rewritten link stands for, or the link itself."""
    for _time in range(_DEPTH):
        before = (
            next(filter(None, (_read(each, link) for each in REWRITERS)), "") if len(link) < _LONGEST else ""
        )
        if not before:
            break
        link = before
    return link


def _read(rewriter: Rewriter, link: str) -> str:
    match = _patterns()[rewriter.name].fullmatch(link)
    return _CODINGS[rewriter.coding](match) if match else ""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {each.name: re.compile(each.pattern, re.IGNORECASE) for each in REWRITERS}


def _percent(match: re.Match[str]) -> str:
    return unquote(match["url"])


def _dashes(match: re.Match[str]) -> str:
    return unquote(match["url"].replace("-", "%").replace("_", "/"))


def _stars(match: re.Match[str]) -> str:
    # "*" stands for the next character of the list, "**" and a letter for as many as the letter counts
    hidden = iter(_base64(match["stars"]))

    def shown(found: re.Match[str]) -> str:
        count = _COUNTS.index(found[1]) + 2 if found[1] else 1
        return "".join(next(hidden, "*") for _each in range(count))

    link = re.sub(r"\*(?:\*([\w-]))?", shown, match["url"], flags=re.ASCII)
    return re.sub(r"\A(https?:/)(?!/)", r"\1/", link)


_COUNTS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _base64_url(match: re.Match[str]) -> str:
    return _base64(unquote(match["url"]).replace("+", "-").replace("/", "_"))


def _base64(text: str) -> str:
    bare = text.rstrip("=")
    try:
        return urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "replace")
    except Error:
        return ""


_CODINGS: dict[str, Callable[[re.Match[str]], str]] = {
    "percent": _percent,
    "dashes": _dashes,
    "stars": _stars,
    "base64": _base64_url,
}
