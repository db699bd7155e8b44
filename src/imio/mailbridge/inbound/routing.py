"""Routes a message: the first row whose conditions all hold decides its agent and service, another table its first state.

Empty conditions always hold; a condition on something that the message lacks never does. A row that does not say how the message
came in is for forwards of agents and mailboxes and for replies: mail to the mail-in address itself needs a row that names it.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from imio.mailbridge.ports.filing import Facts
from imio.mailbridge.ports.filing import Route
from imio.mailbridge.settings.expression import holds
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.routing import Condition
from imio.mailbridge.settings.routing import Row
from typing import Any
import logging
import re


#: Patterns come from the administrator, texts from strangers: no more characters than these are matched.
MAX_ADDRESS = 320
MAX_SUBJECT = 500

logger = logging.getLogger(__name__)


def route(facts: Facts, settings: Settings) -> Route:
    """Return the ``Route`` for these facts under ``Settings``."""
    row, chosen, why_not = _first(settings.iemail_routing, facts)
    state_row, state, state_why_not = _first(settings.iemail_state_set, facts)
    return Route(
        row,
        chosen.user_value if chosen else "",
        chosen.tg_value if chosen else "",
        chosen.tal_condition_2 if chosen else "",
        why_not,
        state_row,
        state.state_value if state else "",
        state_why_not,
    )


def _first(rows: Iterable[Row], facts: Facts) -> tuple[int, Row | None, tuple[tuple[int, str], ...]]:
    """Return the number and the first row that matches (0 and None without one), and why the rows before it do not."""
    why_not: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        failed = _failed(row, facts)
        if not failed:
            return number, row, tuple(why_not)
        why_not.append((number, failed))
    return 0, None, tuple(why_not)


def _failed(row: Condition, facts: Facts) -> str:
    """Return the name of the first condition that does not hold, or an empty string."""
    if row.forward not in ("", facts.forward) or (facts.forward == "direct" and not row.forward):
        return "forward"
    author = facts.author.addr_spec if facts.author else ""
    for name, value in (
        ("transfer_email_pat", facts.transferred_by),
        ("original_email_pat", author),
        ("recipient_pat", facts.recipient),
    ):
        pattern = getattr(row, name)
        if pattern and not (value and re.fullmatch(pattern, value[:MAX_ADDRESS], re.IGNORECASE)):
            return name
    if row.subject_pat and not re.search(row.subject_pat, facts.subject[:MAX_SUBJECT], re.IGNORECASE):
        return "subject_pat"
    if row.tal_condition_1 and not condition(row.tal_condition_1, facts.names()):
        return "tal_condition_1"
    return ""


def condition(expression: str, names: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds; one that fails does not, and stands in the log."""
    try:
        return holds(expression, names)
    except Exception:  # noqa: BLE001 - whatever an admin typed must not stop the mail
        logger.exception("the routing condition %r failed", expression)
        return False
