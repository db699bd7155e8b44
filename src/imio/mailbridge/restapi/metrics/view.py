"""``GET <site>/@@mailbridge-metrics``: numbers of a site and of the queue that it shares, in Prometheus' text format 0.0.4."""

from imio.mailbridge.restapi.metrics.families import families
from Products.Five.browser import BrowserView
from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics(BrowserView):
    """For a scrape with the name and password of a manager of mail. No record is read: the stores know their counts."""

    def __call__(self):
        response = self.request.response
        response.setHeader("Content-Type", CONTENT_TYPE)
        response.setHeader("Cache-Control", "no-store")
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Numbers())
        return generate_latest(registry)


class Numbers:
    """The metrics of this request, as prometheus_client collects them."""

    def collect(self):
        """Return the metrics."""
        return families()
