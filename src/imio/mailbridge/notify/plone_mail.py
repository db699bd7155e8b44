"""Finds Plone's own MailHost, also while the bridge's stands in its place."""

from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
from zope.interface import Interface


ID = "MailHost"
#: Annotation of the site: the original MailHost while ours stands in its place.
KEY = "imio.mailbridge.mailhost"


class IBridgeMailHost(Interface):
    """The MailHost that hands mail of the site to the Outbox."""


def site_mailhost():
    """Return the MailHost of the site, without acquisition, or None."""
    return getSite().aq_base.__dict__.get(ID) or getSite().aq_base.get(ID)


def plones_mailhost():
    """Return the MailHost that sends by Plone's own mail settings, or None: the original where ours stands in its place."""
    found = site_mailhost()
    if IBridgeMailHost.providedBy(found):
        found = IAnnotations(getSite()).get(KEY)
    return found.__of__(getSite()) if found is not None else None
