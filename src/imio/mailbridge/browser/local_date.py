"""When was that, for a person?"""

from imio.mailbridge.settings.clock import local_time
from plone import api


def readable_time(moment):
    """Return an aware datetime in the time zone and notation of the site."""
    # Without its zone: Plone would turn an aware time into that of the server's own.
    return api.portal.get_localized_time(local_time(moment).replace(tzinfo=None), long_format=True)
