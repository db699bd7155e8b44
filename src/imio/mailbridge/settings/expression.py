"""Evaluates the conditions that an administrator typed: TAL expressions that see the given names and nothing of Zope.

They look at mail of strangers, and somebody who may set mail up need not have all other rights. So the engine has no modules,
views, namespaces and content providers, and evaluates with the rights of nobody.
"""

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from AccessControl.ZopeGuards import guarded_getattr
from AccessControl.ZopeGuards import guarded_getitem
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from Products.PageTemplates.Expressions import createZopeEngine
from Products.PageTemplates.Expressions import UntrustedSubPathExpr
from Products.PageTemplates.Expressions import ZopePathExpr
from typing import Any


def _traverse(value: Any, steps: Iterable[str], _context: Any) -> Any:
    """Follow a path by items and attributes alone: Zope's traversal also finds views and adapters."""
    for step in steps:
        value = guarded_getitem(value, step) if isinstance(value, Mapping) else guarded_getattr(value, step)
    return value


class _SubPath(UntrustedSubPathExpr):
    """A path that begins with a given name, not with what the engine keeps beside them."""

    ALLOWED_BUILTINS: Mapping[str, Any] = {}

    def __init__(self, path: str, traverser: Any, engine: Any) -> None:
        name = path.strip().split("/")[0]
        if name.startswith("_") or name == "CONTEXTS":
            raise engine.getCompilerError()(f"Invalid variable name {name!r}")
        super().__init__(path, traverser, engine)


class _Path(ZopePathExpr):
    SUBEXPR_FACTORY = _SubPath

    def __init__(self, name: str, expression: str, engine: Any) -> None:
        super(ZopePathExpr, self).__init__(name, expression.strip() or "nothing", engine, _traverse)


ENGINE = createZopeEngine(_Path)
ENGINE.base_names.clear()
ENGINE.namespaces = {}
del ENGINE.types["provider"]


@contextmanager
def rights_of_nobody() -> Iterator[None]:
    """Take the rights of the current user away for a while."""
    rights = getSecurityManager()
    newSecurityManager(None, nobody)
    try:
        yield
    finally:
        setSecurityManager(rights)


def compiled(expression: str) -> Any:
    """Return the compiled expression; errors: whatever the engine raises for what it cannot read."""
    return ENGINE.compile(expression)


def holds(expression: str, names: Mapping[str, Any]) -> bool:
    """Tell whether the expression is true with ``names``. Errors: whatever it raises."""
    with rights_of_nobody():
        return bool(compiled(expression)(ENGINE.getContext(dict(names))))
