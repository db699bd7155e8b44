"""The PAS plugin that authenticates the user of a task. It trusts the worker, and nobody else."""

from AccessControl import ClassSecurityInfo
from AccessControl.class_init import InitializeClass
from imio.mailbridge.taskqueue.interfaces import ITaskLayer
from imio.mailbridge.taskqueue.publish import USER_ID
from Products.PluggableAuthService.interfaces.plugins import IAuthenticationPlugin
from Products.PluggableAuthService.interfaces.plugins import IExtractionPlugin
from Products.PluggableAuthService.interfaces.plugins import IRolesPlugin
from Products.PluggableAuthService.plugins.BasePlugin import BasePlugin
from zope.interface import implementer


PLUGIN_ID = "mailbridge_tasks"
INTERFACES = (IExtractionPlugin, IAuthenticationPlugin, IRolesPlugin)


@implementer(*INTERFACES)
class TaskUserPlugin(BasePlugin):
    """Authenticates the user who queued a task; its requests carry no password and come from no network."""

    meta_type = "Mail bridge task user plugin"
    security = ClassSecurityInfo()

    def __init__(self):
        self._setId(PLUGIN_ID)
        self.title = "Tasks of the mail bridge"

    @security.private
    def extractCredentials(self, request):
        """Return the user id that the worker put into the environment of its request."""
        userid = request.environ.get(USER_ID) if ITaskLayer.providedBy(request) else None
        return {"mailbridge_task_user": userid} if userid else {}

    @security.private
    def authenticateCredentials(self, credentials):
        """Accept what ``extractCredentials`` of this plugin found, for a user who still exists."""
        userid = credentials.get("mailbridge_task_user")
        if credentials.get("extractor") != self.getId() or not userid:
            return None
        site_user = self._getPAS().getUserById(userid)
        user = site_user or self._root_user(userid)
        return (userid, user.getUserName()) if user is not None else None

    @security.private
    def getRolesForPrincipal(self, principal, request=None):
        """Return the roles of a user of the Zope root: this site's own plugins do not know them."""
        if (
            request is None
            or not ITaskLayer.providedBy(request)
            or self._getPAS().getUserById(principal.getId())
        ):
            return ()
        user = self._root_user(principal.getId())
        return tuple(user.getRoles()) if user is not None else ()

    def _root_user(self, userid):
        return self.getPhysicalRoot().acl_users.getUserById(userid)


InitializeClass(TaskUserPlugin)


def install(site, plugin):
    """Put a plugin of ``INTERFACES`` into the user folder of ``site``."""
    pas = site.acl_users
    if plugin.getId() not in pas.objectIds():
        pas._setObject(plugin.getId(), plugin)
        for interface in INTERFACES:
            pas.plugins.activatePlugin(interface, plugin.getId())


def uninstall(site, plugin_id):
    """Take a plugin out of the user folder of ``site``."""
    pas = site.acl_users
    if plugin_id in pas.objectIds():
        for interface in INTERFACES:
            if plugin_id in pas.plugins.listPluginIds(interface):
                pas.plugins.deactivatePlugin(interface, plugin_id)
        pas._delObject(plugin_id)
