"""Who sees which recipients? Bcc only its sender and managers of mail."""

from plone import api


MANAGE = "imio.mailbridge: Manage mail"


def is_manager():
    """Tell whether the current user manages mail."""
    return api.user.has_permission(MANAGE, obj=api.portal.get())


def is_own(record):
    """Tell whether the current user sent the message."""
    return bool(record.userid) and record.userid == api.user.get_current().getId()


def visible_recipients(record):
    """Return address → state, without bcc for whoever may not see it."""
    if is_own(record) or is_manager():
        return dict(record.recipients)
    open_addresses = {address.addr_spec for address in (*record.to, *record.cc)}
    return {address: state for address, state in record.recipients.items() if address in open_addresses}
