"""Limits how many messages and bytes a user, and one client address, hand over in a time.

It is counted in the memory of the process, so that a request writes nothing: with N instances the limit is N times as high.
What was handed over drains evenly. A message alone always passes, however large it is.
"""

from collections.abc import Hashable
from imio.mailbridge.settings.mailin import MailinSettings
from ipaddress import ip_address
from ipaddress import ip_network
from time import monotonic
import math
import threading


#: Seconds in which ``max_deliveries`` and ``max_volume`` may come.
MINUTE, TEN_MINUTES = 60, 600
#: What one client address may, of what a user may: who floods the town from outside does not use up what all others share.
SHARE = 0.5
#: Beyond this number, what has drained is forgotten.
MAX_KEYS = 10_000

_lock = threading.Lock()
#: What is limited → when it has drained, on the monotonic clock.
_busy_until: dict[Hashable, float] = {}


def wait(site: str, user: str, client: str, size: int, values: MailinSettings) -> int:
    """Count a message of ``size`` bytes and return 0, or return in how many seconds to try again and count nothing.

    ``client`` is what ``network`` returns.
    """
    limits = []
    for who, share in (((site, "user", user), 1), ((site, "client", client), SHARE)):
        if values.max_deliveries:
            limits.append(((who, "messages"), 1 / (values.max_deliveries * share), MINUTE))
        if values.max_volume:
            limits.append(((who, "bytes"), size / (values.max_volume * 2**20 * share), TEN_MINUTES))
    with _lock:
        now = monotonic()
        busy = {key: max(0.0, _busy_until.get(key, 0.0) - now) for key, _part, _period in limits}
        over = [min(busy[key], busy[key] + (part - 1) * period) for key, part, period in limits]
        if (seconds := max(over, default=0.0)) > 0:
            return math.ceil(seconds)
        if len(_busy_until) >= MAX_KEYS:
            for key in [key for key, until in _busy_until.items() if until <= now]:
                del _busy_until[key]
        for key, part, period in limits:
            _busy_until[key] = now + busy[key] + part * period
    return 0


def network(address: str) -> str:
    """Return whose limit an IP address shares: IPv4 its own, IPv6 that of its /64; empty where it is no IP address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network((found, 64 if found.version == 6 else 32), strict=False))
