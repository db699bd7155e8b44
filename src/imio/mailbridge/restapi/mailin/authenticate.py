"""The PAS plugin that authenticates a mail host by its token, for a delivery to this site and for no other request."""

from AccessControl import ClassSecurityInfo
from AccessControl.class_init import InitializeClass
from imio.mailbridge.restapi.mailin.raw import is_delivery
from imio.mailbridge.settings import tokens
from imio.mailbridge.taskqueue.authenticate import INTERFACES
from Products.PluggableAuthService.plugins.BasePlugin import BasePlugin
from zope.interface import implementer


PLUGIN_ID = "mailbridge_tokens"
USER = "mailbridge-token-"
ROLE = "Mail Gateway"


def token_id(request):
    """Return the id of the valid token that a delivery came with (``Authorization: Bearer``), or an empty string."""
    scheme, _space, token = (request._auth or "").partition(" ")
    if scheme.lower() != "bearer" or not is_delivery(request.environ):
        return ""
    return tokens.identify(token.strip())


@implementer(*INTERFACES)
class TokenPlugin(BasePlugin):
    """Authenticates the user ``mailbridge-token-<id>``, who exists nowhere else, with the role Mail Gateway."""

    meta_type = "Mail bridge token plugin"
    security = ClassSecurityInfo()

    def __init__(self):
        self._setId(PLUGIN_ID)
        self.title = "Tokens of mail hosts"

    @security.private
    def extractCredentials(self, request):
        """Return the id of the token of the request."""
        id = token_id(request)
        return {"mailbridge_token": id} if id else {}

    @security.private
    def authenticateCredentials(self, credentials):
        """Accept what ``extractCredentials`` of this plugin found."""
        id = credentials.get("mailbridge_token")
        if credentials.get("extractor") != self.getId() or not id:
            return None
        return USER + id, USER + id

    @security.private
    def getRolesForPrincipal(self, principal, request=None):
        """Return the role of the user whose token the request brought; it is nobody's in any other request."""
        id = token_id(request) if request is not None else ""
        return (ROLE,) if id and principal.getId() == USER + id else ()


InitializeClass(TokenPlugin)
