"""Which sites have records whose task was lost? One task a site, a minute."""

from imio.mailbridge.taskqueue.authenticate import PLUGIN_ID
from imio.mailbridge.taskqueue.enqueue import add
from plone.base.interfaces import IPloneSiteRoot
from Products.Five.browser import BrowserView


def sites(container, depth=2):
    """Yield the Plone sites below ``container`` that have the bridge installed."""
    for item in container.objectValues(["Plone Site", "Folder"]):
        if IPloneSiteRoot.providedBy(item):
            if PLUGIN_ID in item.acl_users.objectIds():
                yield item
        elif depth > 1:
            yield from sites(item, depth - 1)


class SweepSites(BrowserView):
    """Queue the sweep of each site."""

    def __call__(self):
        for site in sites(self.context):
            add("/".join(site.getPhysicalPath()) + "/@@mailbridge-sweep", "POST")
        return ""
