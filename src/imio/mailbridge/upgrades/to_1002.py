"""1001 → 1002: proof, routing and duplicates of incoming mail."""

from BTrees.OOBTree import OOBTree
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import KEY
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite


def upgrade(tool):
    """Add the new settings; note for each document which messages brought it."""
    for step in ("plone.app.registry", "actions"):
        tool.runImportStepFromProfile("profile-imio.mailbridge:default", step)
    if KEY not in IAnnotations(getSite()):
        return
    box = inbox()
    for name in ("by_original", "by_item", "recent", "by_transferrer", "asked", "unverified"):
        if not hasattr(box, name):
            setattr(box, name, OOBTree())
    for record in box.records.values():
        box.forwarded(record)
        for uid in record.items:
            box.brought(uid, record)
