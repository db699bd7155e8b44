"""What becomes of the mail settings that iA.docs had before the bridge: a decision on each of them, which writes nothing.

The rows of the routing keep their order and come after the rules that the site has. A row that cannot be taken over is left out;
what it stood in the way of is then decided by the rows after it, which the preview says.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.delivery import BCC
from imio.mailbridge.settings.old_condition import both
from imio.mailbridge.settings.old_condition import CannotSay
from imio.mailbridge.settings.old_condition import condition
from imio.mailbridge.settings.old_signature import rewritten
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.routing import Condition
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from typing import Any
import re


TAKEN, SAME, REFUSED = "taken", "same", "refused"
#: Rows of a table.
MAX_ROWS = 300
#: Characters of a pattern.
MAX_PATTERN = 1000

_FORWARD = {"agent": "agent", "server": "server"}
_SPECIAL_USERS = frozenset(("_empty_", "_transferer_"))
_SERVICES = {"_unigroup_only_": "_uni_org_only_"}
_SPECIAL_SERVICES = frozenset(("_empty_", "_primary_org_", "_hp_", "_uni_org_only_"))
_LEVELS = frozenset(("_n_plus_h_", "_n_plus_l_", "n_plus_h", "n_plus_l"))
#: ``iemail_manual_forward_transition``, which the rows of the states replaced → state.
_STATES = {"created": "created", "manager": "proposed_to_manager", "agent": "proposed_to_agent"}
_WHOLE = re.compile(r".*(?:\$|\.[*+]|@[^@|]*\.[A-Za-z]{2,}\)?)", re.DOTALL)

NOT_A_VALUE = _("This is not a value that this setting could have.")
REWRITTEN = _(
    "It is written with the names of the bridge. A phone number appears as it was entered. Compare the example with the old "
    "signature."
)
LEVELS = _(
    "The state followed from the levels of validation of the service, which a rule of the states does not know. Choose a state."
)


@dataclass(frozen=True)
class Site:
    """What the site has: userids of agents, uids of services, uids of those that have an address, ids of states.

    ``problem`` returns why a setting or the field of a row cannot have a value (a msgid), or an empty string.
    """

    users: Collection[str]
    services: Collection[str]
    services_with_address: Collection[str]
    states: Collection[str]
    problem: Callable[[str, Any], str]


@dataclass(frozen=True)
class Line:
    """What becomes of an old setting, or of row ``number`` of one (which counts from 1).

    ``changes`` are the settings that it gives, ``row`` the row. ``text`` says what becomes of it or why it cannot be taken over,
    ``notes`` what is different then: all msgids.
    """

    name: str
    value: Any
    outcome: str
    text: str = ""
    number: int = 0
    changes: tuple[tuple[str, Any], ...] = ()
    row: Condition | None = None
    notes: tuple[str, ...] = ()


class _Refused(Exception):
    """It cannot be taken over; the argument says why (a msgid)."""


def lines(records: Mapping[str, Any], present: Settings, site: Site) -> list[Line]:
    """Return what becomes of each record under the present settings."""
    found: list[Line] = []
    for name, value in records.items():
        if name in _TABLES:
            found += _rows(name, value, present, site)
        elif name == "iemail_manual_forward_transition":
            found.append(_manual_forward(name, value, present, site, "iemail_state_set" in records))
        else:
            found.append(_single(name, value, present, site))
    return found


def changes(found: list[Line], present: Settings) -> dict[str, Any]:
    """Return the settings to write: name → value as the registry keeps it."""
    values = {name: value for line in found if line.outcome == TAKEN for name, value in line.changes}
    for setting in ("iemail_routing", "iemail_state_set"):
        kind = StateRow if setting == "iemail_state_set" else RoutingRow
        new = [line.row for line in found if line.outcome == TAKEN and isinstance(line.row, kind)]
        if new:
            values[setting] = [
                {name: value or None for name, value in asdict(row).items()}
                for row in (*getattr(present, setting), *new)
            ]
    return values


# one value


def _single(name: str, value: Any, present: Settings, site: Site) -> Line:
    try:
        text, given, notes = _VALUES[name](value, site)
        for setting, new in given.items():
            if problem := site.problem(setting, new):
                raise _Refused(problem)
    except _Refused as refused:
        return Line(name, value, REFUSED, refused.args[0])
    new = {setting: each for setting, each in given.items() if _present(present, setting) != _plain(each)}
    if not new:
        return Line(name, value, SAME, text)
    return Line(name, value, TAKEN, text, changes=tuple(new.items()), notes=notes)


def _present(present: Settings, setting: str) -> Any:
    account = present.default_account
    return _plain(account.sender_policy if setting == "sender_policy" else getattr(present, setting))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Refused(_("This is neither yes nor no."))
    return value


def _policy(value: Any, _site: Site) -> Any:
    if _yes_or_no(value):
        text = _("The login address sends, and answers go to the agent.")
        return text, {"sender_policy": "login", "reply_to_agent": True}, ()
    note = _("The mail server must allow it. The page Send as tries it for an address.")
    return _("The agent's own address sends."), {"sender_policy": "send_as"}, (note,)


def _sender(value: Any, site: Site) -> Any:
    if value == "agent_email":
        return _("The agent's own address comes first when an e-mail is written."), {}, ()
    if value != "service_email":
        raise _Refused(NOT_A_VALUE)
    if not site.services_with_address:
        raise _Refused(
            _("No service of this site has an e-mail address. Enter it in the contacts, then import again.")
        )
    note = _("The agent's own address comes first; the agent chooses the service when the e-mail is written.")
    text = _(
        "Agents may send from the address of their service. Services that have one: ${count}",
        mapping={"count": str(len(site.services_with_address))},
    )
    return text, {"service_senders": sorted(site.services_with_address)}, (note,)


def _blind_copies(value: Any, _site: Site) -> Any:
    values = value or []
    if not isinstance(values, list) or not all(
        isinstance(each, str) and each in BCC.by_value for each in values
    ):
        raise _Refused(NOT_A_VALUE)
    if not values:
        return _("No blind copies by default."), {"bcc_default": []}, ()
    both_of_them = len(set(values)) == 2
    text = (
        _("Blind copies by default: the agent's own address and that of the service.")
        if both_of_them
        else _("Blind copies by default: the agent's own address.")
        if "agent_email" in values
        else _("Blind copies by default: the address of the agent's service.")
    )
    return text, {"bcc_default": sorted(set(values))}, ()


def _close(value: Any, _site: Site) -> Any:
    if _yes_or_no(value):
        note = _("It now runs once the server has accepted the message for all recipients, no longer before.")
        return _("The document is marked as sent once it is e-mailed."), {"close_on_send": True}, (note,)
    return _("The document stays as it is when it is e-mailed."), {"close_on_send": False}, ()


def _signature(value: Any, _site: Site) -> Any:
    if not value:
        return _("There was no signature: that of the bridge stays as it is."), {}, ()
    if not isinstance(value, str):
        raise _Refused(NOT_A_VALUE)
    if not all(each.isprintable() or each in "\r\n\t" or each.isspace() for each in value):
        raise _Refused(_("This text contains characters that cannot be printed."))
    template, left = rewritten(value)
    if left:
        raise _Refused(
            _(
                "It uses ${names} of the old iA.docs. Rewrite it in the settings, under Signature.",
                mapping={"names": ", ".join(left)},
            )
        )
    text = _("It becomes the signature below each new e-mail.")
    return text, {"signature": template}, (REWRITTEN,) if template != value else ()


_VALUES: dict[str, Callable[[Any, Site], Any]] = {
    "omail_replyto_email_send": _policy,
    "omail_sender_email_default": _sender,
    "omail_bcc_email_default": _blind_copies,
    "omail_close_on_email_send": _close,
    "omail_email_signature": _signature,
}


# rows


def _rows(name: str, value: Any, present: Settings, site: Site) -> Iterator[Line]:
    if value in (None, []):
        yield Line(name, value, SAME, _("There were no rows: the rules of the bridge stay as they are."))
        return
    if not isinstance(value, list):
        yield Line(name, value, REFUSED, _("These are not rows."))
        return
    if len(value) > MAX_ROWS:
        yield Line(
            name, None, REFUSED, _("There are more than ${count} rows.", mapping={"count": str(MAX_ROWS)})
        )
        return
    known = list(getattr(present, name))
    left_out: list[str] = []
    for number, row in enumerate(value, 1):
        try:
            new, notes = _TABLES[name](row, site)
        except (_Refused, CannotSay) as error:
            left_out.append(str(number))
            yield Line(name, row, REFUSED, error.args[0], number)
            continue
        if new in known:
            yield Line(name, row, SAME, number=number, row=new)
            continue
        if left_out:
            mapping = {"numbers": ", ".join(left_out)}
            notes.append(
                _(
                    "Rows left out before this one: ${numbers}. It may decide about their mail now.",
                    mapping=mapping,
                )
            )
            left_out = []
        known.append(new)
        yield Line(name, row, TAKEN, number=number, row=new, notes=tuple(notes))


def _conditions(row: Any, site: Site) -> tuple[dict[str, str], list[str]]:
    """Return the values of ``Condition``, and notes."""
    if not isinstance(row, dict) or not all(isinstance(each, str | None) for each in row.values()):
        raise _Refused(_("This is not a row of the routing."))
    given = {key: (text or "").strip() for key, text in row.items()}
    forward = _FORWARD.get(given.get("forward", "").lower())
    if forward is None:
        raise _Refused(_("It does not say whether an agent or the server forwarded the e-mail."))
    notes: list[str] = []
    values = {"forward": forward}
    for name in ("transfer_email_pat", "original_email_pat"):
        values[name], changed = _pattern(given.get(name, ""))
        if changed:
            notes.append(
                _(
                    "The beginning of an address was enough. The whole address counts now, hence the .* at the end: ${pattern}",
                    mapping={"pattern": values[name]},
                )
            )
    if forward == "server" and values["transfer_email_pat"]:
        notes.append(_("The pattern of who forwarded is compared with the address of the mailbox."))
    values["tal_condition_1"] = condition(given.get("tal_condition_1") or given.get("tal_condition") or "")
    for name, text in values.items():
        if not text.isprintable():
            raise _Refused(_("This text contains characters that cannot be printed."))
        if text and (problem := site.problem(name, text)):
            raise _Refused(problem)
    return values, notes


def _pattern(pattern: str) -> tuple[str, bool]:
    """Return the pattern of a whole address for one that matched the beginning, and whether it had to be changed."""
    if len(pattern) > MAX_PATTERN:
        raise _Refused(_("The pattern is too long."))
    if not pattern or _WHOLE.fullmatch(pattern):
        return pattern, False
    return (f"(?:{pattern}).*" if "|" in pattern else f"{pattern}.*"), True


def _route(row: Any, site: Site) -> tuple[RoutingRow, list[str]]:
    values, notes = _conditions(row, site)
    values["tal_condition_1"] = both(values["tal_condition_1"], condition(row.get("tal_condition_2") or ""))
    user = row.get("user_value") or "_empty_"
    service = row.get("tg_value") or "_empty_"
    service = _SERVICES.get(service, service)
    if user not in _SPECIAL_USERS and user not in site.users:
        raise _Refused(_("There is no agent “${name}” in this site.", mapping={"name": user[:100]}))
    if service not in _SPECIAL_SERVICES and service not in site.services:
        raise _Refused(
            _("There is no service with the identifier ${uid} in this site.", mapping={"uid": service[:100]})
        )
    if service == "_empty_":
        notes.append(
            _("No service was set; that of the mailbox or of the mail-in address now handles the mail.")
        )
    return RoutingRow(**values, user_value=user, tg_value=service), notes


def _state(row: Any, site: Site) -> tuple[StateRow, list[str]]:
    values, notes = _conditions(row, site)
    return StateRow(**values, state_value=_known_state(row.get("state_value"), site)), notes


def _known_state(state: Any, site: Site) -> str:
    if state in _LEVELS:
        raise _Refused(LEVELS)
    if not isinstance(state, str) or state not in site.states:
        raise _Refused(
            _("An incoming e-mail has no state “${name}” in this site.", mapping={"name": str(state)[:100]})
        )
    return state


_TABLES: dict[str, Callable[[Any, Site], tuple[Any, list[str]]]] = {
    "iemail_routing": _route,
    "iemail_state_set": _state,
}


def _manual_forward(name: str, value: Any, present: Settings, site: Site, replaced: bool) -> Line:
    if replaced:
        return Line(name, value, SAME, _("The rows of the states had replaced it: it is left aside."))
    try:
        if not isinstance(value, str) or value not in {*_STATES, *_LEVELS}:
            raise _Refused(NOT_A_VALUE)
        row = StateRow(forward="agent", state_value=_known_state(_STATES.get(value, value), site))
    except _Refused as refused:
        return Line(name, value, REFUSED, refused.args[0])
    outcome = SAME if row in present.iemail_state_set else TAKEN
    return Line(name, value, outcome, row=row)
