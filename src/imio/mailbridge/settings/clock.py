"""The time zone of the town: that of the site, Brussels where none is set."""

from datetime import date
from datetime import datetime
from imio.mailbridge.i18n import _
from plone import api
from plone.registry.interfaces import IRegistry
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError
from zope.component import getUtility
from zope.i18n import translate


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def site_zone() -> ZoneInfo:
    """Return the time zone of the site."""
    name = getUtility(IRegistry).get("plone.portal_timezone") or "Europe/Brussels"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("Europe/Brussels")


def local_time(time: datetime) -> datetime:
    """Return an aware datetime in the time zone of the site."""
    return time.astimezone(site_zone())


def readable_time(time: datetime) -> str:
    """Return an aware datetime in the time zone and notation of the site."""
    # Without its zone: Plone would turn an aware time into that of the server's own.
    return str(api.portal.get_localized_time(local_time(time).replace(tzinfo=None), long_format=True))


def month_name(day: date, language: str) -> str:
    """Return the name of the month of a day, as it stands in a sentence."""
    name = translate(f"month_{_MONTHS[day.month - 1]}", domain="plonelocales", target_language=language)
    return str(name).lower() if language.partition("-")[0] in ("fr", "nl") else str(name)


def written_date(day: date, language: str) -> str:
    """Return a day as a letter has it (``1er décembre 2026``)."""
    first = day.day == 1 and language.startswith("fr")
    mapping = {
        "day": "1er" if first else str(day.day),
        "month": month_name(day, language),
        "year": str(day.year),
    }
    return str(translate(_("${day} ${month} ${year}", mapping=mapping), target_language=language))
