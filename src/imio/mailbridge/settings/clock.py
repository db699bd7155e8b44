"""The time zone of the town: that of the site, Brussels where none is set."""

from datetime import datetime
from plone.registry.interfaces import IRegistry
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError
from zope.component import getUtility


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
