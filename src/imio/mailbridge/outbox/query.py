"""Reads the filters of the outbox and finds what they mean, for its page, its export and REST."""

from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.outbox.states import ORDER
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.store.store import Key
from typing import Any
import heapq


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

    ``text`` is a whole Message-ID, or a part of the author's or a recipient's address or of the subject.
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


def find(query: Query) -> list[str]:
    """Return the ids of the messages that a query means, the newest first. Records are loaded only for what no index answers."""
    box = outbox()
    if query.text in box.by_message_id:
        ids = [box.by_message_id[query.text]]
        return [id for id in ids if _fits(box.get(id), query, whole=True)]
    if query.agent:
        trees = [box.by_user[query.agent]] if query.agent in box.by_user else []
    else:
        states = [query.state] if query.state else box.listing
        trees = [box.listing[state] for state in states if state in box.listing]
    low, high = (_key(query.since), _key(query.until))
    found = heapq.merge(*(reversed(list(tree.keys(low, high))) for tree in trees), reverse=True)
    ids = [id for _created, id in found]
    if query.account or query.origin or query.text or (query.agent and query.state):
        return [id for id in ids if _fits(box.get(id), query)]
    return ids


def _fits(record: OutgoingMessage, query: Query, whole: bool = False) -> bool:
    """Tell whether a record passes the filters; ``whole``: also those that an index answers."""
    created = record.created
    return (
        (not query.state or record.state == query.state)
        and (not query.account or record.account == query.account)
        and (not query.origin or record.origin == query.origin)
        and (whole or not query.text or _mentions(record, query.text))
        and (not whole or not query.agent or (record.userid == query.agent and record.origin == "agent"))
        and (not whole or query.since is None or created >= query.since)
        and (not whole or query.until is None or created < query.until)
    )


def _mentions(record: OutgoingMessage, text: str) -> bool:
    return (
        text in record.subject.lower()
        or text in record.sender.author.addr_spec.lower()
        or any(text in address.lower() for address in record.recipients)
    )


def _key(at: datetime | None) -> Key | None:
    """Return the smallest key of a store at a time, or None."""
    return (at.astimezone(UTC).isoformat(), "") if at is not None else None


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
