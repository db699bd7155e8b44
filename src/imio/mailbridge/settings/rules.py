"""Changes the rules, which are the rows of the routing and of the states, one at a time; refuses what the person did not see.

Rows are kept as they are stored, patterns and expressions included, when others are moved, deleted or put back.
"""

from collections.abc import Iterable
from dataclasses import asdict
from dataclasses import astuple
from imio.mailbridge.settings.read import rows_of
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import Condition
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from imio.mailbridge.settings.server import filled_in
from typing import Any
from typing import TypeVar
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import hashlib


#: The two tables of rules: who treats a mail, and which state its document gets.
ROUTING, STATES = "iemail_routing", "iemail_state_set"

#: Of the routing, the rule that was deleted last: ``row`` as it was stored, its ``number``, the ``digest`` of the rules without it.
KEY = "imio.mailbridge.deleted_rule"

Row = TypeVar("Row")


class Changed(Exception):
    """The rules changed after the person saw them."""


def digest(rows: Iterable[Condition] | None = None, table: str = ROUTING) -> str:
    """Return a text that changes with the rules: those of the site, or these."""
    values = [astuple(row) for row in (getattr(settings(), table) if rows is None else rows)]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def placed(rows: Iterable[Row], row: Row, place: str, instead_of: int = 0) -> tuple[tuple[Row, ...], int]:
    """Return the rows with one more at its place, or changed and moved there; and its number, which counts from 1.

    ``place`` is ``first``, ``last``, ``before-N`` or, for the row that is changed, ``same``; numbers are those of ``rows``.
    """
    others = list(rows)
    count = len(others)
    index = {"first": 0, "last": count, "same": instead_of - 1}.get(place)
    if index is None:
        index = min(int(place.rpartition("-")[2]) - 1, count)
    if instead_of:
        del others[instead_of - 1]
        index -= index >= instead_of
    others.insert(index, row)
    return tuple(others), index + 1


def save(row: RoutingRow | StateRow, place: str, seen: str, instead_of: int = 0, table: str = ROUTING) -> int:
    """Store a rule at its place, instead of another if that is given; return its number; errors: ``Changed``."""
    rows = _rows(table, seen, *([instead_of] if instead_of else []))
    stored = {name: value or None for name, value in asdict(row).items()}
    changed, number = placed(rows, stored, place, instead_of)
    _store(table, changed)
    return number


def move(number: int, by: int, seen: str, table: str = ROUTING) -> int:
    """Move a rule by -1 or 1, if it can go there; return its number; errors: ``Changed``."""
    rows = _rows(table, seen, number)
    new = min(max(number + by, 1), len(rows))
    rows.insert(new - 1, rows.pop(number - 1))
    _store(table, rows)
    return new


def delete(number: int, seen: str, table: str = ROUTING) -> None:
    """Delete a rule; one of the routing can be put back until these change; errors: ``Changed``."""
    rows = _rows(table, seen, number)
    row = rows.pop(number - 1)
    _store(table, rows)
    if table == ROUTING:
        IAnnotations(getSite())[KEY] = {"row": row, "number": number, "digest": digest()}


def deleted() -> tuple[int, RoutingRow] | None:
    """Return number and row of the rule that can be put back, or None."""
    kept = IAnnotations(getSite()).get(KEY)
    if not kept or kept["digest"] != digest():
        return None
    return kept["number"], RoutingRow(**filled_in(kept["row"], RoutingRow.__dataclass_fields__))


def in_use(column: str) -> set[str]:
    """Return the values that rules have in a column, that of the one that can be put back included."""
    found = deleted()
    rows = (*settings().iemail_routing, *([found[1]] if found else []))
    return {getattr(row, column) for row in rows} - {""}


def put_back(seen: str) -> int:
    """Put the rule that was deleted last back where it was; return its number; errors: ``Changed``."""
    rows = _rows(ROUTING, seen)
    if deleted() is None:
        raise Changed
    kept = IAnnotations(getSite())[KEY]
    rows.insert(kept["number"] - 1, kept["row"])
    _store(ROUTING, rows)
    del IAnnotations(getSite())[KEY]
    return int(kept["number"])


def _rows(table: str, seen: str, *numbers: int) -> list[dict[str, Any]]:
    """Return copies of the stored rows; errors: ``Changed``, also where one of these numbers is none of theirs."""
    rows = rows_of(table)
    if seen != digest(table=table) or not all(1 <= number <= len(rows) for number in numbers):
        raise Changed
    return rows


def _store(table: str, rows: Iterable[dict[str, Any]]) -> None:
    setattr(stored_settings(), table, list(rows))
