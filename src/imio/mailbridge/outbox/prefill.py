"""With what does a new e-mail of an agent begin? The signature and the blind copies of the settings; only forms ask."""

from imio.mailbridge.message.rendition.sanitise import clean_html
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.signature import render
from plone import api
import logging


logger = logging.getLogger(__name__)


def signature(identity):
    """Return the clean HTML of the signature of an ``Identity``: that of its record, else that of the settings, or nothing."""
    template = settings().signature
    html = identity.signature if identity.signature.strip() else template and _rendered(template, identity)
    return clean_html(html).strip()


def bcc(identity):
    """Return the addresses that get a blind copy of what an ``Identity`` writes."""
    addresses = {"agent_email": identity.address.addr_spec, "service_email": identity.service_address}
    return list(dict.fromkeys(filter(None, (addresses[each] for each in settings().bcc_default))))


def _rendered(template, identity):
    user = api.user.get_current()
    sender = {
        "name": identity.address.display_name,
        "address": identity.address.addr_spec,
        **{name: getattr(identity, name) for name in ("function", "service", "service_address", "phone")},
    }
    person = {name: user.getProperty(name, "") or "" for name in ("fullname", "email")}
    try:
        return render(template, {"sender": sender, "user": {"id": user.getId(), **person}})
    except Exception:  # noqa: BLE001 - whatever an admin typed, an e-mail can be written
        logger.exception("the signature in the settings cannot be rendered; e-mails begin without one")
        return ""
