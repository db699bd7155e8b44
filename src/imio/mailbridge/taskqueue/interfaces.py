"""The request layer of tasks."""

from zope.publisher.interfaces.browser import IDefaultBrowserLayer


class ITaskLayer(IDefaultBrowserLayer):
    """Marks a request made by the worker. The class of the request provides it: no request from the web ever does."""
