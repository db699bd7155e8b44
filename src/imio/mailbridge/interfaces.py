"""The browser layer that our views, viewlets and services are registered for."""

from zope.publisher.interfaces.browser import IDefaultBrowserLayer


class IMailbridgeLayer(IDefaultBrowserLayer):
    """Mark requests to a site where imio.mailbridge is installed."""
