"""As whom does the server let the login send? What was learned from its refusals."""

from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import stored
from persistent.mapping import PersistentMapping


KEY = "imio.mailbridge.send_as"


def refusals():
    """Return the mapping of address → when it was refused, for the current site."""
    return stored(KEY, PersistentMapping)


def refused_at(addr_spec):
    """Return when the server refused this sender address (aware datetime), or None."""
    return refusals().get(addr_spec.lower())


def remember_refusal(addr_spec):
    """Note that the server does not let the login send as this address; ``auto`` will not try again."""
    refusals()[addr_spec.lower()] = now()


def forget_refusals(settings, event):
    """Let ``auto`` try again what another account was refused (subscriber of the registry records)."""
    if event.record.fieldName in ("smtp_host", "smtp_login") and event.oldValue != event.newValue:
        refusals().clear()
