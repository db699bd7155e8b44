"""Takes a change of the settings back: what it would set back, what stays and why, and does it.

Only what is still as that change left it is set back. In a table whose rows have a name, that is asked of each row: other rows may
have changed since. A table without names is set back as a whole, or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import history
from imio.mailbridge.settings import moved_secrets
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.settings.smtp import why_no_reply_address
from typing import Any
from zope.component.hooks import getSite
from zope.interface import Invalid
from zope.schema import getFields
from zope.schema.interfaces import ConstraintNotSatisfied
from zope.schema.interfaces import ValidationError
import hashlib


#: Tables whose rows have a name of their own → the column that it stands in.
NAMED_ROWS = {
    "smtp_accounts": "name",
    "imap_mailboxes": "name",
    "mailin_addresses": "address",
    "mailboxes": "address",
}

CHANGED_SINCE: str = _("It was changed again since.")
NOT_KEPT: str = _("The former value was not kept in full.")
NO_SETTING: str = _("This setting no longer exists.")
GONE: str = _("The former value names something that no longer exists.")
NOT_VALID = _("The former value can no longer be used: ${problem}")

#: Settings on which it depends whether answers can come home.
_REPLY_ADDRESS = ("own_reply_address", "smtp_accounts", "mailin_addresses")


@dataclass(frozen=True)
class Step:
    """What becomes of one setting: ``after`` in place of ``before``; or nothing, and ``obstacle`` (a msgid) says why.

    ``left`` are the names of rows that stay as they are, since they were changed again.
    """

    setting: str
    before: Any = None
    after: Any = None
    left: tuple[str, ...] = ()
    obstacle: str = ""


def steps(entry: Mapping[str, Any]) -> list[Step]:
    """Return what taking an entry of the history back would do to each of its settings."""
    found = [_step(name, change) for name, change in entry["changes"].items()]
    after = {step.setting: step.after for step in found if not step.obstacle}
    if not (why := _why_no_reply_address(after)) or _why_no_reply_address({}):
        return found
    problem = _(NOT_VALID, mapping={"problem": why})
    return [
        Step(step.setting, step.before, obstacle=problem)
        if step.setting in _REPLY_ADDRESS and not step.obstacle
        else step
        for step in found
    ]


def digest(found: list[Step]) -> str:
    """Return a text that changes with what would be done."""
    return hashlib.sha256(repr(found).encode()).hexdigest()


def set_back(id: str, found: list[Step]) -> None:
    """Do what ``steps`` found for the entry ``id``; what is changed is an entry of the history itself."""
    for step in found:
        if not step.obstacle:
            setattr(stored_settings(), step.setting, step.after)
    history.mark_as_undo(id)


def accounts_without_secret(found: list[Step]) -> list[str]:
    """Return under which names the secrets of accounts are kept that will have none once these steps are done, and need one.

    The steps take them to another server or login, or bring them back: what was kept for them is forgotten then, or was before.
    """
    done = {step.setting: step for step in found if not step.obstacle}
    present = stored_settings()
    own = {name: getattr(present, record) for record, name in moved_secrets.OWN_OWNERS.items()}
    after = {name: done[record].after for record, name in moved_secrets.OWN_OWNERS.items() if record in done}
    changes = [(DEFAULT, own, own | after)] if secrets.source() not in ("environment", "file") else []
    for setting, kept_by in moved_secrets.TABLES.items():
        if setting in done:
            before = {row["name"]: row for row in done[setting].before or ()}
            changes += [
                (kept_by(row["name"]), before.get(row["name"], {}), row) for row in done[setting].after or ()
            ]
    return [name for name, old, new in changes if _needs_secret(name, old, new)]


def _needs_secret(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if not after.get("host") or not after.get("login"):
        return False
    touched = any(before.get(owner) != after.get(owner) for owner in moved_secrets.OWNERS)
    kept = any(secrets.is_kept(name, kind) for kind in secrets.KINDS)
    return touched and (moved_secrets.has_moved(before, after) or not kept)


def _step(name: str, change: Mapping[str, Any]) -> Step:
    fields = getFields(IMailbridgeSettings)
    if name not in fields:
        return Step(name, obstacle=NO_SETTING)
    present = history.plain(getattr(stored_settings(), name))
    old, new = change["old"], change["new"]
    left: tuple[str, ...] = ()
    if change["kept"] != history.WHOLE:
        return Step(name, present, obstacle=NOT_KEPT)
    if present != new:
        if name not in NAMED_ROWS:
            return Step(name, present, obstacle=CHANGED_SINCE)
        old, left = merged(old or [], new or [], present or [], NAMED_ROWS[name])
        if old == present:
            return Step(name, present, obstacle=CHANGED_SINCE)
    problem = _problem(fields[name], old)
    return Step(name, present, obstacle=problem) if problem else Step(name, present, old, left)


def merged(
    old: list[dict[str, Any]], new: list[dict[str, Any]], present: list[dict[str, Any]], key: str
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the rows of ``present`` with what changed from ``old`` to ``new`` set back, and the names of rows that stay.

    A row stays where it is not what it is in ``new``, and where it has no name of its own.
    """
    if not all(isinstance(row, dict) and key in row for row in (*old, *new, *present)):
        return present, ()
    was, became, now = ({row[key]: row for row in rows} for rows in (old, new, present))
    if [len(was), len(became), len(now)] != [len(old), len(new), len(present)]:
        return present, ()
    changed = [name for name in was | became if was.get(name) != became.get(name)]
    left = tuple(name for name in changed if now.get(name) != became.get(name))
    rows = []
    for row in present:
        if row[key] not in changed or row[key] in left:
            rows.append(row)
        elif row[key] in was:
            rows.append(was[row[key]])
    for place, row in enumerate(old):
        if row[key] in changed and row[key] not in left and row[key] not in now:
            rows.insert(place, row)
    return rows, left


def _problem(field: Any, value: Any) -> str:
    """Return why a value cannot be written any more (a msgid), or an empty string."""
    problem: str = ""
    try:
        if value != field.missing_value:
            field.bind(getSite()).validate(value)
    except (Invalid, ValueError) as error:
        inner = _innermost(error)
        if isinstance(inner, ConstraintNotSatisfied):
            return GONE
        words = inner.doc() if isinstance(inner, ValidationError) else (inner.args or (str(inner),))[0]
        problem = _(NOT_VALID, mapping={"problem": words})
    return problem


def _innermost(error: Exception) -> Exception:
    """Return the error of a row that hides in that of its table."""
    first = error.args[0] if error.args else None
    while isinstance(first, list | tuple) and first:
        first = first[-1] if isinstance(first, tuple) else first[0]
    return _innermost(first) if isinstance(first, Exception) else error


def _why_no_reply_address(after: Mapping[str, Any]) -> str:
    """Return why answers that are to come home can come to no address, with these settings in place of the present ones."""
    values = {name: after.get(name, getattr(stored_settings(), name)) for name in _REPLY_ADDRESS}
    wanted = values["own_reply_address"] or any(
        row.get("own_reply_address") for row in values["smtp_accounts"] or ()
    )
    return (
        why_no_reply_address([row["address"] for row in values["mailin_addresses"] or ()]) if wanted else ""
    )
