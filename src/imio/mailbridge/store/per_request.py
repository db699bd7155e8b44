"""Keeps what a function returned until the request ends, for lists that ask the same again for each of their lines."""

from collections.abc import Callable
from plone.memoize.volatile import cache
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.globalrequest import getRequest


def once_a_request(key: Callable[..., Any]) -> Any:
    """Return a decorator: the function is called once in a request for each ``key`` of its arguments; without a request, always."""
    return cache(lambda _function, *arguments: key(*arguments), get_cache=_kept)


def _kept(*_arguments: Any) -> Any:
    request = getRequest()
    return {} if request is None else IAnnotations(request)
