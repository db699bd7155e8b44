"""Who hears that mail no longer comes in? Whoever the alarm address names, by an e-mail of the bridge."""

from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.outbound.notice import paragraphs
from imio.mailbridge.outbound.notice import send_notice
from imio.mailbridge.settings.account import account_for
from imio.mailbridge.settings.read import settings
from plone import api
from plone.registry.interfaces import IRegistry
from transaction.interfaces import TransientError
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.i18n import translate
from zope.i18nmessageid import Message
import logging


logger = logging.getLogger(__name__)


def tell_admin(subject, *sentences, page):
    """Send an alarm, msgids in the language of the site; ``page`` is where more can be seen. Return whether that is possible.

    In the current transaction: an error is logged, a conflict is raised.
    """
    values = settings()
    to = values.alarm_address or getUtility(IRegistry).get("plone.email_from_address") or ""
    account = account_for(to, values) if is_addr_spec(to) else None
    if account is None or not account.login_address:
        logger.error("no alarm is sent, there is no address or no account for it: %s", _say(subject))
        return False
    html = paragraphs(*map(_say, sentences), [(_say(_("See more")), f"{getSite().absolute_url()}/@@{page}")])
    try:
        send_notice(account, account.login_address, to, _say(subject), html)
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 - an alarm that cannot be sent must not undo what it is about
        logger.exception("no alarm is sent")
        return False
    return True


def _say(message):
    """Return a sentence in the language of the site, with what it mentions."""
    language = api.portal.get_default_language()
    if isinstance(message, Message) and message.mapping:
        mapping = {key: _say(value) for key, value in message.mapping.items()}
        message = Message(message, message.domain, message.default, mapping)
    return translate(message, target_language=language) if isinstance(message, Message) else str(message)
