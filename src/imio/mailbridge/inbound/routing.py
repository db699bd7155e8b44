"""Who treats this message, and in which state does it begin? The first row whose conditions all hold.

What a row fills in must hold; what the message does not have never matches. A row that does not name how the message came in is
for what agents and mailboxes forward, and for replies: mail to the mail-in address itself needs a row that says so.
"""

from imio.mailbridge.ports.filing import Route
from imio.mailbridge.settings.expression import holds
import logging
import re


#: Patterns are the admin's, what they look at is a stranger's: no more of it is looked at.
MAX_ADDRESS = 320
MAX_SUBJECT = 500

logger = logging.getLogger(__name__)


def route(facts, values):
    """Return the ``Route`` for these facts under the settings ``values``."""
    row, chosen, why_not = _first(values.iemail_routing or (), facts)
    state_row, state, state_why_not = _first(values.iemail_state_set or (), facts)
    return Route(
        row,
        chosen.get("user_value") or "",
        chosen.get("tg_value") or "",
        chosen.get("tal_condition_2") or "",
        why_not,
        state_row,
        state.get("state_value") or "",
        state_why_not,
    )


def _first(rows, facts):
    """Return number and row of the first that matches (0 and an empty row for none), and why those before it do not."""
    why_not = []
    for number, row in enumerate(rows, 1):
        failed = _failed(row, facts)
        if not failed:
            return number, row, tuple(why_not)
        why_not.append((number, failed))
    return 0, {}, tuple(why_not)


def _failed(row, facts):
    """Return the name of the first condition that does not hold, or an empty string."""
    if facts.forward != (row.get("forward") or facts.forward) or facts.forward == "direct" != row.get(
        "forward"
    ):
        return "forward"
    author = facts.author.addr_spec if facts.author else ""
    for name, value in (
        ("transfer_email_pat", facts.transferred_by),
        ("original_email_pat", author),
        ("recipient_pat", facts.recipient),
    ):
        pattern = row.get(name)
        if pattern and not (value and re.fullmatch(pattern, value[:MAX_ADDRESS], re.IGNORECASE)):
            return name
    pattern = row.get("subject_pat")
    if pattern and not re.search(pattern, facts.subject[:MAX_SUBJECT], re.IGNORECASE):
        return "subject_pat"
    if row.get("tal_condition_1") and not condition(row["tal_condition_1"], facts.names()):
        return "tal_condition_1"
    return ""


def condition(expression, names):
    """Tell whether a condition holds; one that fails does not, and stands in the log."""
    try:
        return holds(expression, names)
    except Exception:  # noqa: BLE001 - whatever an admin typed must not stop the mail
        logger.exception("the routing condition %r failed", expression)
        return False
