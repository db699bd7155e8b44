"""``@@mailbridge-figures``: incoming mail of the last days by transfer, and why outgoing mail failed; for managers of mail.

The bars are SVG made here and say nothing that the tables beside them do not. The newest ``LOOKED_AT`` messages are counted.
"""

from collections import Counter
from datetime import timedelta
from imio.mailbridge.browser import titles
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.store.store import key_at
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import time_at
from itertools import islice
from plone import api
from plone.memoize import ram
from Products.Five.browser import BrowserView
import time


DAYS, LOOKED_AT = 30, 3000
#: Seconds for which figures are kept; width and height of the bars in pixels.
KEPT, WIDTH, HEIGHT = 600, 240, 40


class Figures(BrowserView):
    """The tables with their bars."""

    @property
    def days(self):
        """The days that are counted, the oldest first."""
        today = local_time(now()).date()
        return [today - timedelta(days=back) for back in reversed(range(DAYS))]

    def transfers(self):
        """Return title, sum, busiest day and bars of each transfer that came, the most frequent first."""
        days, found = self.days, _by_transfer(api.portal.get().absolute_url())
        rows = []
        for transfer, per_day in sorted(found.items(), key=lambda each: -sum(each[1].values())):
            counts = [per_day.get(day.isoformat(), 0) for day in days]
            most = max(counts)
            rows.append(
                {
                    "title": titles.TRANSFER.get(transfer, _("not classified")),
                    "sum": sum(counts),
                    "most": most,
                    "day": api.portal.get_localized_time(_noon(days[counts.index(most)])),
                    "bars": _bars(counts),
                }
            )
        return [row for row in rows if row["sum"]]

    def failures(self):
        """Return words and count of each reason for which a recipient did not get an e-mail, the most frequent first."""
        found = Counter(_by_cause(api.portal.get().absolute_url()))
        return [
            {"title": translatable(words) or _("no reason was given"), "count": count}
            for words, count in found.most_common(10)
        ]


def _noon(day):
    return local_time(now()).replace(year=day.year, month=day.month, day=day.day, hour=12)


def _bars(counts):
    """Return x, y, width and height of a bar for each count."""
    step, most = WIDTH / len(counts), max(counts) or 1
    heights = [round(HEIGHT * count / most, 1) for count in counts]
    return [
        {"x": round(number * step, 1), "y": HEIGHT - height, "width": round(step - 2, 1), "height": height}
        for number, height in enumerate(heights)
    ]


def _key(function, site_url):
    return (site_url, int(time.time() / KEPT))


@ram.cache(_key)
def _by_transfer(site_url):
    """Return transfer → day (ISO 8601) → count of incoming messages."""
    first, found = now() - timedelta(days=DAYS), {}
    listing = inbox().listing
    for cell in listing.cells():
        for key in inbox().in_cells([cell], high=key_at(first) + 1).keys(LOOKED_AT):
            day = local_time(time_at(key)).date().isoformat()
            found.setdefault(cell[1], Counter())[day] += 1
    return found


@ram.cache(_key)
def _by_cause(site_url):
    """Return the explanations (msgids) of the recipients who did not get an e-mail, with counts, as a dict."""
    first, found = now() - timedelta(days=DAYS), Counter()
    for id in islice(outbox().newest_ids("failed", "bounced", "held"), LOOKED_AT):
        record = outbox().get(id)
        if record.created < first:
            break
        for address in record.in_state("failed", "bounced", "held"):
            lines = [line for line in record.history if line["recipient"] == address]
            found[_cause(lines[-1]) if lines else ""] += 1
    return dict(found)


def _cause(line):
    row = answer_named(line["answer"])
    return row.explanation if row is not None else line["explanation"]
