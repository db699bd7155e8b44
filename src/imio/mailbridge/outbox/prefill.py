"""What a form puts into a new e-mail of an agent beforehand: the signature and the blind copies of the settings."""

from imio.mailbridge.message.rendition.sanitise import clean_html
from imio.mailbridge.message.syntax.limits import TooComplex
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.signature import render
from plone import api
import logging


logger = logging.getLogger(__name__)

#: What a signature names as ``Identity`` does.
SAME = (
    "firstname", "lastname", "function", "service", "service_address", "phone", "street", "number", "zip_code", "city",
)  # fmt: skip

#: The element that holds the message which an e-mail answers or passes on: what the agent writes stands above it.
QUOTE_CLASS = "mailbridge-quote"


def signature(identity: Identity, values: Settings) -> str:
    """Return the clean HTML of the signature of an identity: that of its record, else that of the settings, or nothing."""
    template = values.signature
    html = identity.signature if identity.signature.strip() else template and _rendered(template, identity)
    try:
        return clean_html(html).strip()
    except TooComplex:
        logger.warning(
            "the signature of %s is too complex; e-mails begin without one", identity.address.addr_spec
        )
        return ""


def bcc(identity: Identity, values: Settings) -> list[str]:
    """Return the addresses that get a blind copy of what an identity writes."""
    addresses = {"agent_email": identity.address.addr_spec, "service_email": identity.service_address}
    return list(dict.fromkeys(filter(None, (addresses[each] for each in values.bcc_default))))


def _rendered(template: str, identity: Identity) -> str:
    user = api.user.get_current()
    sender = {
        "name": identity.address.display_name,
        "address": identity.address.addr_spec,
        **{name: getattr(identity, name) for name in SAME},
        "services": list(identity.services),
    }
    person = {name: user.getProperty(name, "") or "" for name in ("fullname", "email")}
    try:
        return str(render(template, {"sender": sender, "user": {"id": user.getId(), **person}}))
    except Exception:  # noqa: BLE001 - an e-mail can be written, whatever an admin typed
        logger.exception("the signature in the settings cannot be rendered; e-mails begin without one")
        return ""
