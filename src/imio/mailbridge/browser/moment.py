"""When was that, for a person?"""

from plone import api
from plone.app.event.base import default_timezone


def readable_time(moment):
    """Return an aware datetime in the time zone and notation of the site."""
    return api.portal.get_localized_time(
        moment.astimezone(default_timezone(as_tzinfo=True)), long_format=True
    )
