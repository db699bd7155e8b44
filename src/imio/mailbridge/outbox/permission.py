"""Decides whether the current user may send from a content item, and sees the action."""

from AccessControl import getSecurityManager
from AccessControl import Unauthorized
from imio.mailbridge.outbox.prepare import available
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.settings.read import settings
from typing import Any


SEND = "imio.mailbridge: Send email"


def may_send(context: Any) -> bool:
    """Tell whether the user may view the content and send from it."""
    check = getSecurityManager().checkPermission
    return bool(ISendByEmail.providedBy(context) and check("View", context) and check(SEND, context))


def check_may_send(context: Any) -> None:
    """Raise ``Unauthorized`` unless ``may_send``."""
    if not may_send(context):
        raise Unauthorized("You may not send e-mails from here.")


def action_visible(context: Any) -> bool:
    """Tell whether the action is shown: the user may send, and sending is set up."""
    return may_send(context) and available(settings())
