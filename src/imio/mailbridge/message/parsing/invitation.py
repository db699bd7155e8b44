"""Reads summary, time and place of the appointments in a calendar part (RFC 5545), with icalendar."""

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from icalendar import Calendar
from imio.mailbridge.message.syntax.limits import TooComplex
from typing import Any
import re


MAX_SIZE = 200_000
MAX_COMPONENTS = 500
MAX_EVENTS = 20
#: A rule of a time zone as calendars write it: some days a year. icalendar expands all days of a rule until 2038.
_YEARLY = re.compile(
    r"RRULE:FREQ=YEARLY(?:;(?:INTERVAL=\d{1,3}|COUNT=\d{1,4}|BYMONTH=\d{1,2}|BYDAY=[+-]?\d?[A-Z]{2}|UNTIL=[0-9TZ]{8,16}"
    r"|BYMONTHDAY=[\d,-]{1,20}|WKST=[A-Z]{2}))*",
    re.IGNORECASE,
)
_MAX_ZONE_LINES = 200
_MAX_RULES = 12


@dataclass(frozen=True)
class Invitation:
    """An appointment; a missing property is empty or None. A time without offset is that of the place.

    ``method`` is ``REQUEST``, ``CANCEL``, ``REPLY`` or another one, or empty; of a reply, ``answer`` is the participation status
    (RFC 5545 §3.2.12) and ``attendee`` who gives it.
    """

    summary: str
    start: date | None
    end: date | None
    place: str
    method: str
    answer: str = ""
    attendee: str = ""

    def as_data(self) -> dict[str, str]:
        """Return plain data that JSON and databases keep."""
        times = {
            name: time.isoformat() if time else ""
            for name, time in (("start", self.start), ("end", self.end))
        }
        return {**asdict(self), **times}

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> "Invitation":
        """Return the appointment that ``as_data`` described."""
        start, end = map(_time, (data["start"], data["end"]))
        return cls(**{**data, "start": start, "end": end})  # type: ignore[arg-type]


def _time(text: str) -> date | None:
    if not text:
        return None
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def read_invitations(text: str) -> tuple[Invitation, ...]:
    """Return the appointments of a calendar; none when it cannot be read. Errors: ``TooComplex``."""
    if len(text) > MAX_SIZE or text.upper().count("BEGIN:") > MAX_COMPONENTS:
        raise TooComplex("calendar")
    try:
        calendar = Calendar.from_ical(_with_plain_zones(text))
        method = _line(calendar.get("METHOD"))[:20].upper()
        return tuple(_invitation(event, method) for event in calendar.walk("VEVENT")[:MAX_EVENTS])
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - of a library on hostile input
        return ()


def _invitation(event: Any, method: str) -> Invitation:
    start, end = (_property_time(event, name) for name in ("DTSTART", "DTEND"))
    if start is not None and end is None and "DURATION" in event:
        end = start + event["DURATION"].dt
    attendees = event.get("ATTENDEE") or []
    attendee = attendees[0] if isinstance(attendees, list) and attendees else attendees
    answer = who = ""
    if method != "REPLY" and _line(event.get("STATUS")).upper() == "CANCELLED":
        method = "CANCEL"
    if method == "REPLY" and attendee:
        answer = _line(attendee.params.get("PARTSTAT"))[:20].upper()
        who = _line(attendee.params.get("CN")) or _line(attendee).removeprefix("mailto:").removeprefix(
            "MAILTO:"
        )
    return Invitation(
        _line(event.get("SUMMARY")), start, end, _line(event.get("LOCATION")), method, answer, who
    )


def _line(value: Any) -> str:
    return " ".join(str(value or "").split())[:300]


def _property_time(event: Any, name: str) -> date | None:
    time = event[name].dt if name in event else None
    return time if isinstance(time, date) else None


def _with_plain_zones(text: str) -> str:
    """Return the calendar without the definitions of time zones that no calendar program writes: a name may tell the zone."""
    kept: list[str] = []
    zone: list[str] | None = None
    for line in text.splitlines():
        word = line.strip().upper()
        if word == "BEGIN:VTIMEZONE":
            zone = []
        if zone is None:
            kept.append(line)
            continue
        zone.append(line)
        if word == "END:VTIMEZONE":
            kept += zone if _is_plain(zone) else ()
            zone = None
    return "\r\n".join(kept) + "\r\n"


def _is_plain(zone: list[str]) -> bool:
    """Tell whether a definition has offsets, and only rules that are quick to expand; a folded line may hide another."""
    if not 3 < len(zone) < _MAX_ZONE_LINES or any(line.startswith((" ", "\t")) for line in zone):
        return False
    repeats = [line.strip() for line in zone if line.lstrip()[:5].upper() in ("RRULE", "RDATE")]
    return len(repeats) <= _MAX_RULES and all(
        _YEARLY.fullmatch(line) or line.upper().startswith("RDATE") for line in repeats
    )
