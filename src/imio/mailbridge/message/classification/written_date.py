"""Reads the dates that mail programs write into forwarded text, in seven languages."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo
from datetime import UTC
from imio.mailbridge.message.syntax.date import parse_date
import re
import unicodedata


#: Beginnings of month names without accents; longer ones first, so that "juil" is not "jui".
_MONTHS = {
    "janv": 1, "janu": 1, "jan": 1, "fevr": 2, "febr": 2, "feb": 2, "fev": 2, "mars": 3, "maart": 3, "marz": 3,
    "maerz": 3, "march": 3, "mar": 3, "mrt": 3, "mrz": 3, "avr": 4, "apr": 4, "mai": 5, "may": 5, "mei": 5,
    "juin": 6, "juni": 6, "june": 6, "jun": 6, "juil": 7, "juli": 7, "july": 7, "jul": 7, "aout": 8, "aug": 8,
    "sept": 9, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12,
    "ene": 1, "gen": 1, "marc": 3, "abr": 4, "mag": 5, "giu": 6, "lug": 7, "ago": 8, "set": 9, "ott": 10, "out": 10, "dic": 12,
}  # fmt: skip
_WORD = "[a-z]{3,10}"
_DE = re.compile(rf"\b(\d{{1,2}}) de ({_WORD})\.?(?: del?)? (\d{{4}})\b")
_NAMED = re.compile(rf"\b(\d{{1,2}})(?:er|st|nd|rd|th|e)?[.,]?[ -]({_WORD})[.,]?[ -](\d{{4}})\b")
_AMERICAN = re.compile(rf"\b({_WORD})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})(?!\d)")
_NUMBERS = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b")
_TIME = re.compile(r"\b(\d{1,2})(?:[:.]|\s?h\s?)(\d{2})(?:[:.](\d{2}))?(?:\s?([ap])\.?\s?m\b)?")
_OFFSET = re.compile(r"(?:^|[\s(])(?:(?:utc|gmt)\s?)?([+-])(\d{1,2})(?::?(\d{2}))?\)?(?:\s|$)")
_EXACT = re.compile(r"\s[+-]\d{4}\b")
#: Hours before UTC of the zones that programs name in Western Europe.
_ZONES = {"utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2}
_ZONE = re.compile(rf"\b({'|'.join(_ZONES)})\b")
_MAX_LENGTH = 120


def parse_written_date(text: str, assumed_zone: tzinfo | None) -> datetime | None:
    """Return the date and time, or None.

    When the text names no zone it is read in ``assumed_zone`` (UTC if None), that of the person who forwarded. Numbers are
    read day first.
    """
    if (exact := parse_date(text)) is not None and _EXACT.search(text):
        return exact
    plain = _DE.sub(r"\1 \2 \3", _plain(text[:_MAX_LENGTH]))  # 16 de noviembre de 2026
    day = _day(plain)
    if day is None:
        return None
    (year, month, date), rest = day
    hour, minute, second, after = _time(rest)
    zone = _zone(after) or assumed_zone or UTC
    try:
        written = datetime(year, month, date, hour, minute, second, tzinfo=zone)
        written.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return written if 1982 <= year < 2100 else None


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _month(word: str) -> int | None:
    return next((_MONTHS[word[:length]] for length in (5, 4, 3) if word[:length] in _MONTHS), None)


def _day(text: str) -> tuple[tuple[int, int, int], str] | None:
    for pattern, order in (
        (_NAMED, (2, 1, 0)),
        (_AMERICAN, (2, 0, 1)),
        (_ISO, (0, 1, 2)),
        (_NUMBERS, (2, 1, 0)),
        (_NUMBERS, (2, 0, 1)),
    ):
        for match in pattern.finditer(text):
            year, month, day = (match[index + 1] for index in order)
            number = int(month) if month.isdigit() else _month(month)
            if number is None or not 1 <= number <= 12:
                continue
            full_year = int(year) + (2000 if len(year) == 2 else 0)
            rest = text[match.end() :]
            return (full_year, number, int(day)), rest if _TIME.search(rest) else text[: match.start()]
    return None


def _time(text: str) -> tuple[int, int, int, str]:
    match = _TIME.search(text)
    if match is None:
        return 0, 0, 0, ""
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4] and hour <= 12:
        hour = hour % 12 + (12 if match[4] == "p" else 0)
    return hour, minute, second, text[match.end() :]


def _zone(text: str) -> tzinfo | None:
    if match := _OFFSET.search(text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if len(match[2]) <= 2 and minutes < 15 * 60:
            return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    named = _ZONE.search(text)
    return timezone(timedelta(hours=_ZONES[named[1]])) if named else None
