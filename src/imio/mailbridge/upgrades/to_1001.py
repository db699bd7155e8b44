"""1000 → 1001: several SMTP accounts, and what was learned of them."""

from BTrees.OOBTree import OOTreeSet
from imio.mailbridge.outbound import send_as
from imio.mailbridge.outbound.outbox import KEY
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.settings.account import DEFAULT
from persistent.mapping import PersistentMapping
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite


def upgrade(tool):
    """Add the new settings, give each message its account, take over hold and refusals."""
    for step in ("plone.app.registry", "actions"):
        tool.runImportStepFromProfile("profile-imio.mailbridge:default", step)
    annotations = IAnnotations(getSite())
    refused = annotations.get(send_as.KEY)
    if isinstance(refused, PersistentMapping):  # address → when
        del annotations[send_as.KEY]
        for addr_spec, at in refused.items():
            send_as.knowledge()[(DEFAULT, addr_spec)] = send_as.Verdict(False, at)
    if KEY not in annotations or hasattr(annotations[KEY], "holds"):
        return
    box = outbox()
    tree = type(box.records)
    box.holds, box.by_user, box.recent, box.unseen = PersistentMapping(), tree(), tree(), tree()
    box.with_bytes = OOTreeSet()
    for record in box.records.values():
        record.origin, record.account = "agent", DEFAULT
        record.eight_bit, record.written, record.told = False, None, ()
        for line in record.history:
            line.update({"answer": "", "by": "", **line})
        box.index(record)
    if box.__dict__.pop("hold", None) is not None:  # a probe finds out anew; what waits is queued
        for record in list(box.waiting_in("held")):
            box.update(record, dict.fromkeys(record.in_state("held"), "queued"))
    box._p_changed = True
