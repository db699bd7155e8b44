"""Describes the body of a message as its author wrote it: texts in order, some of them in several forms (RFC 2046 §5.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from imio.mailbridge.message.syntax.structure import Part


@dataclass(frozen=True)
class Text:
    """One text in one form; ``is_html`` tells which. HTML stands as its author wrote it and is not safe to show."""

    text: str
    is_html: bool


@dataclass(frozen=True)
class Alternatives:
    """The forms of one text, the one that its author prefers last; each form is a sequence of texts."""

    forms: tuple[tuple["Text | Alternatives", ...], ...]


Body = tuple[Text | Alternatives, ...]


def read_bodies(part: Part, text_of: Callable[[Part], Text | None]) -> Body:
    """Return the body in ``part``; ``text_of`` returns the text of a part, or None for one that is no text of the body."""
    if part.maintype != "multipart" or not part.parts:
        text = text_of(part)
        return () if text is None else (text,)
    children = tuple(body for child in part.parts if (body := read_bodies(child, text_of)))
    if part.content_type == "multipart/alternative" and len(children) > 1:
        return (Alternatives(children),)
    return tuple(each for body in children for each in body)
