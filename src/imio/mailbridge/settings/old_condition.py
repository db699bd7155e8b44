"""Writes a condition of the old routing of iA.docs in the words of the bridge, where it means the same and can be evaluated safely.

The old conditions see ``maildata`` (what was read of the message), ``agent_id``, ``member``, and by ``modules`` and ``context`` all
of Plone. The bridge gives them the ``Facts`` of a message, and nothing else.
"""

from AccessControl.ZopeGuards import safe_builtins
from imio.mailbridge.i18n import _
import ast
import re


#: What a condition of the bridge can name (``ports.filing.Facts.names``).
KNOWN = frozenset(
    (
        "forward",
        "transferred_by",
        "author",
        "author_name",
        "subject",
        "date",
        "recipient",
        "mailbox",
        "service",
    )
)
#: Characters of a condition.
MAX_LENGTH = 1000

#: Old expression → what means the same.
_SAME = {
    "maildata['Subject']": "subject",
    "maildata.get('Subject')": "subject",
    "maildata.get('Subject', '')": "subject",
    "maildata['From'][0][1]": "author",
    "maildata['From'][0][0]": "author_name",
    "maildata['Agent'][0][1]": "transferred_by",
    "maildata.get('Agent')": "transferred_by",
    "maildata['Origin'] == 'Agent forward'": "forward == 'agent'",
    "maildata['Origin'] == 'Server forward'": "forward == 'server'",
    "maildata.get('Origin') == 'Agent forward'": "forward == 'agent'",
    "maildata.get('Origin') == 'Server forward'": "forward == 'server'",
}
_PYTHON = re.compile(r"python\s*:", re.IGNORECASE)
_PATHS = re.compile(r"(?:not:|exists:|path:|\s)*([A-Za-z_][\w]*)(?:/[\w/.-]*)?\s*")


class CannotSay(Exception):
    """The bridge has no condition that means the same; the argument says why (a msgid)."""


def condition(expression: str) -> str:
    """Return the condition that means what the old one means, empty where it always holds; errors: ``CannotSay``."""
    text = expression.strip()
    if len(text) > MAX_LENGTH:
        raise CannotSay(_("The condition is too long."))
    if not text:
        return ""
    if not _PYTHON.match(text):
        return _paths(text)
    source = _PYTHON.sub("", text, count=1).strip()
    try:
        tree = ast.parse(source, mode="eval")
        before = ast.dump(tree)
        rewritten = ast.fix_missing_locations(_Rewritten().visit(tree))
        names = _free_names(rewritten)
        written = source if ast.dump(rewritten) == before else ast.unparse(rewritten)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CannotSay(_("The condition is not an expression that can be read.")) from error
    _check(names - set(safe_builtins))
    return f"python: {written}"


def both(first: str, second: str) -> str:
    """Return the condition that holds where both hold; errors: ``CannotSay`` where they cannot be joined."""
    if not first or not second:
        return first or second
    if not all(map(_PYTHON.match, (first, second))):
        raise CannotSay(_("Its two conditions cannot be joined into one."))
    parts = [f"({_PYTHON.sub('', each, count=1).strip()})" for each in (first, second)]
    return "python: " + " and ".join(parts)


class _Rewritten(ast.NodeTransformer):
    def visit(self, node: ast.AST) -> ast.AST:
        same = _SAME.get(ast.unparse(node)) if isinstance(node, ast.expr) else None
        return ast.parse(same, mode="eval").body if same else super().visit(node)


def _free_names(tree: ast.AST) -> set[str]:
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return {node.id for node in names} - bound


def _paths(text: str) -> str:
    found = [_PATHS.fullmatch(part) for part in text.split("|")]
    if not all(found):
        raise CannotSay(_("The condition is not an expression that can be read."))
    _check({match[1] for match in found if match} - {"nothing", "default"})
    return text


def _check(names: set[str]) -> None:
    if unknown := sorted(names - KNOWN):
        mapping = {"names": ", ".join(unknown)}
        raise CannotSay(
            _("Its condition looks at ${names}, which a condition can no longer see.", mapping=mapping)
        )
