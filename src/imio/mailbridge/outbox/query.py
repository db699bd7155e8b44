"""Reads the filters of the outbox and finds what they mean, for its page, its export and REST."""

from BTrees.LLBTree import LLSet
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import ORDER
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.store.found import Found
from imio.mailbridge.store.listing import Cell
from imio.mailbridge.store.listing import common
from imio.mailbridge.store.store import key_at
from typing import Any


STATES = (*ORDER, "cancelled")
ORIGINS = ("agent", "site", "notice", "copy", "check")
MAX_TEXT = 200


class BadQuery(ValueError):
    """The filter ``field`` cannot be understood."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class Query:
    """Empty values mean any. ``since`` and ``until`` (exclusive) are aware datetimes; ``text`` is in lower case.

    ``text`` is a whole Message-ID, or beginnings of words of the subject, the author's or a recipient's address.
    """

    state: str = ""
    account: str = ""
    agent: str = ""
    origin: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


def read_query(form: Any) -> Query:
    """Return the ``Query`` of a request's form: ``state``, ``account``, ``agent``, ``origin``, ``from``, ``to`` (days), ``q``.

    Errors: ``BadQuery``.
    """
    texts = {key: _text(form, key) for key in ("state", "account", "agent", "origin", "q")}
    for key, known in (("state", STATES), ("origin", ORIGINS)):
        if texts[key] and texts[key] not in known:
            raise BadQuery(key)
    until = _day(form, "to")
    return Query(
        since=_day(form, "from"),
        until=until and until + timedelta(days=1),
        text=texts.pop("q").lower()[:MAX_TEXT],
        **texts,
    )


def find(query: Query) -> Found:
    """Return the ids of the messages that a query means, the newest first; loads records only where a sweep has yet to read."""
    box = outbox()
    # a key is exclusive, and those of later times are smaller
    low = key_at(query.until) if query.until is not None else None
    high = key_at(query.since) + 1 if query.since is not None else None
    selections = []
    # the list of a user tells the states of what is done, and is of what agents wrote
    is_told = query.agent and query.state not in WAITING and query.origin in ("", "agent")
    if query.account or (not is_told and (query.state or query.origin)):
        cells = box.listing.cells(where=lambda cell: _is_meant(cell, query))
        selections.append(box.listing.of(cells))
    if query.agent:
        own = box.by_user.cells(query.agent, where=lambda cell: not is_told or query.state in ("", cell[1]))
        selections.append(box.by_user.of(own))
    if query.text in box.by_message_id:
        selections.append([LLSet([box.get(box.by_message_id[query.text]).key])])
    elif query.text:
        return box.matching(query.text, *selections, low=low, high=high)
    if not selections:
        return box.everything(low, high)
    if len(selections) == 1 and not (query.agent or query.text):
        return box.in_cells(cells, low, high)
    sets = selections.pop()
    for each in selections:
        sets = [common(sets, each)]
    return Found(box, sets, None, low, high)


def _is_meant(cell: Cell, query: Query) -> bool:
    state, account, origin, *_also = cell
    return query.state in ("", state) and query.account in ("", account) and query.origin in ("", origin)


def _text(form: Any, key: str) -> str:
    value = form.get(key) or ""
    if not isinstance(value, str):
        raise BadQuery(key)
    return value.strip()


def _day(form: Any, key: str) -> datetime | None:
    text = _text(form, key)
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), site_zone())
    except (ValueError, OverflowError):
        raise BadQuery(key) from None
