"""With what does a new e-mail of an agent begin? The signature and the blind copies of the settings; only forms ask."""

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from imio.mailbridge.message.sanitise import clean_html
from imio.mailbridge.settings.read import settings
from plone import api
from Products.PageTemplates.ZopePageTemplate import ZopePageTemplate
import logging


logger = logging.getLogger(__name__)


def signature(identity):
    """Return the clean HTML of the signature of an ``Identity``: that of its record, else that of the settings, or nothing."""
    template = settings().signature or ""
    html = identity.signature if identity.signature.strip() else template and _rendered(template, identity)
    return clean_html(html).strip()


def bcc(identity):
    """Return the addresses that get a blind copy of what an ``Identity`` writes."""
    addresses = {"agent_email": identity.address.addr_spec, "service_email": identity.service_address}
    return list(dict.fromkeys(filter(None, (addresses[each] for each in settings().bcc_default or ()))))


def _rendered(template, identity):
    """Render what an admin typed, with the rights of nobody: it is shown to others, who may do more than the admin."""
    user = api.user.get_current()
    names = {
        "sender": {
            "name": identity.address.display_name,
            "address": identity.address.addr_spec,
            "function": identity.function,
            "service": identity.service,
            "service_address": identity.service_address,
            "phone": identity.phone,
        },
        "user": {
            "id": user.getId(),
            "fullname": user.getProperty("fullname", ""),
            "email": user.getProperty("email", ""),
        },
    }
    rights = getSecurityManager()
    newSecurityManager(None, nobody)
    try:
        return ZopePageTemplate("signature", template).__of__(api.portal.get()).pt_render(extra_context=names)
    except Exception:  # noqa: BLE001 - whatever an admin typed, an e-mail can be written
        logger.exception("the signature in the settings cannot be rendered; e-mails begin without one")
        return ""
    finally:
        setSecurityManager(rights)
