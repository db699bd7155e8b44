"""May the current user send from this content?"""

from AccessControl import getSecurityManager
from AccessControl import Unauthorized
from imio.mailbridge.outbox.submit import available
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.settings.read import settings


SEND = "imio.mailbridge: Send email"


def may_send(context):
    """Tell whether the user may view the content and send from it."""
    check = getSecurityManager().checkPermission
    return bool(ISendByEmail.providedBy(context) and check("View", context) and check(SEND, context))


def check_may_send(context):
    """Raise ``Unauthorized`` unless ``may_send``."""
    if not may_send(context):
        raise Unauthorized("You may not send e-mails from here.")


def action_visible(context):
    """Tell whether the action is shown: the user may send, and sending is set up."""
    return may_send(context) and available(settings())
