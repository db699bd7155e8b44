"""Reads dates as mail programs write them: in header fields, and in many languages into forwarded text."""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo
from datetime import UTC
from functools import cache
from imio.mailbridge.message.syntax.calendar_words import HALF_DAYS
from imio.mailbridge.message.syntax.calendar_words import MONTHS
from imio.mailbridge.message.syntax.calendar_words import ZONES
from imio.mailbridge.message.syntax.fold import fold
from typing import NamedTuple
from zoneinfo import ZoneInfo
import re


#: Where the caller does not know the zone of the town.
TOWN_ZONE = ZoneInfo("Europe/Brussels")

#: A year outside means a wrong clock: no mail is older than RFC 822.
_YEARS = range(1982, 2100)
_MONTHS = {
    beginning: number
    for row in MONTHS.values()
    for number, beginnings in enumerate(row.split(), 1)
    for beginning in beginnings.split("|")
}
_LONGEST = max(map(len, _MONTHS))


def _letters(word: str) -> str:
    return r"\.?\s?".join(word)


_WORD = r"[^\W\d_]{2,12}"
_DE = re.compile(rf"\b(\d{{1,2}}) (?:de|di) ({_WORD})\.?(?: del?)? (\d{{4}})\b")
_ASCTIME = re.compile(rf"\b({_WORD}) (\d{{1,2}}) (\d\d?:\d\d(?::\d\d)?) ((?:[a-z]{{2,5}} )?)(\d{{4}})\b")
_ISO_TIME = re.compile(r"\b(\d{4}-\d{2}-\d{2})t(\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)")
_RFC5322 = re.compile(
    r"(?:[a-z]{2,9}\.? ?,? ?)?(\d{1,2})[ -](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}[ -](\d{2,4}),? "
    r"(?=\d{1,2}[:.]\d{2})"
)
_NAMED = re.compile(rf"\b(\d{{1,2}})(?:er|st|nd|rd|th|e|ο)?[.,]?[ -]({_WORD})[.,]?[ -](\d{{4}})\b")
_AMERICAN = re.compile(rf"\b({_WORD})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b")
_YEAR_FIRST = re.compile(rf"\b(\d{{4}})\. ({_WORD})\.? (\d{{1,2}})\b")
_ISO = re.compile(r"\b(\d{4})[-./]\s?(\d{1,2})[-./]\s?(\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"\b(\d{1,2})[/.-]\s?(\d{1,2})[/.-]\s?(\d{4}|\d{2})\b")
_BEFORE_NOON = "|".join(_letters(before) for before, _after in HALF_DAYS)
_AFTER_NOON = "|".join(_letters(after) for _before, after in HALF_DAYS)
_TIME = re.compile(
    r"\b(\d{1,2})(?:[:.]|\s?h\s?)(\d{2})(?:[:.](\d{2}))?(?:[.,]\d{1,9})?"
    rf"(?:\s?(?:(?P<before>{_BEFORE_NOON})|(?P<after>{_AFTER_NOON}))(?!\w)\.?)?"
)
_OFFSET = re.compile(r"(?:^|[\s(])(?:(?:utc|gmt)\s?)?([+\-\u2212])(\d{1,2})(?:[:.]?(\d{2}))?(?!\d)")
_ZONE = re.compile(
    rf"(?<![\w/+-])({'|'.join(map(re.escape, sorted(ZONES, key=len, reverse=True)))})(?![\w/+-])"
)
_COMMENT = re.compile(r"\([^()]*\)?")
_MAX_LENGTH = 200
_MAX_MINUTES = 15 * 60


@dataclass(frozen=True)
class ReadDate:
    """``at`` is aware, or None; ``guess`` is the code of a ``Doubt``, or empty."""

    at: datetime | None
    guess: str = ""


class _Fields(NamedTuple):
    day: tuple[int, int, int]
    time: tuple[int, int, int]
    after: str
    """The text after the time, where a zone stands."""
    swapped: tuple[int, int, int] | None
    """The other reading of a day in numbers."""
    half_day: bool


def parse_date(text: str, zone: tzinfo | None = None) -> ReadDate:
    """Return the date in a Date field. It is None where it cannot be read, is implausible, or names a zone that is not known.

    Where it names no zone, that of the town on that day is taken: ``zone``, or ``TOWN_ZONE``.
    """
    plain = fold(text[:_MAX_LENGTH])
    match = _RFC5322.match(plain)
    if match is not None:
        hour, minute, second, after, _half = _time(plain[match.end() :])
        year = int(match[3])
        if len(match[3]) < 4:  # RFC 5322 §4.3
            year += 2000 if year < 50 else 1900
        day = year, _MONTHS[match[2]], int(match[1])
        return _read(day, (hour, minute, second), after, zone, "date-unreadable", "")
    fields = _fields(plain)
    if fields is None:
        return ReadDate(None, "date-unreadable")
    return _read(fields.day, fields.time, fields.after, zone, "date-unreadable", "date-guessed")


def parse_written_date(text: str, zone: tzinfo | None = None, latest: datetime | None = None) -> ReadDate:
    """Return the date in a line of forwarded text; None where it cannot be read.

    Numbers are read day first, but not when that is later than ``latest``, the date of the forward. Where no zone that is known is
    named, ``zone`` is taken, or ``TOWN_ZONE``.
    """
    plain = fold(text[:_MAX_LENGTH])
    fields = _fields(plain)
    if fields is None:
        return ReadDate(None, "date-unreadable" if plain else "date-missing")
    # Who writes AM and PM often writes the month first.
    guess = "date-guessed" if fields.swapped and fields.half_day else ""
    found = _read(fields.day, fields.time, fields.after, zone, "", guess)
    if fields.swapped and latest is not None and found.at is not None and found.at > latest:
        other = _read(fields.swapped, fields.time, fields.after, zone, "", "date-guessed")
        if other.at is not None and other.at <= latest:
            return other
    return found


def _read(
    day: tuple[int, int, int],
    time: tuple[int, int, int],
    after: str,
    town: tzinfo | None,
    unknown_zone: str,
    guess: str,
) -> ReadDate:
    """Return the date of its fields; ``unknown_zone`` is the code for a zone that is not known, empty to take that of the town."""
    zone = _zone(after)
    if zone is None:
        if unknown_zone and _COMMENT.sub("", after).strip(" .,)"):
            return ReadDate(None, unknown_zone)
        guess = guess or "zone-guessed"
    try:
        at = datetime(*day, *time, tzinfo=zone or town or TOWN_ZONE)
        at.astimezone(UTC)  # the only operation that fails near the years 1 and 9999
    except (ValueError, OverflowError):
        return ReadDate(None, "date-unreadable")
    return ReadDate(at, guess) if at.year in _YEARS else ReadDate(None, "date-unreadable")


def _fields(plain: str) -> _Fields | None:
    plain = _DE.sub(r"\1 \2 \3", plain)  # 16 de noviembre de 2026
    plain = _ISO_TIME.sub(r"\1 \2 ", _ASCTIME.sub(r"\2 \1 \5 \3 \4", plain))
    for pattern, order in (
        (_NAMED, (2, 1, 0)),
        (_AMERICAN, (2, 0, 1)),
        (_YEAR_FIRST, (0, 1, 2)),
        (_ISO, (0, 1, 2)),
        (_NUMBERS, (2, 1, 0)),
        (_NUMBERS, (2, 0, 1)),
    ):
        for match in pattern.finditer(plain):
            year, month, day = (match[index + 1] for index in order)
            number = int(month) if month.isdigit() else _month(month)
            if number is None or not 1 <= number <= 12:
                continue
            full_year = int(year) + (2000 if len(year) == 2 else 0)
            rest = plain[match.end() :]
            hour, minute, second, after, half = _time(rest if _TIME.search(rest) else plain[: match.start()])
            swapped = (full_year, int(day), number) if pattern is _NUMBERS and int(day) <= 12 else None
            return _Fields((full_year, number, int(day)), (hour, minute, second), after, swapped, half)
    return None


def _month(word: str) -> int | None:
    lengths = range(min(len(word), _LONGEST), 1, -1)
    return next((_MONTHS[word[:length]] for length in lengths if word[:length] in _MONTHS), None)


def _time(text: str) -> tuple[int, int, int, str, bool]:
    match = _TIME.search(text)
    if match is None:
        return 0, 0, 0, "", False
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    half = bool(match["before"] or match["after"])
    if half and hour <= 12:
        hour = hour % 12 + (12 if match["after"] else 0)
    return hour, minute, second, text[match.end() :], half


def _zone(text: str) -> tzinfo | None:
    if match := _OFFSET.search(text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes < _MAX_MINUTES:
            return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))
        return None
    named = _ZONE.search(text)
    return _known_zone(named[1]) if named else None


@cache
def _known_zone(name: str) -> tzinfo:
    zone = ZONES[name]
    return ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(hours=zone))
