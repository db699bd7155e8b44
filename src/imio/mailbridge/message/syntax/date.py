"""Reads the dates in header fields (RFC 5322 §3.3)."""

from datetime import datetime
from datetime import UTC
from email.utils import parsedate_to_datetime


#: A year outside means a wrong clock: no mail is older than RFC 822.
_YEARS = range(1982, 2100)


def parse_date(text: str) -> datetime | None:
    """Return an RFC 5322 date, where an unknown zone counts as UTC; None when it is unreadable or implausible."""
    try:
        date = parsedate_to_datetime(text[:200])
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        date.astimezone(UTC)  # the only operation that fails near the years 1 and 9999
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return date if date.year in _YEARS else None
