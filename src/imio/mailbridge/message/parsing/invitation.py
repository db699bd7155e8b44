"""Reads summary, time and place of the appointments in a calendar part (RFC 5545), with icalendar."""

from dataclasses import dataclass
from datetime import date
from icalendar import Calendar
from typing import Any


MAX_SIZE = 200_000
MAX_EVENTS = 20


@dataclass(frozen=True)
class Invitation:
    """An appointment; a missing property is empty or None. ``method`` is ``REQUEST``, ``CANCEL``, ``REPLY`` or empty."""

    summary: str
    start: date | None
    place: str
    method: str


def _start(event: Any) -> date | None:
    start = event["DTSTART"].dt if "DTSTART" in event else None
    return start if isinstance(start, date) else None


def read_invitations(text: str) -> tuple[Invitation, ...]:
    """Return the appointments of a calendar; none when it cannot be read. Never fails."""
    if len(text) > MAX_SIZE or text.count("BEGIN:") > 500:
        return ()
    try:
        calendar = Calendar.from_ical(text)
        events = list(calendar.walk("VEVENT"))[:MAX_EVENTS]
        method = str(calendar.get("METHOD") or "")[:20]
        return tuple(
            Invitation(
                " ".join(str(event.get("SUMMARY") or "").split())[:300],
                _start(event),
                " ".join(str(event.get("LOCATION") or "").split())[:300],
                method,
            )
            for event in events
        )
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return ()
