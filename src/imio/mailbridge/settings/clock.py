"""The time zone of the town: that of the site, Brussels where none is set."""

from datetime import datetime
from plone import api
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


def readable_time(time: datetime) -> str:
    """Return an aware datetime in the time zone and notation of the site."""
    # Without its zone: Plone would turn an aware time into that of the server's own.
    return str(api.portal.get_localized_time(local_time(time).replace(tzinfo=None), long_format=True))
