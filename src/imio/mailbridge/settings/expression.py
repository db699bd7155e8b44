"""Does a condition that an admin typed hold? A TAL expression, evaluated with the rights of nobody.

Mail of strangers is what it looks at, and who may set mail up need not be allowed all else: so it reaches only what it is given.
"""

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from Products.PageTemplates.Expressions import getEngine


def compiled(expression):
    """Return the compiled expression; errors: whatever the engine raises for what it cannot read."""
    return getEngine().compile(expression)


def holds(expression, names):
    """Tell whether the expression is true with ``names``. Errors: whatever it raises."""
    rights = getSecurityManager()
    newSecurityManager(None, nobody)
    try:
        return bool(compiled(expression)(getEngine().getContext(names)))
    finally:
        setSecurityManager(rights)
