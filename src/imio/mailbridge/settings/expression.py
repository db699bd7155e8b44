"""Evaluates the conditions that an administrator typed: TAL expressions, with the rights of nobody.

They look at mail of strangers, and somebody who may set mail up need not have all other rights: so they reach only what they are
given.
"""

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from collections.abc import Mapping
from Products.PageTemplates.Expressions import getEngine
from typing import Any


def compiled(expression: str) -> Any:
    """Return the compiled expression; errors: whatever the engine raises for what it cannot read."""
    return getEngine().compile(expression)


def holds(expression: str, names: Mapping[str, Any]) -> bool:
    """Tell whether the expression is true with ``names``. Errors: whatever it raises."""
    rights = getSecurityManager()
    newSecurityManager(None, nobody)
    try:
        return bool(compiled(expression)(getEngine().getContext(names)))
    finally:
        setSecurityManager(rights)
