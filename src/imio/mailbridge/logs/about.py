"""Knows what is being worked on, so that each line logged meanwhile can say it, whichever module or library logs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from zope.component.hooks import getSite


_known: ContextVar[dict[str, str]] = ContextVar("mailbridge-log")


@contextmanager
def about(**known: str | None) -> Iterator[None]:
    """Add to each line that is logged in the block: ``record`` (an id), ``site`` (a path), ``task`` (an id).

    An empty value adds nothing. The site is the current one where none is named. A thread that the block starts needs a copy of its
    context.
    """
    named = {name: str(value) for name, value in known.items() if value}
    token = _known.set({"site": _site(), **current(), **named})
    try:
        yield
    finally:
        _known.reset(token)


def current() -> dict[str, str]:
    """Return what is known now."""
    return {name: value for name, value in _known.get({}).items() if value}


def _site() -> str:
    site: Any = getSite()
    return "/".join(site.getPhysicalPath()) if hasattr(site, "getPhysicalPath") else ""
