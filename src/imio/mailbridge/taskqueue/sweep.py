"""Queues, once a minute, the sweeps of each site: they find the records whose task was lost.

One sweep of all sites a minute, whatever number of processes there are; one of each kind for a site that waits, and one that runs.
"""

from imio.mailbridge.taskqueue.authenticate import PLUGIN_ID
from imio.mailbridge.taskqueue.enqueue import add_once
from plone.base.interfaces import IPloneSiteRoot
from Products.Five.browser import BrowserView


#: Views on each site.
SWEEPS = (
    "mailbridge-sweep-outbox",
    "mailbridge-sweep-inbox",
    "mailbridge-sweep-mailboxes",
    "mailbridge-sweep-renditions",
)


def sites(container, depth=2):
    """Yield the Plone sites below ``container`` that have the bridge installed."""
    for item in container.objectValues(["Plone Site", "Folder"]):
        if IPloneSiteRoot.providedBy(item):
            if PLUGIN_ID in item.acl_users.objectIds():
                yield item
        elif depth > 1:
            yield from sites(item, depth - 1)


class SweepSites(BrowserView):
    """Queue the sweeps of each site."""

    def __call__(self):
        for site in sites(self.context):
            for view in SWEEPS:
                add_once(f"{'/'.join(site.getPhysicalPath())}/@@{view}")
        return ""
